//go:build failpoints

package app

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// passes counts how often the named point was passed. There is one point a
// process, in builds for tests alone.
var passes atomic.Int64

// failpoint ends the process as a crash would if RESEED_FAILPOINT names this point:
// NAME, or NAME:N for the N-th time it is passed.
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

// testOutside makes hashing cheap, since tests set thousands of passwords.
func testOutside(o Deps) Deps {
	if os.Getenv("RESEED_FAILPOINT_HASHING") == "cheap" {
		o.Hashing = password.Params{Memory: 64, Time: 1, Parallelism: 1}
	}
	return o
}

// committed is the point after a request's transaction was committed, before
// anything else is done.
func committed() { failpoint("after-commit") }

// storeFailpoint is passed before and after the commit of a batch of orders.
func storeFailpoint(point string) { failpoint(point) }
