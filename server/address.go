package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"reseed/xmlresp"
)

// address is a request's path, read by contract 1.1.
type address struct {
	shown    string // as it came, without path parameters: what errors show
	service  string // behind the prefix, without parameters and extension, escaped
	format   xmlresp.Format
	sessions []string // of ;jsessionid=
	valid    bool     // escapes decode to UTF-8 without control characters
}

type addressKey struct{}

func addressOf(ctx context.Context) address {
	a, _ := ctx.Value(addressKey{}).(address)
	return a
}

// address hands requests on with the service's own path, and keeps the rest of
// what the path said in the context.
func (s *server) address(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := readAddress(r, s.SitePrefix)
		r = r.WithContext(context.WithValue(r.Context(), addressKey{}, a))
		u := *r.URL
		u.RawPath = a.service
		if path, err := url.PathUnescape(a.service); err == nil {
			u.Path = path
		}
		r.URL = &u
		next.ServeHTTP(w, r)
	})
}

// readAddress takes a request's path apart. An extension picks the format, else the
// Accept header, else it is XML.
func readAddress(r *http.Request, prefix string) address {
	path, sessions := stripParameters(r.URL.EscapedPath())
	a := address{shown: path, sessions: sessions, format: accepted(r.Header)}
	decoded, err := url.PathUnescape(path)
	a.valid = err == nil && utf8.ValidString(decoded) && !hasControls(decoded)
	for suffix, format := range map[string]xmlresp.Format{".xml": xmlresp.XML, ".json": xmlresp.JSON} {
		if rest, ok := strings.CutSuffix(path, suffix); ok {
			path, a.format = rest, format
			break
		}
	}
	a.service = stripPrefix(path, prefix)
	return a
}

// stripPrefix returns the service's path behind {prefix}/service or
// {prefix}/api, or the path itself: services answer bare, too.
func stripPrefix(path, prefix string) string {
	for _, p := range []string{prefix + "/service/", prefix + "/api/"} {
		if rest, ok := strings.CutPrefix(path, p); ok {
			return "/" + rest
		}
	}
	return path
}

// stripParameters cuts the ;name=value parts off every segment, and returns
// the values of jsessionid among them.
func stripParameters(path string) (clean string, sessions []string) {
	if !strings.Contains(path, ";") {
		return path, nil
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, params, _ := strings.Cut(segment, ";")
		segments[i] = name
		for p := range strings.SplitSeq(params, ";") {
			if id, ok := strings.CutPrefix(p, "jsessionid="); ok {
				sessions = append(sessions, id)
			}
		}
	}
	return strings.Join(segments, "/"), sessions
}

// accepted reads the Accept header: JSON only where it is asked for and XML is
// not put before it.
func accepted(h http.Header) xmlresp.Format {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "application/json":
			return xmlresp.JSON
		case "application/xml", "text/xml":
			return xmlresp.XML
		}
	}
	return xmlresp.XML
}
