package server

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"reseed/errcodes"
	"reseed/members"
	"reseed/xmlresp"
)

// The errors of RFC 6749, 5.2 that client credentials can lead to.
const (
	invalidRequest       = "invalid_request"
	invalidClient        = "invalid_client"
	unsupportedGrantType = "unsupported_grant_type"
	invalidScope         = "invalid_scope"
)

// token answers the OAuth token service (contract 1.5, RFC 6749, 4.4). Its
// errors are RFC 6749's, whatever the address asks for; the server's own
// faults are the catalogue's.
func (s *server) token(c *call) (xmlresp.Document, error) {
	if !formPost(c.Request) {
		return oauthError(http.StatusBadRequest, invalidRequest, "want a form, by POST, and no query"), nil
	}
	var err error
	if c.params, err = s.readParams(c.Request); err != nil {
		if errcodes.From(err).HTTPStatus() != http.StatusBadRequest {
			return nil, err
		}
		return oauthError(http.StatusBadRequest, invalidRequest, "the form can't be read"), nil
	}
	id, secret, failed := clientCredentials(c)
	switch {
	case failed != "":
		return oauthError(http.StatusBadRequest, invalidRequest, failed), nil
	case repeats(c.Request):
		return oauthError(http.StatusBadRequest, invalidRequest, "a parameter is given twice"), nil
	case c.params.get("grant_type") == "":
		return oauthError(http.StatusBadRequest, invalidRequest, "grant_type is missing"), nil
	case c.params.get("grant_type") != "client_credentials":
		return oauthError(http.StatusBadRequest, unsupportedGrantType, "want client_credentials"), nil
	case c.params.get("scope") != "":
		return oauthError(http.StatusBadRequest, invalidScope, "there are no scopes"), nil
	}
	return s.grant(c, id, secret)
}

func (s *server) grant(c *call, id, secret string) (xmlresp.Document, error) {
	token := ""
	err := members.ErrClient
	if id != "" && len(id) <= maxCredential && secret != "" && len(secret) <= maxCredential {
		token, err = s.Clients.Grant(c.Context(), id, secret)
	}
	if errors.Is(err, members.ErrClient) {
		return oauthError(http.StatusUnauthorized, invalidClient, "client id or secret is wrong"), nil
	}
	if err != nil {
		return nil, err
	}
	return docReply{
		Document: xmlresp.AccessToken{Token: token, ExpiresIn: int64(s.TokenLife / time.Second)},
		header:   http.Header{"Pragma": {"no-cache"}}, // RFC 6749, 5.1 asks for it beside no-store
		json:     true,
	}, nil
}

// clientCredentials reads client id and secret from the header or the form,
// never from both (RFC 6749, 2.3); failed says what is wrong with the request.
func clientCredentials(c *call) (id, secret, failed string) {
	id, secret = c.params.get("client_id"), c.params.get("client_secret")
	given := c.Header.Values("Authorization")
	if len(given) == 0 {
		return id, secret, ""
	}
	basicID, basicSecret, ok := c.BasicAuth()
	switch {
	case len(given) > 1 || !ok:
		return "", "", "want one Authorization header, with Basic"
	case secret != "" || id != "" && id != basicID:
		return "", "", "client credentials in header and form"
	case strings.ContainsFunc(basicID, notHex):
		return "", "", "" // nobody's; no such id goes to the database
	}
	return basicID, basicSecret, ""
}

// repeats reports whether a form that was read has a parameter twice (RFC 6749, 3.2).
func repeats(r *http.Request) bool {
	body, _ := bodyOf(r.Context())
	form, _ := url.ParseQuery(string(body))
	for _, values := range form {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

func notHex(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }

func oauthError(status int, code, description string) docReply {
	r := docReply{Document: xmlresp.OAuthError{Code: code, Description: description}, status: status, json: true, header: http.Header{}}
	if status == http.StatusUnauthorized {
		r.header.Set("WWW-Authenticate", basicChallenge)
	}
	return r
}
