package server

import (
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/members"
)

// fakeMembers answers as its fields say.
type fakeMembers struct {
	reset  func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error)
	signIn func(name, password string) (members.Member, error)
}

func (f *fakeMembers) Reset(ctx context.Context, c members.Caller, r members.ResetRequest) (members.Outcome, error) {
	return f.reset(ctx, c, r)
}

func (f *fakeMembers) SignIn(_ context.Context, name, password string) (members.Member, error) {
	return f.signIn(name, password)
}

func succeed(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
	return members.Requested, nil
}

// logBuffer collects log lines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTestServer(f *fakeMembers, limits Limits) (http.Handler, *logBuffer) {
	logged := &logBuffer{}
	return New(Config{
		Members: f, Sessions: noSessions{}, SitePrefix: "/ps", Limits: limits, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(logged, nil)),
	}), logged
}

func send(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const resetPath = "/ps/api/members/resetpassword"

// Faults of any kind give F001 and an id that is in the log; their causes stay
// there, and of a panic not even its value, which may quote input (WEB-14, LOG-5).
func TestFaultsStayInside(t *testing.T) {
	tests := []struct {
		name  string
		reset func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error)
		log   string // part of it
	}{
		{"error", func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
			return 0, errors.New("sql: connection refused")
		}, "connection refused"},
		{"panic", func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
			panic("canary-secret")
		}, "panic of type string at " + reflect.TypeFor[server]().PkgPath() + "."},
		{"nil dereference", func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
			var m *members.Member
			return members.Outcome(m.ID), nil
		}, "panic of type runtime."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, logged := newTestServer(&fakeMembers{reset: tt.reset}, Limits{})
			w := send(h, http.MethodPost, resetPath, "email=canary@example.org")
			want := "<error id=\"F001\">\n  <request>" + resetPath + "</request>\n  <message>Internal error</message>\n</error>"
			if w.Code != 500 || w.Body.String() != want {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			line := logged.String()
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, tt.log) ||
				!strings.Contains(line, "id="+w.Header().Get("X-Request-Id")) {
				t.Errorf("log: %s", line)
			}
			if strings.Contains(line, "canary") {
				t.Errorf("the log quotes input: %s", line)
			}
			if w := send(h, http.MethodGet, resetPath, ""); w.Code != 400 {
				t.Errorf("the next request got %d", w.Code)
			}
		})
	}
}

// What is in the query, in the path and in the credentials reaches no log, and
// nothing a client sends starts a line of its own (LOG-2, LOG-3).
func TestLogHoldsNothingOfTheClients(t *testing.T) {
	f := &fakeMembers{reset: succeed, signIn: func(string, string) (members.Member, error) {
		return members.Member{}, errcodes.BadCredentials(errors.New("sign-in refused"))
	}}
	h, logged := newTestServer(f, Limits{})
	send(h, http.MethodPost, resetPath+"?token=canary&email=canary%0A@example.org", "member-password=canary")
	send(h, http.MethodPost, "/ps/api/groups/canary%0Atime=x/members/resetpassword", "")
	send(h, http.MethodPost, "/canary/%0D%0A", "")
	send(h, http.MethodPost, resetPath, "", "Authorization", "Basic Y2FuYXJ5OmNhbmFyeQ==", "User-Agent", "canary", "X-Request-Id", "canary")
	if got := logged.String(); strings.Contains(got, "canary") || strings.Count(got, "\n") != 4 {
		t.Errorf("log:\n%s", got)
	}
}

// A body that ends too early, or doesn't end within the limit, never acts.
func TestBrokenBodiesDoNotAct(t *testing.T) {
	acted := false
	h, _ := newTestServer(&fakeMembers{reset: func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
		acted = true
		return members.Requested, nil
	}}, Limits{Body: 100})
	tests := []struct {
		name string
		body io.Reader
		code string
	}{
		{"truncated", io.MultiReader(strings.NewReader("email=ann@example.org"), brokenReader{}), "F006"},
		{"endless", io.MultiReader(strings.NewReader("email=ann@example.org&x="), endlessReader{}), "F005"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, resetPath, tt.body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), `id="`+tt.code+`"`) || acted {
				t.Errorf("got %s, acted: %v", w.Body, acted)
			}
		})
	}
}

// A body that names no length is counted as it comes: one byte over the limit
// is F005 and ends the connection, and the limit itself is served (contract 1.2).
func TestChunkedBodiesAreBounded(t *testing.T) {
	const limit = 100
	var acted atomic.Int32
	h, _ := newTestServer(&fakeMembers{reset: func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
		acted.Add(1)
		return members.Requested, nil
	}}, Limits{Body: limit})
	srv := httptest.NewServer(h)
	defer srv.Close()
	for _, c := range []struct {
		bytes, status int
		body          string
		acted         int32
	}{
		{limit, 200, `"request-successful"`, 1},
		{limit + 1, 413, `id="F005"`, 1},
		{limit * 1000, 413, `id="F005"`, 1},
	} {
		form := "email=ann@example.org&x="
		body := form + strings.Repeat("x", c.bytes-len(form))
		status, answer := postChunked(t, srv, body)
		if status != c.status || !strings.Contains(answer, c.body) || acted.Load() != c.acted {
			t.Errorf("%d bytes: got %d %s, acted %d times", c.bytes, status, answer, acted.Load())
		}
	}
}

