package contract

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
)

// equalContent reports whether two answers have the same status, the same
// headers and bodies that say the same: XML without regard to white space and
// the order of attributes, JSON without regard to the order of members.
func equalContent(want, got *Section) bool {
	wantStatus, wantHeaders, wantBody := want.Message()
	gotStatus, gotHeaders, gotBody := got.Message()
	if wantStatus != gotStatus || len(wantHeaders) != len(gotHeaders) {
		return false
	}
	for i, h := range wantHeaders {
		if looseHeader(h) != looseHeader(gotHeaders[i]) {
			return false
		}
	}
	return wantBody == gotBody || equalJSON(wantBody, gotBody) || equalXML(wantBody, gotBody)
}

// looseHeader drops what may differ in spelling: case and spaces around parameters.
func looseHeader(h Header) Header {
	if strings.EqualFold(h.Name, "Content-Type") {
		return Header{"content-type", strings.ToLower(strings.ReplaceAll(h.Value, " ", ""))}
	}
	return h
}

func equalJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func equalXML(a, b string) bool {
	x, okX := xmlTokens(a)
	y, okY := xmlTokens(b)
	return okX && okY && reflect.DeepEqual(x, y)
}

// xmlTokens returns the elements and texts of a document.
func xmlTokens(s string) ([]any, bool) {
	var tokens []any
	for d := xml.NewDecoder(strings.NewReader(s)); ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return tokens, len(tokens) > 0
		}
		if err != nil {
			return nil, false
		}
		switch t := t.(type) {
		case xml.StartElement:
			slices.SortFunc(t.Attr, func(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) })
			tokens = append(tokens, xml.CopyToken(t))
		case xml.EndElement:
			tokens = append(tokens, t)
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				tokens = append(tokens, text)
			}
		}
	}
}
