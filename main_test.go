package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"reseed/store/mariadbtest"
)

// suite runs the tests and ends the database server that they share.
type suite struct{ *testing.M }

// Run returns the exit code.
func (s suite) Run() int { return mariadbtest.Main(s.M) }

// TestMain lets the test binary stand in for the program: called reseed, it is one.
func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){"reseed": main})
}
