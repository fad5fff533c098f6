package request

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever a body and its content type hold: parameters of text, or a refusal (PAR-5).
func FuzzBody(f *testing.F) {
	for _, seed := range [][2]string{
		{"application/x-www-form-urlencoded; charset=ISO-8859-1", "email=m%FCller@example.org&a=%00"},
		{"application/x-www-form-urlencoded; charset=utf8", "a=%ED%A0%80&b=%C3%BC"},
		{"application/x-www-form-urlencoded; charset=utf-16", "a=b"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nann@example.org\r\n--x--"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\n\xfc\r\n--x--"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\nc\r\n--x--"},
		{"multipart/form-data", "--\r\n"}, {"multipart/form-data; boundary=x", strings.Repeat("--x\r\n\r\n", 300)},
		{"application/json", "\ufeff{\"a\":null,\"b\":true}"}, {"application/json; charset=latin1", "{}"}, {";", "a=b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		p := Params{"email": "first"}
		if err := p.addBody([]byte(body), http.Header{"Content-Type": {kind}}, 10); err != nil {
			return
		}
		if p["email"] != "first" || len(p) > 11 {
			t.Errorf("email %q, %d parameters", p["email"], len(p))
		}
		for name, value := range p {
			if !utf8.ValidString(name+value) || HasControls(name) || !isSecret(name) && HasControls(value) {
				t.Errorf("%q: %q came through", name, value)
			}
		}
	})
}

// Whatever an Accept header holds, it picks a format.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", "application/json;q=0.5, text/xml", ";;;,,,q=", "application/json;q=NaN", "*;q=1e400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if format, _ := accepted(http.Header{"Accept": {header}}); format.ContentType() == "" {
			t.Errorf("%q: %v", header, format)
		}
	})
}
