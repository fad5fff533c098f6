package pages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/server/request"
	"github.com/reseed-project/reseed/templates"
)

// The page that says "busy" is made once a language, and for any number of
// languages it takes a bounded space.
func TestBusyPageIsMadeOnce(t *testing.T) {
	looks, err := templates.NewLibrary(nil, templates.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Config{Looks: looks, HostURL: "https://example.org/ps"}, "/ps", 100)
	busy := func(language string, code errcodes.Code) *reply {
		r := httptest.NewRequest(http.MethodGet, "/ps/email/resetpassword", nil)
		r.Header.Set("Accept-Language", language)
		return p.newPageRequest(request.WithRecord(r, &request.Record{})).problem(errcodes.New(code))
	}
	first, again := busy("de", errcodes.Unavailable), busy("de", errcodes.Unavailable)
	if &first.body[0] != &again.body[0] || again.status != 503 || again.header.Get("Content-Security-Policy") != pagePolicy {
		t.Errorf("made again, or differently: %d %v", again.status, again.header)
	}
	if english := busy("en", errcodes.Unavailable); string(english.body) == string(first.body) {
		t.Error("one page for two languages")
	}
	if limited := busy("de", errcodes.TooManyRequests); limited.status != 429 {
		t.Errorf("status %d", limited.status)
	}
	for i := range 1000 {
		busy(fmt.Sprintf("de-x%04d", i), errcodes.Unavailable)
	}
	if n := len(p.problems.made); n < 2 || n > mostProblemPages {
		t.Errorf("%d pages kept", n)
	}
	if bad := busy("de", errcodes.MalformedRequest); bad.status != 400 || string(bad.body) == string(first.body) {
		t.Errorf("another problem: %d", bad.status)
	}
}
