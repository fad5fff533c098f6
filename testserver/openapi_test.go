package testserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/jsonschema/v6"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/reseed-project/reseed/contract"
	"github.com/reseed-project/reseed/reseedtest"
)

// openAPI is a document as far as the tests read it.
type openAPI struct {
	OpenAPI string
	Paths   map[string]map[string]json.RawMessage
	schemas *jsonschema.Compiler
}

type openAPIOperation struct {
	OperationID string
	Tags        []string
	Parameters  []struct{ Name, In string }
	RequestBody struct {
		Content map[string]struct{ Schema openAPISchema }
	}
	Responses map[string]struct {
		Content map[string]json.RawMessage
	}
}

type openAPISchema struct {
	Ref        string `json:"$ref"`
	Properties map[string]openAPISchema
}

// fetchOpenAPI returns the document of a test server, which has the control API
// in it as well.
func fetchOpenAPI(t *testing.T) []byte {
	t.Helper()
	srv := reseedtest.Start(t)
	resp, err := http.Get(srv.URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json;charset=utf-8" {
		t.Fatalf("%d %s %v\n%s", resp.StatusCode, resp.Header.Get("Content-Type"), err, raw)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", resp.Header)
	}
	return raw
}

func readOpenAPI(t *testing.T, raw []byte) openAPI {
	t.Helper()
	var d openAPI
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d.schemas = jsonschema.NewCompiler()
	if err := d.schemas.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// The document is OpenAPI 3.1, by a validator that is not ours, which finds a
// fault that is planted.
func TestOpenAPIIsValid(t *testing.T) {
	raw := fetchOpenAPI(t)
	if faults := openAPIFaults(t, raw); len(faults) > 0 {
		t.Error(strings.Join(faults, "\n"))
	}
	for _, planted := range [][2]string{{`"in": "query"`, `"in": "nowhere"`}, {`"description": "Done"`, `"descriptive": "Done"`}, {`"operationId": "getVersion"`, `"operationId": 7`}} {
		if len(openAPIFaults(t, bytes.Replace(raw, []byte(planted[0]), []byte(planted[1]), 1))) == 0 {
			t.Errorf("a document with %s is valid", planted[1])
		}
	}
}

func openAPIFaults(t *testing.T, raw []byte) []string {
	t.Helper()
	document, err := libopenapi.NewDocument(raw)
	if err != nil {
		return []string{err.Error()}
	}
	v, faults := validator.NewValidator(document)
	for _, fault := range faults {
		return []string{fault.Error()}
	}
	valid, found := v.ValidateDocument()
	var list []string
	for _, f := range found {
		list = append(list, f.Message+": "+f.Reason)
		for _, s := range f.SchemaValidationErrors {
			list = append(list, "  "+s.KeywordLocation+": "+s.Reason)
		}
	}
	if !valid && len(list) == 0 {
		list = append(list, "not valid")
	}
	return list
}

// Each request of each contract case, and what it is answered with, is in the
// document: path, method, parameters, status, media type, and what stands in
// the answer. The table that the document is made of is the one that the
// services are served from.
func TestOpenAPIDescribesEveryContractCase(t *testing.T) {
	d := readOpenAPI(t, fetchOpenAPI(t))
	cases, err := contract.ReadCases(os.DirFS("../testdata/contract"))
	if err != nil {
		t.Fatal(err)
	}
	seen, described := map[string]bool{}, 0
	for _, c := range cases {
		for i, s := range c.Sections {
			if s.Kind != "request" || i+1 == len(c.Sections) || c.Sections[i+1].Kind != "response" {
				continue
			}
			x := readExchange(t, c, s, c.Sections[i+1])
			id, faults := d.check(x)
			for _, fault := range faults {
				t.Errorf("%s: %s: %s", c.Name, x.line, fault)
			}
			if id != "" {
				seen[baseID(id)] = true
				described++
			}
		}
	}
	if len(cases) < 500 || described < 1000 {
		t.Errorf("%d cases, %d requests of services: the test looks in the wrong place", len(cases), described)
	}
	for path, item := range d.Paths {
		for method := range item {
			if id := d.operation(path, method).OperationID; id != "" && !seen[baseID(id)] && d.isService(path, method) {
				t.Errorf("no case calls %s: %s %s", id, method, path)
			}
		}
	}
}

// baseID is the id without the number that a service's second path has.
func baseID(id string) string {
	parts := strings.SplitN(id, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// exchange is a request of a case, and its answer.
type exchange struct {
	line, method, path string
	prefix             string
	extras             bool // sends what is ignored, to see that it is
	query              url.Values
	kind               string // media type of the body
	body               string
	status             string
	answerKind, answer string
}

func readExchange(t *testing.T, c *contract.Case, request, response *contract.Section) exchange {
	t.Helper()
	line, headers, body := request.Message()
	method, target, _ := strings.Cut(line, " ")
	path, query, _ := strings.Cut(target, "?")
	x := exchange{line: line, method: method, path: path, prefix: "/ps", body: body, kind: "application/x-www-form-urlencoded"}
	x.extras = slices.ContainsFunc(ignoring, func(name string) bool { return strings.HasPrefix(c.Name, name) })
	if scheme, rest, ok := strings.Cut(path, "://"); ok && scheme == "http" { // the absolute form
		_, x.path, _ = strings.Cut(rest, "/")
		x.path = "/" + x.path
	}
	x.query, _ = url.ParseQuery(query)
	for _, h := range headers {
		switch strings.ToLower(h.Name) {
		case "content-type":
			x.kind, _, _ = mime.ParseMediaType(h.Value)
		case "x-http-method-override":
			if x.method == http.MethodPost {
				x.method = strings.ToUpper(h.Value)
			}
		case "access-control-request-method":
			x.method = "preflight"
		}
	}
	status, headers, answer := response.Message()
	x.status, x.answer = status, answer
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			x.answerKind = mediaType(h.Value, answer)
		}
	}
	for line := range strings.Lines(c.Config()) {
		if name, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(name) == "site-prefix" {
			x.prefix = strings.TrimSuffix(strings.Trim(strings.TrimSpace(value), `"`), "/")
		}
	}
	return x
}

// mediaType returns that of an answer; a case that takes any shows it by the body.
func mediaType(header, body string) string {
	kind, _, _ := mime.ParseMediaType(header)
	switch {
	case header != "*":
		return kind
	case strings.HasPrefix(body, "{"):
		return "application/json"
	case strings.HasPrefix(body, "<!doctype"):
		return "text/html"
	default:
		return ""
	}
}

// check returns the operation of an exchange, "" if it is for none, and what the
// document doesn't say of it.
func (d openAPI) check(x exchange) (id string, faults []string) {
	if x.method == "preflight" {
		return "", nil // described in words
	}
	path := d.find(x)
	if path == "" {
		if !slices.Contains([]string{"404", "400", "406"}, x.status) {
			faults = append(faults, "path is not described, and answers "+x.status)
		}
		return "", faults
	}
	method := strings.ToLower(x.method)
	if method == "head" {
		method = "get"
	}
	o := d.operation(path, method)
	if o.OperationID == "" {
		if x.status != "400" && x.status != "405" {
			faults = append(faults, "method is not described, and answers "+x.status)
		}
		return "", faults
	}
	faults = append(d.checkParams(o, x), d.checkAnswer(path, method, o, x)...)
	return o.OperationID, faults
}

func (d openAPI) operation(path, method string) (o openAPIOperation) {
	if strings.HasPrefix(method, "s") { // servers
		return o
	}
	_ = json.Unmarshal(d.Paths[path][method], &o)
	return o
}

func (d openAPI) isWix(path string) bool {
	return slices.Contains(append(d.operation(path, "get").Tags, d.operation(path, "post").Tags...), "wix")
}

// isService reports whether contract cases call an operation.
func (d openAPI) isService(path, method string) bool {
	tags := d.operation(path, method).Tags
	return slices.Contains(tags, "pageseeder") && !strings.Contains(path, "Login") || slices.Contains(tags, "wix")
}

// find returns the path of the document that a request's path is of: those that
// name it best first.
func (d openAPI) find(x exchange) string {
	best, score := "", -1
	for i, candidate := range addresses(x) {
		if candidate == "/members/find" || slices.ContainsFunc(notServed, func(end string) bool { return strings.HasSuffix(candidate, end) }) {
			return ""
		}
		for template := range d.Paths {
			if n := likeness(template, candidate); n > score && (i == 0 || !d.isWix(template)) { // whose paths are as they are
				best, score = template, n
			}
		}
	}
	return best
}

// addresses are what a path may stand for: as it is, or behind one of the
// servers, with an extension.
func addresses(x exchange) []string {
	var plain []string
	for segment := range strings.SplitSeq(x.path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		plain = append(plain, name)
	}
	bare := strings.Join(plain, "/")
	for _, server := range []string{x.prefix + "/api", x.prefix + "/service"} {
		if rest, ok := strings.CutPrefix(bare, server+"/"); ok {
			bare = "/" + rest
			break
		}
	}
	all := []string{x.path, bare}
	if decoded, err := url.PathUnescape(x.path); err == nil {
		all[0] = decoded
	}
	for _, extension := range []string{".xml", ".json"} {
		if cut, ok := strings.CutSuffix(bare, extension); ok {
			all = append(all, cut)
		}
	}
	return all
}

// likeness counts the segments that a path has in common with a template, -1 if
// it is not of that template.
func likeness(template, path string) int {
	a, b := strings.Split(template, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return -1
	}
	n := 0
	for i := range a {
		switch {
		case a[i] == b[i]:
			n++
		case !strings.HasPrefix(a[i], "{") || b[i] == "":
			return -1
		}
	}
	return n
}

// notServed are the ends of paths that look like a member's and are not.
var notServed = []string{"/members/import", "/members/invite", "/members/inviteself"}

// ignoring are cases whose requests have parameters that no service knows, or
// not this one, to see that they are ignored or refused.
var ignoring = []string{
	"parameters/", "wix-body/", "activation/send-strangers", "authenticate/by-get", "force/1008", "oauth/grants-not-allowed", "oauth/repeated", "self/query-credentials", "wix-http/paths", "wix-redirects/refused",
}

func (d openAPI) checkParams(o openAPIOperation, x exchange) (faults []string) {
	known := map[string]bool{}
	for _, p := range o.Parameters {
		known[p.Name] = p.In == "query" || known[p.Name]
	}
	for _, content := range o.RequestBody.Content {
		for name := range content.Schema.Properties {
			known[name], known[snakeCase(name)] = true, true
		}
	}
	for _, name := range sentNames(x) {
		if !known[name] && !x.extras {
			faults = append(faults, "parameter "+name+" is not described")
		}
	}
	return faults
}

func snakeCase(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// sentNames returns the names of a request's parameters, as far as it can be read.
func sentNames(x exchange) (names []string) {
	for name := range x.query {
		names = append(names, name)
	}
	switch x.kind {
	case "application/json":
		var object map[string]any
		_ = json.Unmarshal([]byte(x.body), &object)
		for name := range object {
			names = append(names, name)
		}
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(x.body)
		if x.body == "" || strings.HasPrefix(x.body, "{") {
			form = nil
		}
		for name := range form {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d openAPI) checkAnswer(path, method string, o openAPIOperation, x exchange) []string {
	answer, ok := o.Responses[x.status]
	if !ok {
		return []string{"status " + x.status + " is not described\n" + x.answer}
	}
	if x.answerKind == "" || x.answer == "" {
		return nil
	}
	if _, ok := answer.Content[x.answerKind]; !ok {
		return []string{fmt.Sprintf("status %s comes as %s, which is not described", x.status, x.answerKind)}
	}
	if x.answerKind == "application/xml" {
		return checkXMLCode(answer.Content[x.answerKind], x.answer)
	}
	if x.answerKind != "application/json" {
		return nil
	}
	return d.checkJSON(path, method, x)
}

// checkXMLCode makes sure that an error's code is one of those that are described.
func checkXMLCode(schema json.RawMessage, answer string) []string {
	_, rest, ok := strings.Cut(answer, `<error id="`)
	if code, _, _ := strings.Cut(rest, `"`); ok && !bytes.Contains(schema, []byte(`"`+code+`"`)) {
		return []string{"code " + code + " is not described"}
	}
	return nil
}

// escaped is a name as a part of a JSON pointer in a URL.
func escaped(name string) string {
	return url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
}

func (d openAPI) checkJSON(path, method string, x exchange) []string {
	pointer := "openapi.json#/paths/" + escaped(path) + "/" + method + "/responses/" + x.status + "/content/" + escaped("application/json") + "/schema"
	schema, err := d.schemas.Compile(pointer)
	if err != nil {
		return []string{err.Error()}
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(x.answer))
	if err != nil {
		return []string{err.Error()}
	}
	if err := schema.Validate(value); err != nil {
		return []string{err.Error() + "\n" + x.answer}
	}
	return nil
}
