package wix

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// acceptAll does nothing, successfully.
type acceptAll struct{ Members }

func (acceptAll) AuthorizeSite(context.Context, string, string) (members.WixSite, error) {
	return members.WixSite{ID: 1}, nil
}

func (acceptAll) ValidEmail(string) bool { return true }

func (acceptAll) SendSetPassword(context.Context, members.WixSite, members.SetPasswordRequest) error {
	return nil
}

func (acceptAll) SendRecovery(context.Context, members.RecoveryRequest) error { return nil }

func (acceptAll) Recover(context.Context, members.WixSite, string, string) error { return nil }

func (acceptAll) QueryMembers(context.Context, members.WixSite, members.MemberQuery) ([]members.Member, int, error) {
	return nil, 0, nil
}

func (acceptAll) IdentifySite(context.Context, string, string) (members.SiteCaller, error) {
	return members.SiteCaller{}, nil
}

func (acceptAll) ClientSite(context.Context, string) (members.WixSite, error) {
	return members.WixSite{ID: 1}, nil
}

func (acceptAll) GrantVisitor(context.Context, members.WixSite) (members.GrantedTokens, error) {
	return members.GrantedTokens{}, nil
}

func (acceptAll) RenewAccess(context.Context, members.WixSite, string) (members.GrantedTokens, error) {
	return members.GrantedTokens{}, nil
}

func (acceptAll) Exchange(context.Context, members.WixSite, string, string, string) (members.GrantedTokens, error) {
	return members.GrantedTokens{}, nil
}

// Any body gets an answer of the table and is valid JSON; what is accepted has
// one address, which is valid.
func FuzzWixBody(f *testing.F) {
	for _, seed := range []string{
		`{"email":"ann@example.org"}`, ``, `null`, `[]`, `{}`, `{"email":null}`, `{"email":"a@b.c","email":"d@e.f"}`, `{"\u0065mail":"a@b.cd"}`,
		`{"email":["a@b.cd"]}`, "\ufeff{}", "\xff\xfe{\x00}\x00", `{"email":"a@b.cd"} {}`, `{"redirect":{"url":{}}}`,
		`{"query":{"filter":{"$and":[{"id":{"$in":["x",1]}},{"loginEmail":{"$startsWith":"a"}}]},"paging":{"limit":1e9},"sort":[{"fieldName":"id"}]}}`,
		`{"clientId":"x","grantType":"refresh_token","refreshToken":"x"}`, `{"grantType":"authorized_client"}`,
		`{"hideIgnoreMessage":1,"hide_ignore_message":true}`, `{"recoveryToken":"x","password":"violet-Harbor"}`,
	} {
		f.Add(seed)
	}
	h := New(acceptAll{}, "https://example.org/ps")
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/members/v1/auth/members/send-set-password-email", "/_iam/recovery/v1/send-email", "/_iam/recovery/v1/recover", "/members/v1/members/query", "/oauth2/token"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, path, nil)
			h.ServeHTTP(w, request.WithRecord(r, &request.Record{ResponseWriter: w, Body: []byte(body)}))
			if w.Code != 200 && w.Code != 400 && w.Code != 401 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		fields, err := readFields([]byte(body), mail.ValidAddress)
		if err != nil {
			return
		}
		if email := fields.email("email"); fields.fault() == nil && !mail.ValidAddress(email) {
			t.Errorf("%q is taken for an address", email)
		}
	})
}
