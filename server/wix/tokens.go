package wix

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
)

// tokensAnswer is what the SDK takes tokens from.
type tokensAnswer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Seconds int64  `json:"expires_in"`
}

// token answers /oauth2/token (contract 2.2), in JSON or as a form.
func (s services) token(r *http.Request) (any, error) {
	f, err := s.tokenFields(r)
	if err != nil {
		return nil, err
	}
	grantType := f.required("grantType")
	if err := f.fault(); err != nil {
		return nil, err
	}
	granted, err := s.granted(r, grantType, f)
	if err != nil {
		return nil, err
	}
	return tokensAnswer{granted.Access, granted.Refresh, "Bearer", int64(granted.Life.Seconds())}, nil
}

func (s services) granted(r *http.Request, grantType string, f fields) (members.GrantedTokens, error) {
	if grantType == "authorized_client" {
		return s.grantedByKey(r, f)
	}
	client := f.required("clientId")
	code, verifier, redirect, refresh := "", "", "", ""
	switch grantType {
	case "anonymous":
	case "refresh_token":
		refresh = f.required("refreshToken")
	case "authorization_code":
		code, verifier = f.required("code"), f.required("codeVerifier")
		redirect = f.text("redirectUri", members.MaxRedirect)
	default:
		return members.GrantedTokens{}, oauthError(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported")
	}
	if err := f.fault(); err != nil {
		return members.GrantedTokens{}, err
	}
	site, err := s.ClientSite(r.Context(), client)
	switch {
	case err != nil:
		return members.GrantedTokens{}, err
	case refresh != "":
		return s.RenewAccess(r.Context(), site, refresh)
	case code != "":
		return s.Exchange(r.Context(), site, code, verifier, redirect)
	default:
		return s.GrantVisitor(r.Context(), site)
	}
}

// grantedByKey serves the SDK's getMemberTokensForExternalLogin, which sends a
// visitor's token and an API key in one header, with a comma between them.
func (s services) grantedByKey(r *http.Request, f fields) (members.GrantedTokens, error) {
	visitor, key, _ := strings.Cut(credentials(r.Header), ",")
	c, err := s.IdentifySite(r.Context(), visitor, "")
	if err == nil && c.Site.Zero() {
		err = errUnauthenticated()
	}
	if err != nil {
		return members.GrantedTokens{}, err
	}
	site, err := s.AuthorizeSite(r.Context(), key, c.Site.UUID)
	if err != nil {
		return members.GrantedTokens{}, err
	}
	id := f.memberID("memberId")
	if err := f.fault(); err != nil {
		return members.GrantedTokens{}, err
	}
	return s.GrantMember(r.Context(), site, id)
}

// tokenFields reads JSON, or a form of the same names.
func (s services) tokenFields(r *http.Request) (fields, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return s.object(r)
	}
	f := fields{violations: new([]violation)}
	body, err := request.Body(r.Context())
	if err != nil {
		return f, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return f, request.Malformed(errors.New("the form can't be read"))
	}
	for name, values := range form {
		for _, v := range values {
			text, err := json.Marshal(v)
			if err != nil {
				return f, err
			}
			f.pairs = append(f.pairs, request.Pair{Name: name, Value: text})
		}
	}
	return f, nil
}
