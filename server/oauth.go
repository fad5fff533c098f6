package server

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/xmlresp"
)

// The errors of RFC 6749, 5.2 that client credentials can lead to.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	unsupportedGrantType = "unsupported_grant_type"
	invalidScope         = "invalid_scope"
	invalidGrant         = "invalid_grant"
	unauthorizedClient   = "unauthorized_client"
)

// tokenEndpoints is the token service, at the services' root and behind the prefix.
func (s *server) tokenEndpoints() []endpoint {
	list := []endpoint{
		{http.MethodPost, "/oauth/token", s.token, "token", "An OAuth 2.0 access token (RFC 6749)", tokenParams(), nil, nil, []string{"", "client"}},
	}
	if s.SitePrefix != "" {
		list = append(list, endpoint{http.MethodPost, s.SitePrefix + "/oauth/token", s.token, "tokenBehindPrefix", "An OAuth 2.0 access token (RFC 6749)", tokenParams(), nil, nil, []string{"", "client"}})
	}
	return list
}

// token answers the OAuth token service (contract 1.5, RFC 6749, 4.4). Its
// errors are RFC 6749's, whatever the address asks for; the server's own
// faults are the catalogue's.
func (s *server) token(c *call) (xmlresp.Document, error) {
	if !formPost(c.Request) {
		return oauthError(http.StatusBadRequest, invalidRequest, "want a form, by POST, and no query"), nil
	}
	var err error
	if c.params, err = request.ReadParams(c.Request, s.Limits.Parameters); err != nil {
		if errcodes.From(err).HTTPStatus() != http.StatusBadRequest {
			return nil, err
		}
		return oauthError(http.StatusBadRequest, invalidRequest, "the form can't be read"), nil
	}
	given, failed := clientCredentials(c)
	grant := members.Grant(c.params.Get("grant_type"))
	switch {
	case failed != "":
		return oauthError(http.StatusBadRequest, invalidRequest, failed), nil
	case repeats(c.Request):
		return oauthError(http.StatusBadRequest, invalidRequest, "a parameter is given twice"), nil
	case grant == "":
		return oauthError(http.StatusBadRequest, invalidRequest, "grant_type is missing"), nil
	case !slices.Contains([]members.Grant{members.ClientCredentials, members.PasswordGrant, members.RefreshGrant}, grant):
		return oauthError(http.StatusBadRequest, unsupportedGrantType, "want client_credentials, password or refresh_token"), nil
	case !validScope(c.params.Get("scope")):
		return oauthError(http.StatusBadRequest, invalidScope, "the scopes are openid, profile and email"), nil
	case grant == members.PasswordGrant && (c.params.Get("username") == "" || c.params.Get("password") == ""):
		return oauthError(http.StatusBadRequest, invalidRequest, "username or password is missing"), nil
	case grant == members.RefreshGrant && c.params.Get("refresh_token") == "":
		return oauthError(http.StatusBadRequest, invalidRequest, "refresh_token is missing"), nil
	}
	return s.grant(c, given, grant)
}

// validScope reports whether all scopes are known. They change nothing: an id
// token comes along whenever there is a member.
func validScope(scope string) bool {
	for word := range strings.FieldsSeq(scope) {
		if !slices.Contains([]string{"openid", "profile", "email"}, word) {
			return false
		}
	}
	return true
}

// credentials are a client's id and secret.
type credentials struct{ id, secret string }

func (c credentials) possible() bool {
	return members.ValidClientID(c.id) && c.secret != "" && len(c.secret) <= maxCredential
}

// grant gives tokens for the first of the credentials that is good.
func (s *server) grant(c *call, given []credentials, grant members.Grant) (xmlresp.Document, error) {
	var tokens members.Tokens
	err := members.ErrClient
	for _, client := range given {
		if !client.possible() {
			continue
		}
		tokens, err = s.Clients.Token(c.Context(), members.TokenRequest{
			Client: client.id, Secret: client.secret, Grant: grant,
			Username: c.params.Get("username"), Password: c.params.Get("password"), Refresh: c.params.Get("refresh_token"),
		})
		if !errors.Is(err, members.ErrClient) {
			break
		}
	}
	switch {
	case errors.Is(err, members.ErrClient):
		return oauthError(http.StatusUnauthorized, invalidClient, "client id or secret is wrong"), nil
	case errors.Is(err, members.ErrUnauthorized):
		return oauthError(http.StatusBadRequest, unauthorizedClient, "the client may not use this grant"), nil
	case errors.Is(err, members.ErrBadGrant):
		request.SetError(c.Context(), errcodes.BadCredentials(err))
		return oauthError(http.StatusBadRequest, invalidGrant, "the username, password or refresh token is wrong"), nil
	case err != nil:
		return nil, err
	}
	return docReply{
		Document: xmlresp.AccessToken{
			Token: tokens.Access, ExpiresIn: int64(s.TokenLife / time.Second), Refresh: tokens.Refresh, ID: tokens.ID,
		},
		header: http.Header{"Pragma": {"no-cache"}}, // RFC 6749, 5.1 asks for it beside no-store
		json:   true,
	}, nil
}

// clientCredentials reads client id and secret from the header or the form,
// never from both (RFC 6749, 2.3); failed says what is wrong with the request.
// In the header both are form-encoded (2.3.1), which not all clients do: if they
// read otherwise as they came, that is tried afterwards.
func clientCredentials(c *call) (given []credentials, failed string) {
	id, secret := c.params.Get("client_id"), c.params.Get("client_secret")
	authorization := c.Header.Values("Authorization")
	if len(authorization) == 0 {
		return []credentials{{id, secret}}, ""
	}
	basicID, basicSecret, ok := c.BasicAuth()
	if len(authorization) > 1 || !ok {
		return nil, "want one Authorization header, with Basic"
	}
	raw := credentials{basicID, basicSecret}
	decodedID, errID := url.QueryUnescape(basicID)
	decodedSecret, errSecret := url.QueryUnescape(basicSecret)
	given = []credentials{raw}
	if decoded := (credentials{decodedID, decodedSecret}); errID == nil && errSecret == nil && decoded != raw {
		given = []credentials{decoded, raw}
	}
	if secret != "" || id != "" && !slices.ContainsFunc(given, func(c credentials) bool { return c.id == id }) {
		return nil, "client credentials in header and form"
	}
	return given, ""
}

// repeats reports whether a form that was read has a parameter twice (RFC 6749, 3.2).
func repeats(r *http.Request) bool {
	body, _ := request.Body(r.Context())
	form, _ := url.ParseQuery(string(body))
	for _, values := range form {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

func oauthError(status int, code, description string) docReply {
	r := docReply{Document: xmlresp.OAuthError{Code: code, Description: description}, status: status, json: true, header: http.Header{}}
	if status == http.StatusUnauthorized {
		r.header.Set("WWW-Authenticate", basicChallenge)
	}
	return r
}

// formPost reports whether a request is a form without a query: what OAuth
// demands, so that no secret stands in an address.
func formPost(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.Method == http.MethodPost && r.URL.RawQuery == "" &&
		strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}
