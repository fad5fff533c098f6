package e2e

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// The flow of a headless site in Node, with nothing of it changed: the vendor's
// hosts are names of a proxy with a certificate of a private authority, which
// NODE_EXTRA_CA_CERTS makes known. Who doesn't know the authority talks to nobody.
func TestSDKBehindAProxyWithItsOwnCertificate(t *testing.T) {
	t.Parallel()
	folder := installSDK(t)
	site := startSite(t, siteConfig{settings: "host-url = \"https://accounts.example.org/ps\"\n"})
	s, names := &sdk{}, []string(nil)
	port, authority := startProxy(t, s.watch(site.Handler), &names)
	env := []string{"RESEED_URL=", "NODE_OPTIONS=--import ./names.mjs", "PROXY_PORT=" + port}

	strict := &sdk{}
	strict.start(t, folder, append(env, "NODE_EXTRA_CA_CERTS=")...)
	got := strict.unseen(t, headless(acmeSite, "strict"), "auth", "generateVisitorTokens")
	if got.Rejected == nil || len(names) != 0 {
		t.Errorf("without the authority's certificate: %+v, requests to %v", got, names)
	}

	s.start(t, folder, append(env, "NODE_EXTRA_CA_CERTS="+authority)...)
	s.forgetsAndSignsIn(t, site)
	s.expect(t, failed(403, "PERMISSION_DENIED", "The access token is for another site"), headless(acmeSite, "ann"), "recovery", "sendRecoveryEmail",
		"ann@example.org", map[string]any{"redirect": map[string]any{"url": "https://app.example.org/", "clientId": globexClient}})
	s.expect(t, accepted, acme(), "authentication", "sendSetPasswordEmail", "ann@example.org")
	asked := map[string]bool{}
	for _, name := range names {
		asked[name] = true
	}
	for _, name := range []string{"www.wixapis.com", "edge.wixapis.com", "accounts.example.org"} {
		if !asked[name] {
			t.Errorf("no request to %s came by the proxy, only to %v", name, asked)
		}
	}
}

// startProxy starts a proxy with a private certificate in front of a handler. It
// returns its port and the file with the authority's certificate, and keeps the
// names that it was called by.
func startProxy(t *testing.T, handler http.Handler, names *[]string) (port, authority string) {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	behind, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _ := privateCertificate(t)
	address := serveTLS(t, certificate, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		*names = append(*names, r.In.Host) // one call at a time
		r.SetURL(behind)
		r.Out.Host = r.In.Host
	}})
	if _, port, err = net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[1]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return port, authority
}
