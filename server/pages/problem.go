package pages

import (
	"net/http"
	"sync"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/templates"
)

// WriteProblem answers a request that never got to its page.
func (p *Pages) WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p.newPageRequest(r).problem(err).write(w)
}

// problem is the page of an error.
func (v *pageRequest) problem(err error) *reply {
	e := errcodes.From(err)
	request.SetError(v.Context(), e)
	a, err := v.problemPage(e.HTTPStatus())
	if err != nil {
		a = newReply(http.StatusInternalServerError, "text/plain;charset=utf-8", []byte("Internal error"))
	}
	request.SetRetryAfter(a.header, e)
	return a
}

// problemPage makes the page, unless it is one that says "busy" and was made
// before: an overloaded server has better things to do.
func (v *pageRequest) problemPage(status int) (*reply, error) {
	kind := problemKind(status)
	if kind != "busy" || !v.group.Zero() {
		return v.renderProblem(status, kind)
	}
	key := problemKey{status, v.texts}
	if body, ok := v.pages.problems.find(key); ok {
		return newPage(status, body), nil
	}
	a, err := v.renderProblem(status, kind)
	if err == nil {
		v.pages.problems.keep(key, a.body)
	}
	return a, err
}

func (v *pageRequest) renderProblem(status int, kind string) (*reply, error) {
	return v.render(status, "problem", v.text(kind+"-title"), v.text(kind+"-text"))
}

func problemKind(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "not-found"
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return "busy"
	case status >= http.StatusInternalServerError:
		return "fault"
	default:
		return "bad"
	}
}

// problemKey is all that a page of no group in particular depends on.
type problemKey struct {
	status int
	texts  templates.Texts
}

// problemPages keeps pages that were made. Clients choose the languages, and
// so the number of pages is bounded: with one too many it begins anew.
type problemPages struct {
	mu   sync.Mutex
	made map[problemKey][]byte
}

const mostProblemPages = 64

func (p *problemPages) find(k problemKey) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, ok := p.made[k]
	return body, ok
}

func (p *problemPages) keep(k problemKey, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil || len(p.made) >= mostProblemPages {
		p.made = map[problemKey][]byte{}
	}
	p.made[k] = body
}
