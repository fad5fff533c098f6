package wix

import (
	"net/http"
	"strconv"

	"github.com/reseed-project/reseed/openapi"
)

// Tag is that of the Wix services in an OpenAPI document.
const Tag = "wix"

// spec is what a document says about a service.
type spec struct {
	about  string
	params params
	answer any // a value of the kind that it answers with; nil: no JSON
	who    callers
}

// none is the answer that says nothing.
type none struct{}

// params are a service's fields, in the body or in the query.
type params struct{ body, query []string }

func body(fields ...string) params  { return params{body: fields} }
func query(fields ...string) params { return params{query: fields} }

// callers says who may call.
type callers int

const (
	byAnybody callers = iota
	byToken           // of a visitor or a member
	byKey             // that may manage members
)

// Describe returns the services as operations, one for each of their paths.
func Describe() []openapi.Operation {
	var list []openapi.Operation
	for _, route := range Routes() {
		for i, path := range route.Paths {
			o := route.describe()
			o.ID, o.Path = Tag+"."+route.Name, path
			if i > 0 {
				o.ID += "." + strconv.Itoa(i+1) // the same under another path
			}
			list = append(list, o)
		}
	}
	return list
}

func (r Route) describe() openapi.Operation {
	o := openapi.Operation{Tag: Tag, Method: r.Method, Summary: r.spec.about, Headers: []string{"wix-site-id"}}
	if o.Query = r.spec.params.query; o.Query == nil && r.spec.params.body != nil {
		o.Body, o.Types = openapi.Object(r.spec.params.body...), []string{"application/json"}
	}
	if r.Name == "tokens" {
		o.Types = append(o.Types, "application/x-www-form-urlencoded")
	}
	o.Security = []string{"site"}
	if r.spec.who == byAnybody {
		o.Security = []string{"", "site"}
	}
	o.Answers = append(r.answers(), r.failures()...)
	return o
}

// answers are those of success.
func (r Route) answers() []openapi.Answer {
	var list []openapi.Answer
	if r.spec.answer != nil {
		list = append(list, openapi.Answer{Status: http.StatusOK, About: "Done", Types: []string{"application/json"}, Schema: openapi.Of(r.spec.answer)})
	}
	if r.Name == "authorize" {
		list = append(list, openapi.Answer{Status: http.StatusOK, About: "A page that posts the outcome to the site's", Types: []string{"text/html"}, Schema: &openapi.Schema{Type: "string"}})
	}
	if r.Name == "authorize" || r.Name == "logout" {
		list = append(list, openapi.Answer{Status: http.StatusSeeOther, About: "Back to the site"})
	}
	return list
}

// failures are the answers of errors, those of the limits before the services
// among them.
func (r Route) failures() []openapi.Answer {
	statuses := []int{
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable,
	}
	if r.spec.who != byAnybody || r.Method == http.MethodPost || r.Name == "logout" { // credentials that come along must be good
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	switch r.Name {
	case "sendActivationEmail", "recover", "getMember", "tokens":
		statuses = append(statuses, http.StatusNotFound)
	case "registerV2":
		statuses = append(statuses, http.StatusConflict)
	case "createRedirectSession":
		statuses = append(statuses, http.StatusNotImplemented)
	}
	var list []openapi.Answer
	for _, status := range statuses {
		list = append(list, openapi.Answer{Status: status, Types: []string{"application/json"}, Schema: openapi.Of(shownError{}).Named("WixError")})
	}
	return list
}
