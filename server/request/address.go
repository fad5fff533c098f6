package request

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/reseed-project/reseed/xmlresp"
)

// Address is a request's path, read by contract 1.1.
type Address struct {
	Shown      string // as it came, without path parameters: what errors show
	Service    string // behind the prefix, without parameters and extension, escaped
	Format     xmlresp.Format
	Sessions   []string // of ;jsessionid=
	Acceptable bool     // Accept names a format that there is, or the path does
	Valid      bool     // escapes decode to UTF-8 without control characters
}

// AddressOf returns a request's address, the zero Address if it wasn't read yet.
func AddressOf(ctx context.Context) Address { return RecordOf(ctx).address }

// SetAddress reads the address of the request that is being answered.
func SetAddress(r *http.Request, prefix string) {
	RecordOf(r.Context()).address = ReadAddress(r, prefix)
}

// ReadAddress takes a request's path apart. An extension picks the format, else the
// Accept header, else it is XML.
func ReadAddress(r *http.Request, prefix string) Address {
	path, sessions := stripParameters(r.URL.EscapedPath())
	a := Address{Shown: path, Sessions: sessions}
	a.Format, a.Acceptable = accepted(r.Header)
	decoded, err := url.PathUnescape(path)
	a.Valid = err == nil && utf8.ValidString(decoded) && !HasControls(decoded)
	if rest, ok := strings.CutSuffix(path, ".xml"); ok {
		path, a.Format, a.Acceptable = rest, xmlresp.XML, true
	} else if rest, ok := strings.CutSuffix(path, ".json"); ok {
		path, a.Format, a.Acceptable = rest, xmlresp.JSON, true
	}
	a.Service = stripPrefix(path, prefix)
	return a
}

// stripPrefix returns the service's path behind {prefix}/service or
// {prefix}/api, or the path itself: services answer bare, too.
func stripPrefix(path, prefix string) string {
	behind, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return path
	}
	for _, p := range []string{"/service", "/api"} {
		if rest, ok := strings.CutPrefix(behind, p); ok && strings.HasPrefix(rest, "/") {
			return rest
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
		name, parameters, _ := strings.Cut(segment, ";")
		segments[i] = name
		for p := range strings.SplitSeq(parameters, ";") {
			if id, ok := strings.CutPrefix(p, "jsessionid="); ok {
				sessions = append(sessions, id)
			}
		}
	}
	return strings.Join(segments, "/"), sessions
}
