//go:build !failpoints

package app

import "github.com/reseed-project/reseed/mail"

// testBuild does nothing without the build tag failpoints.
func testBuild(*mail.Config) {}

// testOutside does nothing without the build tag failpoints.
func testOutside(o Deps) Deps { return o }

// committed does nothing without the build tag failpoints.
func committed() {}

// storeFailpoint does nothing without the build tag failpoints.
func storeFailpoint(string) {}
