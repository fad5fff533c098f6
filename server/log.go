package server

import (
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/reseed-project/reseed/server/request"
)

// log writes the request's line: no query, no body, no header of the client's.
// Of requests that were turned away not all have one.
func (s *server) log(n *request.Record, r *http.Request) {
	took := s.Now().Sub(n.Start)
	s.observe(n, r, took)
	if n.Rejected && n.Err != nil && !s.Refusals.count(n.Err) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", n.ID),
		slog.String("client", s.shown(n.Client)),
		slog.String("method", r.Method),
		slog.String("route", n.Route),
		slog.Int("status", n.Status),
		slog.Int("bytes", n.Bytes),
		slog.Duration("took", took),
	}
	level := slog.LevelInfo
	if n.Err != nil {
		attrs = append(attrs, slog.String("code", n.Err.Code.String()))
		if n.Err.Cause != nil {
			attrs = append(attrs, slog.String("cause", n.Err.Cause.Error()))
		}
		if n.Err.HTTPStatus() >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	s.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

func (s *server) shown(client netip.Addr) string {
	if s.Address == nil {
		return client.String()
	}
	return s.Address(client)
}
