package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/openapi"
	"github.com/reseed-project/reseed/server/pages"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/server/wix"
)

const openAPIPath = "/openapi.json"

const aboutServices = `The services of PageSeeder stand under each of the servers that their paths list. ` +
	`A path may end in .xml or .json, which picks the format before Accept does; without either it is XML. ` +
	`GET includes HEAD. Parameters that are shown in a body may also stand in the query, and in a multipart form or JSON; ` +
	`a POST with X-HTTP-Method-Override counts as the method that it names. ` +
	`Fields of Wix services may be spelled in snake_case as well. Preflights (OPTIONS) of allowed origins are answered 204.`

// describe returns the OpenAPI document of all services of the server.
func (s *server) describe() ([]byte, error) {
	d := openapi.Document{
		Title: "Reseed", Version: s.Version.Text(), About: aboutServices,
		Tags: append([]openapi.Tag{
			{Name: tagPageSeeder, About: "The services of PageSeeder"}, {Name: wix.Tag, About: "The services of Wix"},
			{Name: tagServer, About: "About this server"},
		}, s.More.Tags...),
		Schemes: map[string]openapi.Scheme{
			"basic":   {Type: "http", Scheme: "basic", About: "Username or address, and password"},
			"session": {Type: "apiKey", In: "cookie", Name: sessionCookie},
			"bearer":  {Type: "http", Scheme: "bearer", About: "A token of /oauth/token"},
			"client":  {Type: "http", Scheme: "basic", About: "Id and secret of an OAuth client"},
			"site":    {Type: "apiKey", In: "header", Name: "Authorization", About: "An API key or access token of a Wix site"},
		},
	}
	for _, e := range s.endpoints() {
		if e.method != "" {
			d.Operations = append(d.Operations, e.describe(s.SitePrefix))
		}
	}
	d.Operations = append(append(d.Operations, wix.Describe()...), healthOperations()...)
	d.Operations = append(d.Operations, openapi.Operation{
		ID: "getOpenAPI", Tag: tagServer, Method: http.MethodGet, Path: openAPIPath, Summary: "This document",
		Answers: edgeAnswers(openapi.Answer{Status: http.StatusOK, About: "OpenAPI 3.1", Types: jsonOnly(), Schema: openapi.Object()}),
	})
	if s.pages != nil && s.Pages.Inbox != nil {
		d.Operations = append(d.Operations, pages.Describe()...)
		d.Tags = append(d.Tags, openapi.Tag{Name: pages.Tag, About: "Captured mails"})
	}
	d.Operations = append(d.Operations, s.More.Operations...)
	return d.JSON()
}

const (
	tagPageSeeder = "pageseeder"
	tagServer     = "server"
)

func jsonOnly() []string { return []string{"application/json"} }

// openAPI answers with the document, which is made when it is first asked for.
func (s *server) openAPI() http.Handler {
	document := sync.OnceValues(s.describe)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			request.SetAddress(r, s.SitePrefix)
			s.write(w, r, nil, &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed})
			return
		}
		body, err := document()
		if err != nil {
			request.SetAddress(r, s.SitePrefix)
			s.write(w, r, nil, err)
			return
		}
		body = compress(r, w.Header(), body)
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a client that went away is no fault of ours
		}
	})
}

func (e endpoint) isToken() bool { return e.answer == nil && e.method == http.MethodPost }

// describe returns what the document says about a service.
func (e endpoint) describe(prefix string) openapi.Operation {
	o := openapi.Operation{ID: e.id, Tag: tagPageSeeder, Method: e.method, Path: e.path, Summary: e.about, Security: e.who}
	switch {
	case e.isToken():
		o.Body, o.Types = openapi.Object(e.params...), []string{"application/x-www-form-urlencoded"}
		o.Answers = tokenAnswers()
	case e.method == http.MethodGet:
		o.Query = e.params
	case e.params != nil:
		o.Body, o.Types = openapi.Object(e.params...), []string{"application/x-www-form-urlencoded", "multipart/form-data", "application/json"}
	}
	if !e.standsByItself(prefix) {
		o.Servers = []string{prefix + "/api", prefix + "/service", ""}
	}
	if o.Answers == nil {
		o.Answers = append([]openapi.Answer{{Status: http.StatusOK, About: "Done", Types: bothFormats(), Schema: e.answer}}, e.errorAnswers()...)
	}
	return o
}

// standsByItself reports whether a path has the prefix in it.
func (e endpoint) standsByItself(prefix string) bool {
	return prefix != "" && len(e.path) > len(prefix) && e.path[:len(prefix)+1] == prefix+"/"
}

func bothFormats() []string { return []string{"application/xml", "application/json"} }

// errorAnswers returns the answers of a service's errors by status, those that
// every service has among them.
func (e endpoint) errorAnswers() []openapi.Answer {
	codes := append([]errcodes.Code{
		errcodes.WrongMethod, errcodes.Forbidden, errcodes.NotAcceptable, errcodes.Internal, errcodes.TooManyRequests,
		errcodes.Unavailable, errcodes.RequestTooLarge, errcodes.MalformedRequest,
	}, e.errors...)
	byStatus := map[int][]errcodes.Code{http.StatusUnauthorized: {errcodes.Forbidden}}
	if e.id == "authenticateByGet" {
		byStatus[http.StatusMethodNotAllowed] = []errcodes.Code{errcodes.WrongMethod}
	}
	for _, c := range codes {
		status := errcodes.Lookup(c).Status
		if !slices.Contains(byStatus[status], c) {
			byStatus[status] = append(byStatus[status], c)
		}
	}
	var answers []openapi.Answer
	for _, status := range slices.Sorted(statuses(byStatus)) {
		answers = append(answers, errorAnswer(status, byStatus[status]))
	}
	return answers
}

