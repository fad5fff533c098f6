//go:build !failpoints

package main

import "reseed/mail"

// testBuild does nothing: only builds with the tag failpoints have any.
func testBuild(*mail.Config) {}

// testOutside changes nothing, likewise.
func testOutside(o outside) outside { return o }

// committed does nothing, likewise.
func committed() {}
