//go:build timing

package main

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestTime's method for send-set-password-email and send-email.
func TestWixTime(t *testing.T) {
	n := 10_000
	if s := os.Getenv("RESEED_TIMING_N"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	onBoth(t, func(t *testing.T, dsn string) {
		for name, path := range map[string]string{
			"set-password": "/members/v1/auth/members/send-set-password-email",
			"send-email":   "/_iam/recovery/v1/send-email",
		} {
			t.Run(name, func(t *testing.T) {
				fresh := dsn
				if dsn != "" {
					fresh = testDSN(t)
				}
				w := newStopwatch(t, fresh, n, "")
				w.wix = path
				if found := w.compare(t, "known, and 100 µs more", "known", n, 100*time.Microsecond); found < 10 {
					t.Fatalf("void: a planted difference of 100 µs has |t| = %.1f only", found)
				}
				if null := w.compare(t, "known", "known", n, 0); null > 4.5 {
					t.Errorf("void: two alike classes have |t| = %.1f", null)
				}
				if found := w.compare(t, "known", "unknown", n, 0); found > 4.5 {
					t.Errorf("|t| = %.1f", found)
				}
			})
		}
	})
}

func (w *stopwatch) wixRequest(email string, mark bool) string {
	body := `{"email":"` + email + `"}`
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nX-Plant: %d\r\nAuthorization: acme-key\r\nwix-site-id: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", w.wix, map[bool]int{true: 1}[mark], acmeSite, len(body), body)
}