// postChunked sends a body without its length. The answer must end the connection.
func postChunked(t *testing.T, srv *httptest.Server, body string) (int, string) {
	t.Helper()
	unsized := struct{ io.Reader }{strings.NewReader(body)} // of a type that the client does not know
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+resetPath, unsized)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !resp.Close {
		t.Errorf("%d bytes: kept open: %v, %v", len(body), !resp.Close, err)
	}
	return resp.StatusCode, string(answer)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// Beyond the bound of requests at once, the answer is F004 at once (LOD-1);
// those who are slow to send hold no place.
func TestPlacesAreBounded(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	h, _ := newTestServer(&fakeMembers{reset: func(context.Context, members.Caller, members.ResetRequest) (members.Outcome, error) {
		entered <- struct{}{}
		<-leave
		return members.Requested, nil
	}}, Limits{InFlight: 2})

	slow, slowEnd := io.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		r := httptest.NewRequest(http.MethodPost, resetPath, slow)
		h.ServeHTTP(httptest.NewRecorder(), r)
	})
	_, _ = slowEnd.Write([]byte("x")) // being read: it holds no place, and two others fit
	for range 2 {
		wg.Go(func() { send(h, http.MethodPost, resetPath, "email=ann@example.org") })
		<-entered
	}
	w := send(h, http.MethodPost, resetPath+".json", "email=ann@example.org")
	want := `{"id":"F004","request":"` + resetPath + `.json","message":"Service unavailable, please try again"}`
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Body.String() != want {
		t.Errorf("got %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	close(leave)
	_ = slowEnd.CloseWithError(io.ErrUnexpectedEOF)
	wg.Wait()
}

// Every answer has the headers that keep it out of caches and frames (WEB-1 to WEB-4).
func TestHeadersOfEveryAnswer(t *testing.T) {
	h, _ := newTestServer(&fakeMembers{reset: succeed}, Limits{Body: 10})
	for _, w := range []*httptest.ResponseRecorder{
		send(h, http.MethodPost, resetPath, ""),
		send(h, http.MethodGet, resetPath, ""),
		send(h, http.MethodPost, "/nothing/here", ""),
		send(h, http.MethodPost, resetPath, "email=ann@example.org"),
		send(h, http.MethodPost, resetPath+"?%zz", ""),
		send(h, http.MethodOptions, "/ps/api/members/resetpassword.json", ""),
	} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%d %s: %s: %q", w.Code, w.Body, name, got)
			}
		}
		if kind := w.Header().Get("Content-Type"); !strings.HasSuffix(kind, ";charset=utf-8") || len(w.Header().Get("X-Request-Id")) != 16 {
			t.Errorf("%d: Content-Type %q, X-Request-Id %q", w.Code, kind, w.Header().Get("X-Request-Id"))
		}
	}
}

// Whatever a form holds, the answer is one of the contract's, and no fault (PAR-5).
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"email=ann@example.org", "email=%00", "email=a;b", "%zz", "email=a&email=b", "&&&=&", "token=%ED%A0%80&member-password=x",
		"email[]=a&notify-async=true", "\xff\xfe", "member-password=%00", strings.Repeat("a=b&", 300),
	} {
		f.Add(seed, "application/x-www-form-urlencoded", "")
	}
	f.Add("email=a", "multipart/form-data; boundary=x", "email=b&%")
	allowed := map[int]bool{200: true, 400: true, 401: true, 404: true, 413: true}
	h, _ := newTestServer(&fakeMembers{reset: func(_ context.Context, _ members.Caller, r members.ResetRequest) (members.Outcome, error) {
		for _, v := range []string{r.Email, r.Username, r.Token} {
			if strings.ContainsAny(v, "\x00\r\n\u0085") || strings.ToValidUTF8(v, "") != v {
				panic("a control character came through")
			}
		}
		return members.Requested, nil
	}}, Limits{})
	f.Fuzz(func(t *testing.T, body, contentType, query string) {
		r := httptest.NewRequest(http.MethodPost, "/members/resetpassword", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header["Content-Type"] = []string{contentType}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !allowed[w.Code] {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

// Whatever a path holds, it is answered, and shown without parameters.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/ps/api/members/resetpassword.xml", "//x", "/a;jsessionid=canary", "/groups/%00/members/resetpassword", "/%2e%2e/", "/ps/service/;x", "/groups/~a%2Fb/members/resetpassword"} {
		f.Add(seed)
	}
	h, _ := newTestServer(&fakeMembers{reset: succeed}, Limits{})
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		u, err := r.URL.Parse("http://localhost/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return // net/http would not hand it on
		}
		r.URL = u
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
			t.Errorf("status %d", w.Code)
		}
		_, shown, _ := strings.Cut(w.Body.String(), "<request>")
		shown, _, _ = strings.Cut(shown, "</request>")
		if strings.Contains(html.UnescapeString(shown), ";") {
			t.Errorf("a parameter shows: %s", w.Body)
		}
	})
}