func statuses(m map[int][]errcodes.Code) func(func(int) bool) {
	return func(yield func(int) bool) {
		for status := range m {
			if !yield(status) {
				return
			}
		}
	}
}

func errorAnswer(status int, codes []errcodes.Code) openapi.Answer {
	a := openapi.Answer{Status: status, Types: bothFormats()}
	var ids []string
	for _, c := range codes {
		ids = append(ids, c.String())
		if a.About != "" {
			a.About += ". "
		}
		a.About += fmt.Sprintf("%s: %s", c, errcodes.Lookup(c).When)
	}
	narrowed := openapi.Object()
	narrowed.Properties["id"] = &openapi.Schema{Enum: ids}
	a.Schema = &openapi.Schema{AllOf: []*openapi.Schema{errorDoc(), narrowed}}
	return a
}

// edgeAnswers adds to a service's answers those of the limits that stand before it.
func edgeAnswers(answers ...openapi.Answer) []openapi.Answer {
	for _, status := range []int{http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		answers = append(answers, openapi.Answer{Status: status, Types: bothFormats(), Schema: errorDoc()})
	}
	return answers
}

func healthOperations() []openapi.Operation {
	answer := func(status int) openapi.Answer {
		return openapi.Answer{Status: status, Types: jsonOnly(), Schema: openapi.Of(health{}).Named("Health")}
	}
	tooMany, notReady := answer(http.StatusTooManyRequests), answer(http.StatusServiceUnavailable)
	return []openapi.Operation{
		{ID: "getLive", Tag: tagServer, Method: http.MethodGet, Path: livePath, Summary: "Whether the process answers", Answers: []openapi.Answer{answer(http.StatusOK), tooMany}},
		{ID: "getReady", Tag: tagServer, Method: http.MethodGet, Path: readyPath, Summary: "Whether it can serve requests", Answers: []openapi.Answer{answer(http.StatusOK), tooMany, notReady}},
	}
}

func errorDoc() *openapi.Schema {
	return openapi.Object("id!", "request!", "message!").Element("error").Named("Error")
}

func tokenAnswers() []openapi.Answer {
	fault := openapi.Object("error!:"+invalidRequest+"|"+invalidClient+"|"+unsupportedGrantType+"|"+invalidScope+"|"+invalidGrant+"|"+unauthorizedClient, "error_description!").Named("OAuthError")
	answers := []openapi.Answer{
		{Status: http.StatusOK, About: "Tokens", Types: jsonOnly(), Schema: openapi.Object("access_token!", "token_type!:bearer", "expires_in!:integer", "refresh_token", "id_token").Named("AccessToken")},
		{Status: http.StatusBadRequest, Types: jsonOnly(), Schema: fault},
		{Status: http.StatusUnauthorized, Types: jsonOnly(), Schema: fault},
	}
	return edgeAnswers(answers...)
}

func tokenParams() []string {
	return []string{
		"grant_type!:client_credentials|password|refresh_token", "client_id", "client_secret:password", "username", "password:password", "refresh_token", "scope",
	}
}

func signInParams() []string { return []string{"username", "password:password", "xformat"} }

// The answers' schemas, as xmlresp writes the documents.

func resetDoc() *openapi.Schema {
	return openapi.Attributes("reset-password", "status!:request-successful|password-changed|pending", "admin:boolean").Named("ResetPassword")
}

func memberDoc() *openapi.Schema {
	s := openapi.Attributes("member",
		"id!:integer", "firstname", "surname", "username!", "email:email", "lastpasswordchange:date", "lastlogin:date",
		"status!", "admin:boolean", "locked:boolean", "created:date", "activated:date")
	return s.With("fullname", &openapi.Schema{Type: "string"}).Named("Member")
}

func unlockDoc() *openapi.Schema {
	return openapi.Object().With("member", memberDoc()).Element("member-unlock")
}

func activationDoc() *openapi.Schema {
	return openapi.Attributes("member-activation", "alreadyActivated:boolean").With("member", memberDoc()).Named("MemberActivation")
}

func authenticateDoc() *openapi.Schema {
	s := openapi.Attributes("authenticate", "status!:logged-in|logged-out|session-reset")
	s.Properties["member"] = memberDoc()
	return s.Named("Authenticate")
}

func groupDoc() *openapi.Schema {
	return openapi.Attributes("group", "id!:integer", "name!", "type!:group|project", "title", "description!", "owner!", "access!:member", "common!:boolean").Named("Group")
}

func plainMembershipDoc() *openapi.Schema {
	return openapi.Attributes("membership", "id!:integer", "emailListed!:boolean", "notification!", "status!:normal", "role!", "created:date")
}

// inGroup adds a group or project to what hangs in it; in JSON, too, it is named
// after its element.
func inGroup(s *openapi.Schema) *openapi.Schema {
	c := *s
	c.Properties = map[string]*openapi.Schema{"group": groupDoc(), "project": groupDoc().Element("project").Named("Project")}
	for name, p := range s.Properties {
		c.Properties[name] = p
	}
	return &c
}

func membershipDoc() *openapi.Schema {
	return inGroup(plainMembershipDoc()).With("member", memberDoc()).Named("Membership")
}

func membershipsDoc() *openapi.Schema {
	list := inGroup(plainMembershipDoc()).Named("OwnMembership").List()
	return openapi.Object().With("member", memberDoc()).With("memberships", list).Element("memberships").Named("Memberships")
}

func groupMembershipsDoc() *openapi.Schema {
	list := plainMembershipDoc().With("member", memberDoc()).Named("GroupMembership").List()
	return inGroup(openapi.Attributes("memberships", "count!:integer")).With("memberships", list).Named("GroupMemberships")
}
