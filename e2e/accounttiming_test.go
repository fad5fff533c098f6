//go:build timing

package e2e

import (
	"testing"

	"github.com/reseed-project/reseed/members"
)

// TestTime's method for the services by which strangers register and ask for
// the activation mail: whose address it is can't be told from the time. Of those
// who are known, some get the mail and some are activated already.
//
//	RESEED_TIMING_N=10000 go test -tags timing -run TestAccountTime -timeout 20m ./e2e
func TestAccountTime(t *testing.T) {
	n := samples(t)
	sendActivation := func(name string) (string, string, string) {
		return "GET", "/members/sendactivation?email=" + name + "@example.org", ""
	}
	register := func(name string) (string, string, string) {
		return "POST", "/members/register", "email=" + name + "@example.org&firstname=A&surname=B&member-password=" + goodPassword
	}
	onBoth(t, func(t *testing.T, dsn string) {
		for name, c := range map[string]struct {
			service func(string) (string, string, string)
			known   members.Status
		}{
			"sendactivation, who gets the mail": {sendActivation, members.Unactivated},
			"sendactivation, who is activated":  {sendActivation, members.Activated},
			"register":                          {register, members.Activated},
		} {
			t.Run(name, func(t *testing.T) {
				fresh := dsn
				if dsn != "" {
					fresh = testDSN(t)
				}
				w := newStopwatchOf(t, fresh, n, "", c.known, "self-register = true\n")
				w.other = c.service
				w.judge(t, n, "known", "unknown")
			})
		}
	})
}
