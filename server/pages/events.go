package pages

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/server/request"
)

// The bounds of live updates: each holds one of the places that requests have.
// A browser opens its stream again by itself.
const (
	maxStreams = 16
	streamLife = 30 * time.Second
)

// events tells a browser of each mail that comes, by server-sent events. It is
// the one answer that is sent in pieces.
func (p *Pages) events() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.SetRoute(r)
		v := p.newPageRequest(r)
		if err := p.mayStream(w, r); err != nil {
			v.problem(err).write(w)
			return
		}
		select {
		case p.streams <- struct{}{}:
			defer func() { <-p.streams }()
			p.stream(w, r)
		default:
			v.problem(errcodes.New(errcodes.Unavailable)).write(w)
		}
	})
}

func (p *Pages) mayStream(w http.ResponseWriter, r *http.Request) error {
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		return &errcodes.Error{Code: errcodes.WrongMethod, Status: http.StatusMethodNotAllowed}
	case !p.inboxOpen(r) || p.foreign(r):
		return errcodes.New(errcodes.Forbidden)
	default:
		return nil
	}
}

// stream ends with the client, with the server, and after a while.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), streamLife)
	defer cancel()
	defer context.AfterFunc(p.Stopping, cancel)()
	next := p.Inbox.Watch(ctx)
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // it takes longer than other answers; its own life bounds it
	w.Header().Set("Content-Type", "text/event-stream;charset=utf-8")
	for message := "retry: 500\n\n"; ; message = "event: mail\ndata: {}\n\n" {
		if _, err := io.WriteString(w, message); err != nil || control.Flush() != nil || !next() {
			return
		}
	}
}
