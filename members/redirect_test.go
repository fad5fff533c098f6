package members

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"https://app.example.org":      "https://app.example.org",
		"https://App.Example.ORG/":     "https://app.example.org",
		"HTTPS://app.example.org:443":  "https://app.example.org",
		"https://app.example.org:443/": "https://app.example.org",
		"https://app.example.org:80":   "https://app.example.org:80",
		"http://localhost:3000":        "http://localhost:3000",
		"http://localhost:80":          "http://localhost",
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://[::1]:8080":            "http://[::1]:8080",
		"http://[::1]":                 "http://[::1]",
	} {
		if got, err := ParseOrigin(in); got != want || err != nil {
			t.Errorf("ParseOrigin(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "*", "https://", "https:///", "https:app.example.org", "app.example.org", "//app.example.org", "ftp://app.example.org",
		"https://app.example.org/x", "https://app.example.org//", "https://app.example.org?", "https://app.example.org#", "https://app.example.org/?x",
		"https://user@app.example.org", "https://@app.example.org", "https://app.example.org:", "https://app.example.org:x", "https://*.example.org",
		"https://app example.org", " https://app.example.org", "https://app.example.org\n", "https://äpp.example.org", "https://app%2eexample.org",
		"https://[::1%25eth0]", "https://[::1]:", "https://[app.example.org]", "https://app_1.example.org", "null",
	} {
		if got, err := ParseOrigin(in); err == nil {
			t.Errorf("ParseOrigin(%q) = %q", in, got)
		}
	}
}

func TestNoSiteAllowsNothing(t *testing.T) {
	for _, target := range []string{"", "/", "https://app.example.org/"} {
		if (WixSite{}).Allows(target) || (WixSite{Redirects: []string{""}}).Allows(target) {
			t.Errorf("%q is allowed", target)
		}
	}
}

// What is allowed leads, as Go and a browser read it, to an origin on the list
// (WEB-11). Browsers drop tabs and line breaks, take backslashes for slashes and
// fold other scripts to ASCII.
func FuzzRedirect(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.org", "https://app.example.org:443/x?y#z", "http://localhost:3000/", "//evil", `\\evil`, "https:evil",
		"https://app.example.org@evil.example/", "https://app.example.org\\@evil.example", "https://app。example.org/",
		"https://app.example.org.evil.example", "https://app.example.org:443@evil", "https://app.example.org\t.evil", "https://app.example.org/\r\nX: y",
	} {
		f.Add(seed)
	}
	site := WixSite{ID: 1, Redirects: []string{"https://app.example.org", "http://localhost:3000"}}
	f.Fuzz(func(t *testing.T, target string) {
		if !site.Allows(target) {
			return
		}
		lower := strings.ToLower(target)
		rest, ok := strings.CutPrefix(lower, "https://app.example.org")
		if ok {
			rest = strings.TrimPrefix(rest, ":443")
		} else {
			rest, ok = strings.CutPrefix(lower, "http://localhost:3000")
		}
		if !ok || rest != "" && !strings.Contains("/?#", rest[:1]) {
			t.Errorf("%q is allowed", target)
		}
		if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
			t.Errorf("%q is allowed, and browsers rewrite it", target)
		}
		if u, err := url.Parse(target); err != nil || u.User != nil {
			t.Errorf("%q is allowed, and reads %v, %v", target, u, err)
		}
	})
}
