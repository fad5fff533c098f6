package e2e

import (
	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/mail"

	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// logged is what the log says about a request, a mail sent and one dropped, a
// success, failures of each kind and a client over its limit: a line each, in
// UTC, with the request's id, who was asked for as a hash, and from where
// (LOG-4). What differs from run to run shows by its kind.
const logged = `
level=INFO msg="security event" kind=reset-requested event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=""
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=200 bytes=46 took=0s
level=INFO msg="mail delivery" mail=ID attempt=1 outcome=sent took=0s
level=INFO msg="security event" kind=reset-requested event=ID id=REQUEST member=0 actor="" group=0 identifier=HASH client=192.0.2.1 code=100E
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=200 bytes=46 took=0s
level=INFO msg="mail delivery" mail=ID attempt=1 outcome=dropped took=0s reason="no such member"
level=INFO msg="security event" kind=reset-requested event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=""
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=200 bytes=46 took=0s
level=INFO msg="mail delivery" mail=ID attempt=1 outcome=dropped took=0s reason="over the member's limit"
level=INFO msg="security event" kind=change-refused event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=102A
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=400 bytes=128 took=0s code=102A
level=INFO msg="security event" kind=change-refused event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=1015
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=400 bytes=117 took=0s code=1015 cause="the password is too weak: too-short (fewer than 8 characters)"
level=INFO msg="security event" kind=password-changed event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=""
level=INFO msg=request id=REQUEST client=192.0.2.1 method=POST route=/members/resetpassword status=200 bytes=44 took=0s
level=INFO msg="mail delivery" mail=ID attempt=1 outcome=sent took=0s
level=INFO msg="security event" kind=sign-in-refused event=ID id=REQUEST member=2 actor="" group=0 identifier=HASH client=192.0.2.1 code=0101
level=INFO msg=request id=REQUEST client=192.0.2.1 method=GET route=/self status=401 bytes=91 took=0s code=0101 cause="sign-in refused"
level=INFO msg=request id=REQUEST client=192.0.2.1 method=GET route="" status=429 bytes=94 took=0s code=F003
`

// What differs: the handler's time, and ids.
var (
	logTime = regexp.MustCompile(`(?m)^time=(\S+) `)
	logIDs  = []struct {
		id   *regexp.Regexp
		kind string
	}{
		{regexp.MustCompile(`(event|mail)=[0-9a-f]{32}\b`), "$1=ID"},
		{regexp.MustCompile(` id=[0-9a-f]{16}\b`), " id=REQUEST"},
		{regexp.MustCompile(`identifier=h:[0-9a-f]{32}\b`), "identifier=HASH"},
	}
)

func TestLogOfEveryStep(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer

	site := startSite(t, siteConfig{log: app.NewLogger(&log), settings: "mails-per-hour = 1\nclient-rate = 30\n"})
	send := func(call [3]string, sign func(*http.Request)) {
		t.Helper()
		if w := site.send(t, call, sign); w.Code >= 500 {
			t.Fatalf("%v: %d %s", call, w.Code, w.Body)
		}
		for _, order := range append(site.waiting(t), site.mails(t, mail.Dropped)...) {
			_ = site.Worker.Deliver(t.Context(), order.ID) // how it went is in the log
		}
	}
	reset := func(form string) { t.Helper(); send([3]string{"POST", "/members/resetpassword", form}, anybody) }
	reset("email=ann@example.org")
	token := site.deliver(t)[0].Token
	reset("email=xyz@example.org")
	reset("email=ann@example.org")
	reset("email=ann@example.org&token=x" + withGoodPassword)
	reset("email=ann@example.org&member-password=short&token=" + token)
	reset("email=ann@example.org" + withGoodPassword + "&token=" + token)
	send([3]string{"GET", "/self", ""}, basicAuth("ann", "old-Garden-12-gate")(t, site))
	for range 10 { // of 30 a minute, 25 are used up
		if w := site.send(t, [3]string{"GET", "/nosuch", ""}, anybody); w.Code == http.StatusTooManyRequests {
			break
		}
	}
	got := "\n" + logTime.ReplaceAllString(log.String(), "")
	for _, d := range logIDs {
		got = d.id.ReplaceAllString(got, d.kind)
	}
	got = regexp.MustCompile(`(?m)^.*status=404.*\n`).ReplaceAllString(got, "")
	if diff := cmp.Diff(logged, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	for _, secret := range []string{token, token[4:12], goodPassword, "ann@", "xyz@", "old-Garden"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// Times are in UTC, wherever the server stands (LOG-4).
func TestLogIsInUTC(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := app.NewLogger(&log).Handler()
	at := time.Date(2026, 3, 29, 2, 30, 0, 5e6, time.FixedZone("elsewhere", 9*60*60+30*60))
	record := slog.NewRecord(at, slog.LevelInfo, "x", 0)
	record.AddAttrs(slog.Time("due", at), slog.Group("g", slog.Time("at", at)))
	if err := h.Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	const utc = "2026-03-28T17:00:00.005Z"
	if want := "time=" + utc + " level=INFO msg=x due=" + utc + " g.at=" + utc + "\n"; log.String() != want {
		t.Errorf("%s, want %s", log.String(), want)
	}
}
