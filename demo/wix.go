package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// The Wix site of the demo. Its key opens nothing but the demo's own data.
const (
	siteID   = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
	clientID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	siteKey  = "reseed_demo-key-of-acme-specs"
	siteBack = "https://app.example.org/signed-in"
)

// addSite adds the Wix site of a group, with a key.
func addSite(ctx context.Context, a *app.App, group int64) error {
	site := members.WixSite{UUID: siteID, ClientID: clientID, GroupID: group, Redirects: []string{"https://app.example.org"}}
	if err := a.Store.AddSite(ctx, site); err != nil {
		return err
	}
	site, err := a.Store.FindSite(ctx, siteID)
	if err != nil {
		return err
	}
	_, err = a.Store.AddKey(ctx, members.APIKey{Site: site, Scopes: []members.Scope{members.ManageMembers}}, password.HashToken(siteKey))
	return err
}

// wix plays a program with an API key, then a headless site in the browser, with
// the requests that the vendor's SDK sends.
func (t *tour) wix(ctx context.Context) error {
	fmt.Fprintf(t.out, "\n===== Wix: authentication.sendSetPasswordEmail, with an API key\n")
	key := http.Header{"Authorization": {siteKey}, "Wix-Site-Id": {siteID}}
	if _, err := t.call(ctx, "/wix-sm/api/v1/auth/v1/auth/members/send-set-password-email", key, `{"email":"ann@example.org"}`, http.StatusOK); err != nil {
		return err
	}
	if _, err := t.mail(ctx); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\n===== Wix: a headless site, auth.sendPasswordResetEmail to auth.login\n")
	return t.headless(ctx, "birch-Lantern-27-cello")
}

func (t *tour) headless(ctx context.Context, newPassword string) error {
	answer, err := t.call(ctx, "/oauth2/token", nil, `{"clientId":"`+clientID+`","grantType":"anonymous"}`, http.StatusOK)
	if err != nil {
		return err
	}
	visitor := http.Header{"Authorization": {answer["access_token"]}}
	body := `{"email":"ann@example.org","redirect":{"url":"` + siteBack + `","clientId":"` + clientID + `"}}`
	if _, err := t.call(ctx, "/_api/iam/recovery/v1/send-email", visitor, body, http.StatusOK); err != nil {
		return err
	}
	token, err := t.mail(ctx)
	if err != nil {
		return err
	}
	recovered := `{"recoveryToken":"` + token + `","password":"` + newPassword + `"}`
	if _, err := t.call(ctx, "/_api/iam/recovery/v1/recover", visitor, recovered, http.StatusOK); err != nil {
		return err
	}
	if _, err := t.mail(ctx); err != nil {
		return err
	}
	login := `{"loginId":{"email":"ann@example.org"},"password":"` + newPassword + `"}`
	if _, err := t.call(ctx, "/_api/iam/authentication/v2/login", visitor, login, http.StatusOK); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\n----- The token does not work twice\n")
	_, err = t.call(ctx, "/_api/iam/recovery/v1/recover", visitor, recovered, http.StatusNotFound)
	return err
}

// call sends JSON, prints what went over the wire, and returns the texts of the answer.
func (t *tour) call(ctx context.Context, path string, headers http.Header, body string, want int) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := t.send(req, body, want)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(answer, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	texts := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts, nil
}
