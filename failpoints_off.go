//go:build !failpoints

package main

import "reseed/mail"

// testBuild does nothing: only builds with the tag failpoints have any.
func testBuild(*mail.Config) {}
