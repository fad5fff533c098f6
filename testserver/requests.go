package testserver

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// keptRequests is how many requests are remembered.
const keptRequests = 1000

// keptBody is how much of a body is remembered, in bytes, and readBody how much
// is read before the request is answered: a client that is answered while it
// still sends may see a broken connection instead.
const (
	keptBody = 64 << 10
	readBody = 4 << 20
)

// Request is a request that a test server received. Secrets are masked.
type Request struct {
	Time     time.Time         `json:"time"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Query    string            `json:"query,omitempty"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body,omitempty"`
	Status   int               `json:"status"` // of the answer; 0: the connection was cut
	Duration float64           `json:"milliseconds"`
}

// requestLog remembers the latest requests.
type requestLog struct {
	mu   sync.Mutex
	list []Request
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == keptRequests {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, r)
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Request{}, l.list...)
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// masked stands for a secret.
const masked = "***"

// secretNames are parameters, JSON members and headers that hold secrets.
var secretNames = []string{
	"token", "key", "password", "member-password", "current-password", "client_secret", "client_assertion",
	"access_token", "refresh_token", "refreshtoken", "recoverytoken", "recovery_token", "sessiontoken", "code",
	"forgotpasswordtoken", "authorization", "cookie", "newpassword", "jsessionid",
}

func secret(name string) bool {
	return slices.Contains(secretNames, strings.ToLower(name)) || strings.Contains(strings.ToLower(name), "password")
}

// newRequest describes a request and leaves its body to be read.
func newRequest(r *http.Request, at time.Time) Request {
	q := Request{Time: at.UTC(), Method: r.Method, Path: maskPath(r.URL.EscapedPath()), Query: maskForm(r.URL.RawQuery), Headers: map[string]string{"Host": r.Host}}
	for name, values := range r.Header {
		q.Headers[name] = strings.Join(values, ", ")
		if secret(name) {
			q.Headers[name] = masked
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, readBody))
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	if err == nil && len(body) <= keptBody {
		q.Body = maskBody(r.Header.Get("Content-Type"), body)
	}
	return q
}

// maskPath hides a session id in a path parameter.
func maskPath(path string) string {
	before, after, ok := strings.Cut(path, ";jsessionid=")
	if !ok {
		return path
	}
	if i := strings.IndexAny(after, ";/"); i >= 0 {
		return before + ";jsessionid=" + masked + after[i:]
	}
	return before + ";jsessionid=" + masked
}

// maskForm hides the values of secrets in a query or form, and leaves the rest as it came.
func maskForm(form string) string {
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if ok && (err != nil || secret(plain)) {
			pairs[i] = name + "=" + masked
		}
	}
	return strings.Join(pairs, "&")
}

// maskBody shows forms and JSON without their secrets; of another body, whose
// secrets can't be told, only that there was one.
func maskBody(contentType string, body []byte) string {
	kind, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return ""
	case kind == "application/x-www-form-urlencoded" || kind == "":
		return maskForm(string(body))
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		var v any
		if err := json.Unmarshal(body, &v); err == nil {
			if text, err := json.Marshal(maskJSON(v)); err == nil {
				return string(text)
			}
		}
	}
	return masked
}

func maskJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if secret(name) {
				v[name] = masked
			} else {
				v[name] = maskJSON(v[name])
			}
		}
	case []any:
		for i := range v {
			v[i] = maskJSON(v[i])
		}
	}
	return v
}
