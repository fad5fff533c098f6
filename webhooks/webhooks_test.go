package webhooks

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/reseed-project/reseed/password"
)

func testKeys(current, previous byte) password.Keys {
	k := password.Keys{Current: []byte(strings.Repeat(string(rune(current)), 32))}
	if previous != 0 {
		k.Previous = []byte(strings.Repeat(string(rune(previous)), 32))
	}
	return k
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false, "169.254.169.254": false,
		"fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "fd00:ec2::254": false, "fec0::1": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false,
		"240.0.0.1": false, "198.18.0.1": false, "192.0.0.8": false, "192.0.2.1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "::127.0.0.1": false, "2001:db8::1": false, "2001::1": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, h := range []Hook{
		{URL: "https://example.org/hook?key=x"}, {URL: "https://[2606:4700::1111]:8443/"}, {URL: "http://10.0.0.1/", AllowPrivate: true},
		{URL: "https://example.org", Kinds: []string{"password-changed", "member-locked"}},
	} {
		if err := h.Validate(); err != nil {
			t.Errorf("%+v: %v", h, err)
		}
	}
	for _, h := range []Hook{
		{}, {URL: "example.org"}, {URL: "http://example.org/"}, {URL: "ftp://example.org/", AllowPrivate: true}, {URL: "https://ann:canary@example.org/"},
		{URL: "https://example.org/#canary"}, {URL: "https://example.org/%zz-canary"}, {URL: "https://example.org/" + strings.Repeat("x", maxURL)},
		{URL: "https://example.org", Kinds: []string{"signed-in"}}, {URL: "https:///canary"},
	} {
		if err := h.Validate(); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// receive answers with a status and returns what it got.
func receive(t *testing.T, status int) (url string, got func() (http.Header, string)) {
	t.Helper()
	var header http.Header
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		header, body = r.Header, string(b)
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() (http.Header, string) { return header, body }
}

// A library of the specification's authors verifies what is sent, with the secret
// of the current key and with that of the one before.
func TestSignaturesVerify(t *testing.T) {
	url, got := receive(t, http.StatusNoContent)
	call := Call{ID: 7, Kind: "password-changed", MemberID: 12, At: time.Unix(1772366400, 123456000), Hook: Hook{URL: url, Salt: [16]byte{9}, AllowPrivate: true}}
	old, rotated, other := NewSecrets(testKeys('a', 0)), NewSecrets(testKeys('b', 'a')), NewSecrets(testKeys('c', 0))
	if err := NewSender(rotated, time.Now, nil).Send(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	header, body := got()
	if want := `{"type":"password-changed","timestamp":"2026-03-01T12:00:00.123456Z","data":{"member":12}}`; body != want {
		t.Errorf("body %s, want %s", body, want)
	}
	for _, test := range []struct {
		secret password.Secret
		want   bool
	}{{rotated.Of(call.Hook), true}, {old.Of(call.Hook), true}, {other.Of(call.Hook), false}, {rotated.Of(Hook{Salt: [16]byte{8}}), false}} {
		wh, err := standardwebhooks.NewWebhook(test.secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify([]byte(body), header); (err == nil) != test.want {
			t.Errorf("%v", err)
		}
		if err := wh.Verify([]byte(body+" "), header); err == nil {
			t.Error("another body passes")
		}
	}
	if id := header.Get("Webhook-Id"); id != call.MessageID() || id == "" {
		t.Errorf("id %q", id)
	}
}

// Requests to this machine and to private networks are refused at the moment of
// connecting, however the host is spelled; redirects are not followed.
func TestPrivateTargetsAreRefused(t *testing.T) {
	url, got := receive(t, http.StatusNoContent)
	port := url[strings.LastIndex(url, ":"):]
	sender := NewSender(NewSecrets(testKeys('a', 0)), time.Now, nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1"} {
		err := sender.Send(t.Context(), Call{Kind: "test", At: time.Now(), Hook: Hook{URL: "http://" + host + port + "/canary"}})
		if err == nil || strings.Contains(err.Error(), "canary") || host != "127.1" && !errors.Is(err, ErrPrivate) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if header, _ := got(); header != nil {
		t.Error("a request was made")
	}
	url, _ = receive(t, http.StatusTemporaryRedirect)
	err := sender.Send(t.Context(), Call{Kind: "test", At: time.Now(), Hook: Hook{URL: url, AllowPrivate: true}})
	var f *failure
	if !errors.As(err, &f) || f.status != http.StatusTemporaryRedirect {
		t.Errorf("redirect: %v", err)
	}
}

// A proxy of the environment would connect where we must not.
func TestNoProxyIsUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for _, c := range []*http.Client{NewSender(Secrets{keys: [][]byte{{1}}}, time.Now, nil).public, newClient(nil, nil)} {
		if c.Transport.(*http.Transport).Proxy != nil {
			t.Error("a proxy is used")
		}
	}
}

func TestWhatBecomesOfCalls(t *testing.T) {
	now := time.Unix(1772366400, 0)
	w := NewWorker(Config{Now: func() time.Time { return now }})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx      context.Context //nolint:containedctx // of the case
		err      error
		at       time.Time
		attempts int
		want     State
		least    time.Duration // until the next attempt
		most     time.Duration
	}{
		"sent":           {nil, nil, now, 0, Sent, 0, 0},
		"first failure":  {nil, &failure{500}, now, 0, Pending, 4 * time.Second, 5 * time.Second},
		"fourth failure": {nil, errors.New("refused"), now, 3, Pending, 32 * time.Second, 40 * time.Second},
		"many failures":  {nil, &failure{429}, now.Add(-71 * time.Hour), 90, Pending, 48 * time.Minute, time.Hour},
		"given up":       {nil, &failure{500}, now.Add(-73 * time.Hour), 90, Dead, 0, 0},
		"back after 73h": {nil, &failure{500}, now.Add(-73 * time.Hour), 0, Pending, 4 * time.Second, 5 * time.Second},
		"gone":           {nil, &failure{410}, now, 0, Dead, 0, 0},
		"stopped":        {ended, context.Canceled, now, 0, Pending, 0, 0},
	} {
		ctx := test.ctx
		if ctx == nil {
			ctx = t.Context()
		}
		s := w.settlement(ctx, Call{ID: 1, At: test.at, Attempts: test.attempts}, test.err)
		if wait := s.Due.Sub(now); s.State != test.want || s.State == Pending && (wait < test.least || wait > test.most) {
			t.Errorf("%s: %+v, %v", name, s, wait)
		}
	}
}
