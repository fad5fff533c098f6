package request

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/xmlresp"
)

// accepted reads the Accept header (RFC 9110, 12.5.1): JSON only if it is asked
// for by name and XML is not preferred to it. It is not ok if neither is wanted,
// nor anything by a wildcard.
func accepted(h http.Header) (f xmlresp.Format, ok bool) {
	given := strings.Join(h.Values("Accept"), ",")
	if strings.TrimSpace(given) == "" {
		return xmlresp.XML, true
	}
	xml, json, anything := preference{}, preference{}, preference{}
	for i, part := range strings.Split(given, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		p := preference{named: true, place: i, weight: weight(parameters)}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "application/json":
			json = json.or(p)
		case "application/xml", "text/xml":
			xml = xml.or(p)
		case "*/*", "*", "application/*":
			anything = anything.or(p)
		}
	}
	if !xml.named {
		xml = preference{weight: anything.weight, place: anything.place}
	}
	if !json.named {
		json = preference{weight: anything.weight, place: anything.place + 1}
	}
	if json.before(xml) {
		return xmlresp.JSON, true
	}
	return xmlresp.XML, xml.weight > 0
}

// preference is how much a format is wanted.
type preference struct {
	named  bool
	weight float64 // 0 to 1
	place  int     // in the header
}

// or returns the greater of two preferences for one format.
func (p preference) or(q preference) preference {
	if p.named && p.weight >= q.weight {
		return p
	}
	return q
}

// before reports whether p comes before q: by weight, then by name before
// wildcard, then by place.
func (p preference) before(q preference) bool {
	switch {
	case p.weight != q.weight:
		return p.weight > q.weight
	case p.named != q.named:
		return p.named && p.weight > 0
	default:
		return p.place < q.place && p.weight > 0
	}
}

// weight returns the q of a media range, 1 if there is none. One that can't be
// read is 0: it is not wanted.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// ByBrowser reports whether a browser asks for a page of its own.
func ByBrowser(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(r.Header.Get("Sec-Fetch-Dest") == "document" || strings.Contains(r.Header.Get("Accept"), "application/xhtml+xml"))
}
