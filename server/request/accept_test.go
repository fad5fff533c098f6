package request

import (
	"net/http"
	"testing"

	"github.com/reseed-project/reseed/xmlresp"
)

// A q of 0 and a lower q count (contract 1.1); what names neither format, nor
// all, is not acceptable (contract 1.2).
func TestAccept(t *testing.T) {
	for header, want := range map[string]string{
		"": "xml", "*/*": "xml", "*": "xml", "application/*": "xml", "application/xml": "xml", "text/xml": "xml",
		"application/json": "json", "Application/JSON ;charset=utf-8": "json",
		"application/json, application/xml": "json", "application/xml, application/json": "xml",
		"application/json;q=0.5, application/xml": "xml", "application/xml;q=0.5, application/json;q=0.6": "json",
		"application/json, */*": "json", "*/*, application/json": "json", "application/json;q=0.1, */*": "xml",
		"application/json;q=0": "", "application/json;q=0, */*": "xml", "application/xml;q=0, */*": "json",
		"application/xml;q=0, text/xml;q=0": "", "application/xml;q=0, text/xml": "xml", "text/html": "", "*/*;q=0": "",
		"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2": "xml",
		"application/json;q=x":                                 "", "application/json;q=2, text/xml": "xml", ",": "",
	} {
		got, ok := accepted(http.Header{"Accept": {header}})
		name := map[xmlresp.Format]string{xmlresp.XML: "xml", xmlresp.JSON: "json"}[got]
		if !ok {
			name = ""
		}
		if name != want {
			t.Errorf("%q: %q, want %q", header, name, want)
		}
	}
}
