package server

import (
	"net/http"
	"slices"
	"time"

	"github.com/reseed-project/reseed/server/request"
)

// Observation is a request that was answered, in words of which there are few,
// so that they can be labels of metrics.
type Observation struct {
	Method string // "other" for those that HTTP doesn't know
	Route  string // the route's pattern; "none" if there is none
	Status int    // 0: the connection was dropped
	Code   string // the error's code; "" for none
	Took   time.Duration
}

func (s *server) observe(n *request.Record, r *http.Request, took time.Duration) {
	if s.Observe == nil {
		return
	}
	o := Observation{Method: r.Method, Route: n.Route, Status: n.Status, Took: took}
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch}, o.Method) {
		o.Method = "other"
	}
	if o.Route == "" {
		o.Route = "none"
	}
	if n.Err != nil {
		o.Code = n.Err.Code.String()
	}
	s.Observe(o)
}
