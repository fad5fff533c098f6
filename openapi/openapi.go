// Package openapi writes the description of services by OpenAPI 3.1 that a
// server shows at /openapi.json. What is described stands in the tables that
// the services are served from.
package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Operation is a service under one method and one path.
type Operation struct {
	ID      string // unique in a document
	Tag     string
	Method  string
	Path    string   // {name} stands for a segment
	Servers []string // what stands before the path; nil: nothing
	Summary string
	Query   []string // fields, as Object reads them
	Headers []string // fields of the request's header
	Body    *Schema  // of the request; nil: none
	Types   []string // media types of the body
	Answers []Answer
	// Security are names of Schemes, of which one is enough; "" stands for nobody.
	Security []string
}

// Answer is what a status comes with. A status may be named more than once; its
// media types and schemas are then joined.
type Answer struct {
	Status int
	About  string
	Types  []string // media types; nil: no body
	Schema *Schema
}

// Scheme is a way to say who calls.
type Scheme struct {
	Type   string `json:"type"`
	Scheme string `json:"scheme,omitempty"`
	In     string `json:"in,omitempty"`
	Name   string `json:"name,omitempty"`
	About  string `json:"description,omitempty"`
}

// Document is the description of a server.
type Document struct {
	Title, Version, About string
	Tags                  []Tag
	Schemes               map[string]Scheme
	Operations            []Operation
}

// Tag is a group of operations.
type Tag struct {
	Name  string `json:"name"`
	About string `json:"description"`
}

type document struct {
	OpenAPI string          `json:"openapi"`
	Info    info            `json:"info"`
	Servers []serverURL     `json:"servers"`
	Tags    []Tag           `json:"tags,omitempty"`
	Paths   map[string]path `json:"paths"`
	Parts   components      `json:"components"`
}

type info struct {
	Title   string `json:"title"`
	Version string `json:"version"`
	About   string `json:"description,omitempty"`
}

type serverURL struct {
	URL string `json:"url"`
}

type components struct {
	Schemas  map[string]*Schema `json:"schemas,omitempty"`
	Security map[string]Scheme  `json:"securitySchemes,omitempty"`
}

// path holds operations by method, servers and parameters.
type path map[string]any

type operation struct {
	ID        string                `json:"operationId"`
	Tags      []string              `json:"tags,omitempty"`
	Summary   string                `json:"summary"`
	Params    []parameter           `json:"parameters,omitempty"`
	Body      *body                 `json:"requestBody,omitempty"`
	Responses map[string]*response  `json:"responses"`
	Security  []map[string][]string `json:"security"`
}

type parameter struct {
	Name     string  `json:"name"`
	In       string  `json:"in"`
	Required bool    `json:"required,omitempty"`
	Schema   *Schema `json:"schema"`
}

type body struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]media `json:"content"`
}

type media struct {
	Schema *Schema `json:"schema,omitempty"`
}

type response struct {
	About   string           `json:"description"`
	Content map[string]media `json:"content,omitempty"`
}

// JSON returns the document's text. An error is a defect of what is described:
// two operations of one id, method and path, or a schema of two kinds.
func (d Document) JSON() ([]byte, error) {
	out := document{
		OpenAPI: "3.1.1", Info: info{d.Title, d.Version, d.About}, Servers: []serverURL{{"/"}},
		Tags: d.Tags, Paths: map[string]path{},
		Parts: components{Schemas: map[string]*Schema{}, Security: d.Schemes},
	}
	ids := map[string]bool{}
	for _, o := range d.Operations {
		method := strings.ToLower(o.Method)
		p := out.Paths[o.Path]
		if p == nil {
			p = path{}
			out.Paths[o.Path] = p
		}
		if ids[o.ID] || p[method] != nil {
			return nil, fmt.Errorf("openapi: %s %s %s is described twice", o.ID, o.Method, o.Path)
		}
		ids[o.ID] = true
		if p[method] = o.build(out.Parts.Schemas); o.Servers != nil {
			p["servers"] = serverURLs(o.Servers)
		}
	}
	return json.MarshalIndent(out, "", " ")
}

func serverURLs(list []string) []serverURL {
	urls := make([]serverURL, len(list))
	for i, s := range list {
		urls[i] = serverURL{cmp.Or(s, "/")}
	}
	return urls
}

func (o Operation) build(named map[string]*Schema) operation {
	out := operation{
		ID: o.ID, Tags: []string{o.Tag}, Summary: o.Summary,
		Responses: map[string]*response{}, Security: []map[string][]string{},
	}
	for _, name := range Variables(o.Path) {
		out.Params = append(out.Params, parameter{name, "path", true, &Schema{Type: "string"}})
	}
	for in, texts := range map[string][]string{"query": o.Query, "header": o.Headers} {
		for _, text := range texts {
			f := parseField(text)
			out.Params = append(out.Params, parameter{f.name, in, f.required, f.schema})
		}
	}
	slices.SortStableFunc(out.Params, func(a, b parameter) int { return strings.Compare(a.In, b.In) })
	if o.Body != nil {
		out.Body = &body{Required: len(o.Body.Required) > 0, Content: map[string]media{}}
		for _, kind := range o.Types {
			out.Body.Content[kind] = media{o.Body.collect(named)}
		}
	}
	for _, a := range o.Answers {
		a.addTo(out.Responses, named)
	}
	for _, name := range o.Security {
		if name == "" {
			out.Security = append(out.Security, map[string][]string{})
			continue
		}
		out.Security = append(out.Security, map[string][]string{name: {}})
	}
	return out
}

func (a Answer) addTo(responses map[string]*response, named map[string]*Schema) {
	status := strconv.Itoa(a.Status)
	r := responses[status]
	if r == nil {
		r = &response{About: cmp.Or(a.About, http.StatusText(a.Status))}
		responses[status] = r
	} else if a.About != "" {
		r.About += "; " + a.About
	}
	for _, kind := range a.Types {
		if r.Content == nil {
			r.Content = map[string]media{}
		}
		schema := a.Schema.collect(named)
		if before := r.Content[kind].Schema; before != nil {
			schema = &Schema{AnyOf: append(before.alternatives(), schema)}
		}
		r.Content[kind] = media{schema}
	}
}

// Variables returns the names of a path's variables.
func Variables(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}
