// Package faults proves that faults lose nothing and let nobody in: it runs
// the real program as child processes on real databases, between proxies and
// mail servers that misbehave on purpose, kills any of them, and checks what
// must hold afterwards (requirements 4). Each test has a short form, which runs
// with all other tests, and a long one behind the build tag soak.
//
// The environment variable RESEED_SOAK_NAME sets how much a test does, where
// NAME is the first argument of its knob.
package faults

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// knob returns how much of something a test does: by default in its short and
// in its long form.
func knob(t testing.TB, name string, short, long int) int {
	t.Helper()
	n := short
	if soak {
		n = long
	}
	if text := os.Getenv("RESEED_SOAK_" + name); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("RESEED_SOAK_%s: %v", name, err)
		}
	}
	return n
}

// pause waits, for the random moments at which things break.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal("the test ended")
	}
}

// eventually waits until the condition holds, and fails the test if it
// doesn't within the limit. It returns how long that took.
func eventually(t testing.TB, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(began) > limit {
			t.Fatalf("after %v still not: %s", limit, what)
		}
		<-tick.C
	}
	return time.Since(began)
}
