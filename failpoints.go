//go:build failpoints

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"reseed/mail"
	"reseed/password"
)

// passes counts how often the named point was passed. There is one point a
// process, in builds for tests alone.
var passes atomic.Int64

// failpoint ends the process as a crash would where RESEED_FAILPOINT names this
// point, NAME or NAME:N for its N-th passing.
func failpoint(point string) {
	name, count, _ := strings.Cut(os.Getenv("RESEED_FAILPOINT"), ":")
	if name != point {
		return
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	if passes.Add(1) == n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing happens between the signal and the end
	}
}

// testBuild puts the failpoints into the worker, and shortens the lease of
// mails so that a test sees a crashed server's mails taken over.
func testBuild(cfg *mail.Config) {
	cfg.Hook = failpoint
	if lease, err := time.ParseDuration(os.Getenv("RESEED_FAILPOINT_LEASE")); err == nil {
		cfg.Lease = lease
		cfg.Poll = lease / 10
		cfg.Pause = mail.Backoff{First: lease / 10, Max: lease}
		cfg.Retry = mail.Backoff{First: lease / 10, Max: lease}
	}
}

// testOutside makes hashing cheap where thousands of passwords are to be set.
func testOutside(o outside) outside {
	if os.Getenv("RESEED_FAILPOINT_HASHING") == "cheap" {
		o.hashing = password.Params{Memory: 64, Time: 1, Parallelism: 1}
	}
	return o
}

// committed is where a transaction of a request is committed and nothing else
// was done about it yet.
func committed() { failpoint("after-commit") }
