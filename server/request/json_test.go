package request

import (
	"strings"
	"testing"
)

// Whatever a body of JSON holds: parameters of text, or a refusal.
func FuzzJSONParams(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"email":"ann@example.org"}`, `{"a":true,"a":false}`, `{"a":null}`, `{"a":[1]}`, `[]`, `"`, `{"a":"\ud800"}`,
		`{"\u0000":"x"}`, `{"a":"b"}{}`, `{"a":1e999}`, "{\"a\":\"\xff\"}", `{"member-password":"\u0007"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := Params{"email": "first"}
		if err := p.addJSON(body, 10); err != nil {
			return
		}
		if p["email"] != "first" || len(p) > 11 {
			t.Errorf("email %q, %d parameters", p["email"], len(p))
		}
		for name, value := range p {
			if HasControls(name) || name != "member-password" && name != "password" && HasControls(value) ||
				strings.ToValidUTF8(name+value, "") != name+value {
				t.Errorf("%q: %q came through", name, value)
			}
		}
	})
}
