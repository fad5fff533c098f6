package wix

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
)

// redirectAnswer is the answer of createRedirectSession.
type redirectAnswer struct {
	Session struct {
		URL     string `json:"fullUrl"`
		Details struct {
			Endpoint string            `json:"endpoint"`
			Params   map[string]string `json:"searchParams"`
		} `json:"urlDetails"`
	} `json:"redirectSession"`
}

func (s services) redirectTo(path string, params map[string]string) redirectAnswer {
	q := url.Values{}
	for name, value := range params {
		if value == "" {
			delete(params, name)
			continue
		}
		q.Set(name, value)
	}
	var a redirectAnswer
	a.Session.Details.Endpoint, a.Session.Details.Params = s.origin+path, params
	a.Session.URL = s.origin + path + "?" + q.Encode()
	return a
}

// redirectSession answers createRedirectSession (contract 2.2) for what ends in
// this server's reach: an authorization code for a session token, and signing
// out. All else leads to pages of the vendor's.
func (s services) redirectSession(r *http.Request) (any, error) {
	c, err := s.atSite(r)
	if err != nil {
		return nil, err
	}
	f, err := s.object(r)
	if err != nil {
		return nil, err
	}
	auth, logout := f.object("auth"), f.object("logout")
	switch {
	case auth.pairs != nil:
		return s.authorizeSession(r, c, auth, f)
	case logout.pairs != nil:
		back := f.object("callbacks").text("postFlowUrl", members.MaxRedirect)
		client := logout.required("clientId")
		if err := f.fault(); err != nil {
			return nil, err
		}
		if err := s.SignOut(r.Context(), c); err != nil {
			return nil, err
		}
		return s.redirectTo(logoutPath, map[string]string{"clientId": client, "postLogoutRedirectUri": back}), nil
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	return nil, errNoPage()
}

func errNoPage() *shownError {
	return application(http.StatusNotImplemented, "UNIMPLEMENTED", "That page of the vendor's is not served here")
}

// authorizeSession gets the code at once: the page that the answer leads to only
// hands it over.
func (s services) authorizeSession(r *http.Request, c members.SiteCaller, auth, f fields) (any, error) {
	q := auth.object("authRequest")
	prompt, session := auth.text("prompt", 20), q.text("sessionToken", 200)
	client, mode, state := q.required("clientId"), q.text("responseMode", 20), q.text("state", 200)
	wanted := members.AuthorizeRequest{
		SessionToken: session, Challenge: q.required("codeChallenge"), Redirect: q.text("redirectUri", members.MaxRedirect),
	}
	if method := q.text("codeChallengeMethod", 10); method != "S256" {
		q.violate("codeChallengeMethod", "must be S256", "OTHER", map[string]any{})
	}
	if mode != webMessage && mode != "query" && mode != "fragment" {
		q.violate("responseMode", "must be query, fragment or web_message", "OTHER", map[string]any{})
	}
	if err := f.fault(); err != nil {
		return nil, err
	}
	if fold.ASCII(client) != c.Site.ClientID {
		return nil, members.ErrClientID
	}
	params := map[string]string{"client_id": client, "redirect_uri": wanted.Redirect, "response_mode": mode, "state": state}
	switch {
	case session != "":
		code, err := s.Authorize(r.Context(), c.Site, wanted)
		if err != nil {
			return nil, err
		}
		params["code"] = code
	case prompt == "none":
		params["error"] = "login_required"
	default:
		return nil, errNoPage()
	}
	return s.redirectTo(authorizePath, params), nil
}

const webMessage = "web_message"

// authorize hands the outcome of an authorization over to the site: to the page
// that holds this one in a frame, or to the redirect URL.
func (s services) authorize(r *http.Request) (any, error) {
	q := r.URL.Query()
	site, err := s.ClientSite(r.Context(), q.Get("client_id"))
	if err != nil {
		return nil, err
	}
	outcome := map[string]string{"state": q.Get("state")}
	for _, name := range []string{"code", "error"} {
		if value := q.Get(name); value != "" {
			outcome[name] = value
		}
	}
	mode := q.Get("response_mode")
	if mode == webMessage {
		return message{outcome, site.Redirects}, nil
	}
	target := q.Get("redirect_uri")
	if !site.Allows(target) {
		return nil, members.ErrRedirect
	}
	return withOutcome(target, mode, outcome)
}

// withOutcome adds an outcome to a redirect URL, as fragment or query.
func withOutcome(target, mode string, outcome map[string]string) (any, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, members.ErrRedirect
	}
	values := url.Values{}
	if mode != "fragment" {
		values = u.Query()
	}
	for name, value := range outcome {
		values.Set(name, value)
	}
	if mode == "fragment" {
		u.Fragment = ""
		return redirect(u.String() + "#" + values.Encode()), nil
	}
	u.RawQuery = values.Encode()
	return redirect(u.String()), nil
}

// back sends a browser to where the client's site allows it to go.
func (s services) back(r *http.Request, client, target string) (any, error) {
	site, err := s.ClientSite(r.Context(), client)
	if err != nil {
		return nil, err
	}
	if !site.Allows(target) {
		return nil, members.ErrRedirect
	}
	return redirect(target), nil
}

// responder is an answer that is not JSON.
type responder interface{ respond(w http.ResponseWriter) }

// redirect is a URL to go to.
type redirect string

func (u redirect) respond(w http.ResponseWriter) {
	w.Header().Set("Location", string(u))
	w.WriteHeader(http.StatusSeeOther)
}

// message is posted to the page that holds this one in a frame, if that is one
// of the site's (OAuth 2.0 Web Message Response Mode).
type message struct {
	data    map[string]string
	origins []string
}

//go:embed message.js
var messageScript string

var messagePage = template.Must(template.New("").Parse(
	`<!doctype html><html lang="en"><title>Signing in</title><body data-message="{{.Message}}" data-origins="{{.Origins}}"><script>{{.Script}}</script></body></html>`))

func (m message) respond(w http.ResponseWriter) {
	data, _ := json.Marshal(m.data) // texts alone: can't fail
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	sum := sha256.Sum256([]byte(messageScript))
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'sha256-"+
		base64.StdEncoding.EncodeToString(sum[:])+"'; frame-ancestors "+frameAncestors(m.origins))
	w.WriteHeader(http.StatusOK)
	_ = messagePage.Execute(w, map[string]any{ // it is not our fault if the client has gone
		"Message": string(data), "Origins": strings.Join(m.origins, " "), "Script": template.JS(messageScript), //nolint:gosec // a file of the program's own
	})
}

func frameAncestors(origins []string) string {
	if len(origins) == 0 {
		return "'none'"
	}
	return strings.Join(origins, " ")
}
