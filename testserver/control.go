package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/reseed-project/reseed/openapi"
	"github.com/reseed-project/reseed/seed"
	"github.com/reseed-project/reseed/server"
	"github.com/reseed-project/reseed/server/request"
)

// maxControl bounds a body of the control API, in bytes: a seed of some ten
// thousand members.
const maxControl = 16 << 20

// control is a request of the control API, and what the OpenAPI document says
// about it.
type control struct {
	method, path, id, about string
	query                   []string
	body, answer            *openapi.Schema
	serve                   func(*http.Request) (any, error)
}

// controlTable lists the control API; the rest below /dev is the inbox.
func (s *Server) controlTable() []control {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	nothing, clock := openapi.Object(), openapi.Object("now!:date", "stopped!:boolean")
	return []control{
		{get, "/dev/test.json", "getTest", "Tells a test server from others", nil, nil, openapi.Object("test!:boolean").With("clock", clock), func(*http.Request) (any, error) { return s.describe(), nil }},
		{post, "/dev/reset", "reset", "Back to the latest seed: accounts, mails, clock, faults", nil, nil, nothing, s.postReset},
		{post, "/dev/seed", "seed", "A fresh server with the document's accounts, or with add=true more of them", []string{"add:boolean"}, openapi.Of(seed.Document{}), openapi.Of(seed.IDs{}), s.postSeed},
		{get, "/dev/clock", "getClock", "The server's time", nil, nil, clock, func(*http.Request) (any, error) { return s.clockState(), nil }},
		{post, "/dev/clock", "setClock", "Sets the clock", nil, openapi.Object("set:date", "advance", "stop:boolean", "start:boolean", "reset:boolean"), clock, s.postClock},
		{post, "/dev/fault", "addFault", "Asks for a fault of the next requests or mails", nil, openapi.Of(Fault{}), nothing, s.postFault},
		{del, "/dev/fault", "clearFaults", "Takes all faults back", nil, nil, nothing, func(*http.Request) (any, error) { s.faults.clear(); return struct{}{}, nil }},
		{get, "/dev/requests.json", "getRequests", "What the server received, oldest first, secrets masked", nil, nil, openapi.Object().With("requests", openapi.Of([]Request{})), func(*http.Request) (any, error) { return map[string]any{"requests": s.requests.all()}, nil }},
		{del, "/dev/requests.json", "forgetRequests", "Forgets what was received", nil, nil, nothing, func(*http.Request) (any, error) { s.requests.clear(); return struct{}{}, nil }},
		{post, "/dev/deliver", "deliver", "Sends the mails that are due at once", nil, nil, openapi.Object("waiting!:integer"), s.postDeliver},
		{post, "/dev/do", "do", "Changes an account by a line of words", nil, openapi.Object("words!:strings"), openapi.Of(DoAnswer{}), s.postDo},
	}
}

// describeControls returns the control API for the OpenAPI document.
func (s *Server) describeControls() server.More {
	more := server.More{Tags: []openapi.Tag{{Name: "control", About: "The control API of test servers"}}}
	for _, c := range s.controlTable() {
		o := openapi.Operation{ID: c.id, Tag: "control", Method: c.method, Path: c.path, Summary: c.about, Query: c.query, Body: c.body}
		if c.body != nil {
			o.Types = []string{"application/json", "application/yaml"}
		}
		kinds := []string{"application/json"}
		o.Answers = []openapi.Answer{{Status: http.StatusOK, About: "Done", Types: kinds, Schema: c.answer}}
		for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusInternalServerError} {
			o.Answers = append(o.Answers, openapi.Answer{Status: status, Types: kinds, Schema: openapi.Object("error!").Named("Fault")})
		}
		more.Operations = append(more.Operations, o)
	}
	return more
}

// controls reports whether a request is for the control API.
func (s *Server) controls(r *http.Request) bool { return s.controlPaths[r.URL.Path] }

func isDev(r *http.Request) bool {
	return r.URL.Path == "/dev" || strings.HasPrefix(r.URL.Path, "/dev/")
}

// controlError is an error with its status.
type controlError struct {
	status int
	err    error
}

// Error returns what is wrong.
func (e *controlError) Error() string { return e.err.Error() }

func badRequest(err error) error { return &controlError{http.StatusBadRequest, err} }

// controlAPI is the handler of the control API. Bodies are JSON or YAML,
// answers and errors JSON.
func (s *Server) controlAPI() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answerControl(w, r, f) })
	}
	for _, c := range s.controlTable() {
		s.controlPaths[c.path] = true
		handle(c.method+" "+c.path, c.serve)
	}
	handle("/", func(r *http.Request) (any, error) {
		return nil, &controlError{http.StatusMethodNotAllowed, fmt.Errorf("%s does not take %s", r.URL.Path, r.Method)}
	})
	return mux
}

