package server

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// compressFrom is the size from which an answer gains by compression, in
// bytes: a smaller one fits into a packet as it is.
const compressFrom = 1024

// compress returns the body as it goes out, and sets the headers that say how.
// Compression gives nothing away: no answer holds a secret beside text of
// whoever sent the request.
func compress(r *http.Request, h http.Header, body []byte) []byte {
	if len(body) < compressFrom {
		return body
	}
	h.Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Values("Accept-Encoding")) {
		return body
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	if b.Len() >= len(body) {
		return body
	}
	h.Set("Content-Encoding", "gzip")
	return b.Bytes()
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip by name, else by
// the star, each unless its weight is 0.
func acceptsGzip(values []string) bool {
	star := false
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return positive(params)
		case "*":
			star = positive(params)
		}
	}
	return star
}

// positive reports whether a weight is more than 0; it is 1 if none is given.
func positive(params string) bool {
	value, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
	if !ok {
		return true
	}
	q, err := strconv.ParseFloat(value, 64)
	return err == nil && q > 0 && q <= 1
}
