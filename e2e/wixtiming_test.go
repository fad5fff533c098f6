//go:build timing

package e2e

import (
	"fmt"
	"testing"
)

// TestTime's method for send-set-password-email and send-email.
func TestWixTime(t *testing.T) {
	n := samples(t)
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
				w.judge(t, n, "known", "unknown")
			})
		}
	})
}

func (w *stopwatch) wixRequest(email string, mark bool) string {
	body := `{"email":"` + email + `"}`
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nX-Plant: %d\r\nAuthorization: acme-key\r\nwix-site-id: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", w.wix, map[bool]int{true: 1}[mark], acmeSite, len(body), body)
}
