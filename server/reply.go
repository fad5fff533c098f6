package server

import (
	"net/http"

	"github.com/reseed-project/reseed/xmlresp"
)

// docReply is an answer with more to say than its document: headers, a status
// other than 200, or JSON whatever the address asks for.
type docReply struct {
	xmlresp.Document
	header http.Header
	status int // 0: 200
	json   bool
}

// unwrap takes a docReply apart, and sets its headers.
func unwrap(doc xmlresp.Document, h http.Header, format xmlresp.Format) (xmlresp.Document, int, xmlresp.Format) {
	r, ok := doc.(docReply)
	if !ok {
		return doc, http.StatusOK, format
	}
	for name, values := range r.header {
		h[name] = values
	}
	if r.json {
		format = xmlresp.JSON
	}
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.Document, r.status, format
}
