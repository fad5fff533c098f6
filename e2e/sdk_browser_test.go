package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	"github.com/reseed-project/reseed/e2e/browser"
)

// The flow of a headless site in a browser: a page of another origin, the
// vendor's SDK bundled from its packages, the vendor's hosts led here by names
// and a private certificate (contract 1.2, 2.2).
func TestSDKInTheBrowser(t *testing.T) {
	bundle := bundleSDK(t)
	site := startSite(t, siteConfig{settings: "host-url = \"https://accounts.example.org/ps\"\n"})
	certificate, pin := privateCertificate(t)
	here := serveTLS(t, certificate, site.Handler)
	page := serveTLS(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bundle.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(bundle)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>App</title><script src="/bundle.js"></script>`))
	}))
	rules := "MAP *.wixapis.com " + here + ", MAP accounts.example.org " + here + ", MAP * " + page
	chromium := browser.Start(t, chromedp.Flag("host-resolver-rules", rules), chromedp.Flag("ignore-certificate-errors-spki-list", pin))

	tab := openPage(chromium, t, "https://app.example.org/", acmeSite)
	const first, second = "violet-Harbor-93-maple", "amber-Meadow-41-flute"
	tab.expect(t, `null`, "forget", "ann@example.org", "https://app.example.org/signed-in")
	mails := site.deliver(t)
	if len(mails) != 1 || mails[0].Token == "" {
		t.Fatalf("%d mails", len(mails))
	}
	tab.expect(t, `{"state":"SUCCESS"}`, "recover", mails[0].Token, first)
	if got := tab.step(t, "login", "ann@example.org", "wrong"); !strings.Contains(string(got.Resolved), `"errorCode":"invalidPassword"`) {
		t.Errorf("a wrong password: %s %s", got.Resolved, got.Rejected)
	}
	var state struct{ Data struct{ SessionToken string } }
	if got := tab.step(t, "login", "ann@example.org", first); json.Unmarshal(got.Resolved, &state) != nil || state.Data.SessionToken == "" {
		t.Fatalf("login: %s %s", got.Resolved, got.Rejected)
	}
	tab.expect(t, `true`, "signIn", state.Data.SessionToken)
	tab.expect(t, `"ann@example.org"`, "current")
	tab.expect(t, `null`, "change", second)
	tab.expect(t, `"ann@example.org"`, "current")

	// Errors are the SDK's own, with the status, the code and the request id.
	var rejected struct {
		Status    int
		RequestID string `json:"requestId"`
		Details   struct{ ApplicationError struct{ Code string } }
	}
	got := tab.step(t, "recover", "ARTunknown", second)
	if err := json.Unmarshal(got.Rejected, &rejected); err != nil || rejected.Status != 404 || rejected.RequestID == "" ||
		rejected.Details.ApplicationError.Code != "RECOVERY_TOKEN_DATA_NOT_FOUND" {
		t.Errorf("an unknown token: %s, %v", got.Rejected, err)
	}

	for _, origin := range []string{"https://evil.example/", "https://sub.app.example.org/"} {
		foreign := openPage(chromium, t, origin, acmeSite)
		if got := foreign.step(t, "forget", "ann@example.org", "https://app.example.org/"); !strings.Contains(string(got.Rejected), "System error occurred") { // fetch failed
			t.Errorf("from %s: %s %s", origin, got.Resolved, got.Rejected)
		}
	}
	if mails := site.deliver(t); len(mails) != 2 {
		t.Errorf("%d mails, want the notices of two changes and nothing for pages of other origins", len(mails))
	}
}

// bundleSDK bundles e2e/sdk/page.mjs with the packages that it imports.
func bundleSDK(t *testing.T) []byte {
	t.Helper()
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(installSDK(t), "page.mjs")},
		Bundle:      true, Format: api.FormatIIFE, Platform: api.PlatformBrowser, LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		t.Fatalf("bundle: %+v", result.Errors)
	}
	return result.OutputFiles[0].Contents
}

// privateCertificate returns a certificate for all hosts of the test, made by an
// authority of its own, and the hash of the authority's key, by which the browser
// trusts what it has signed, and nothing else.
func privateCertificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Private authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	caKey, key := newKey(t), newKey(t)
	ca := sign(t, authority, authority, caKey, caKey)
	der := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Reseed"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
		DNSNames: []string{"www.wixapis.com", "edge.wixapis.com", "accounts.example.org", "app.example.org", "sub.app.example.org", "evil.example"},
	}, authority, key, caKey)
	public, err := x509.MarshalPKIXPublicKey(caKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(public)
	return tls.Certificate{Certificate: [][]byte{der, ca}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, c, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// serveTLS serves a handler by HTTPS and returns its address.
func serveTLS(t *testing.T, c tls.Certificate, h http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + port
}

// sdkPage is a tab with page.mjs in it.
type sdkPage struct{ ctx context.Context }

func openPage(chromium context.Context, t *testing.T, address, client string) sdkPage {
	t.Helper()
	p := sdkPage{browser.Tab(chromium, t)}
	if err := chromedp.Do(p.ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	p.step(t, "open", client)
	return p
}

// step runs one of the page's steps.
func (p sdkPage) step(t *testing.T, args ...string) (got struct{ Resolved, Rejected json.RawMessage }) {
	t.Helper()
	list, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("step(..."+string(list)+")", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func (p sdkPage) expect(t *testing.T, want string, args ...string) {
	t.Helper()
	if got := p.step(t, args...); string(got.Resolved) != want {
		t.Errorf("%s: %s, rejected with %s, want %s", args[0], got.Resolved, got.Rejected, want)
	}
}