func (s *Server) answerControl(w http.ResponseWriter, r *http.Request, f func(r *http.Request) (any, error)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxControl)
	var answer any
	err := s.allow(r)
	if err == nil {
		answer, err = f(r)
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		var known *controlError
		if errors.As(err, &known) {
			status = known.status
		}
		answer = map[string]string{"error": err.Error()}
	}
	body, err := json.Marshal(answer)
	if err != nil { // can't be: the answers are plain values
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// allow refuses names that a foreign page could have pointed here (DNS
// rebinding), and requests that such a page sends.
func (s *Server) allow(r *http.Request) error {
	name := (&url.URL{Host: r.Host}).Hostname()
	if !s.knows(name) {
		return &controlError{http.StatusForbidden, fmt.Errorf("host name %q: name it with --inbox-host to use the control API under it", name)}
	}
	origin := r.Header.Get("Origin")
	if u, err := url.Parse(origin); origin != "" && (err != nil || u.Host != r.Host) {
		return &controlError{http.StatusForbidden, errors.New("the control API is not for pages of other origins")}
	}
	return nil
}

func (s *Server) knows(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true // an address is nobody's name
	}
	return request.LoopbackName(name) || slices.ContainsFunc(s.opts.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// describe is what tells a test server from others.
func (s *Server) describe() any {
	return map[string]any{"test": true, "clock": s.clockState()}
}

func (s *Server) clockState() any {
	return map[string]any{"now": s.Clock.Now().UTC().Format(time.RFC3339Nano), "stopped": s.Clock.Stopped()}
}

func (s *Server) postReset(r *http.Request) (any, error) {
	return struct{}{}, s.Reset(r.Context())
}

// postSeed makes a fresh server with the document, or with ?add=true adds to
// the one that runs.
func (s *Server) postSeed(r *http.Request) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, badRequest(fmt.Errorf("read the body: %w", err))
	}
	doc, err := seed.Parse(raw)
	if err != nil {
		return nil, badRequest(err)
	}
	change := s.Seed
	if r.URL.Query().Get("add") == "true" {
		change = s.Add
	}
	ids, err := change(r.Context(), doc)
	if err != nil {
		return nil, badRequest(err)
	}
	return ids, nil
}

// clockRequest is a body of POST /dev/clock: reset, stop, set, advance and start are
// carried out in this order.
type clockRequest struct {
	Set     string `yaml:"set"`     // a time, RFC 3339
	Advance string `yaml:"advance"` // a duration such as 12h
	Stop    bool   `yaml:"stop"`
	Start   bool   `yaml:"start"`
	Reset   bool   `yaml:"reset"` // to the machine's time
}

func (s *Server) postClock(r *http.Request) (any, error) {
	var q clockRequest
	if err := decodeBody(r, &q); err != nil {
		return nil, err
	}
	var at time.Time
	var by time.Duration
	var err error
	if q.Set != "" {
		if at, err = time.Parse(time.RFC3339, q.Set); err != nil {
			return nil, badRequest(fmt.Errorf("set: %w", err))
		}
	}
	if q.Advance != "" {
		if by, err = time.ParseDuration(q.Advance); err != nil {
			return nil, badRequest(fmt.Errorf("advance: %w", err))
		}
	}
	if q.Reset {
		s.Clock.Reset()
	}
	if q.Stop {
		s.Clock.Stop()
	}
	if q.Set != "" {
		s.Clock.Set(at)
	}
	s.Clock.Advance(by)
	if q.Start {
		s.Clock.Start()
	}
	return s.clockState(), nil
}

func (s *Server) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := decodeBody(r, &f); err != nil {
		return nil, err
	}
	if err := s.AddFault(f); err != nil {
		return nil, badRequest(err)
	}
	return struct{}{}, nil
}

// AddFault asks for a fault. The error says what is wrong with it.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.faults.add(f)
	return nil
}

// Requests returns the latest requests, oldest first, without their secrets.
func (s *Server) Requests() []Request { return s.requests.all() }

// deliverTime bounds a wait for mails.
const deliverTime = 10 * time.Second

func (s *Server) postDeliver(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), deliverTime)
	defer cancel()
	waiting, err := s.Deliver(ctx)
	return map[string]int{"waiting": waiting}, err
}

func (s *Server) postDo(r *http.Request) (any, error) {
	var q struct {
		Words []string `yaml:"words"`
	}
	if err := decodeBody(r, &q); err != nil {
		return nil, err
	}
	answer, err := s.Do(r.Context(), q.Words)
	if err != nil {
		return nil, badRequest(err)
	}
	return answer, nil
}

// decodeBody reads a body in JSON or YAML. Unknown names are faults.
func decodeBody(r *http.Request, to any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Header.Get("Content-Type") != "" &&
		(err != nil || kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data") {
		return &controlError{http.StatusUnsupportedMediaType, errors.New("want a body in JSON or YAML, and its content type")}
	}
	d := yaml.NewDecoder(r.Body)
	d.KnownFields(true)
	if err := d.Decode(to); err != nil && !errors.Is(err, io.EOF) {
		return badRequest(fmt.Errorf("read the body: %w", err))
	}
	return nil
}

// Loopback reports whether a listen address is of this machine alone.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && request.LoopbackName(host)
}
