// Package xmlresp holds the answers of the PageSeeder services as values, and
// the one encoder that turns them into the contract's bytes.
//
// XML documents are built and written by etree; what it does otherwise than the
// contract is one step in xml.go. JSON is written beside it, since there the
// attributes keep their types.
package xmlresp

import "strings"

// Format is how an answer is encoded.
type Format int

// The formats of contract 1.1.
const (
	XML Format = iota
	JSON
)

// ContentType returns the header's value (contract 1.2).
func (f Format) ContentType() string {
	if f == JSON {
		return "application/json;charset=utf-8"
	}
	return "application/xml;charset=utf-8"
}

// Document is an answer.
type Document interface {
	element() element
}

// Encode returns the bytes of an answer: well-formed in either format whatever
// its values hold.
func Encode(f Format, d Document) []byte {
	if c, ok := d.(*constant); ok {
		return c.encoded[f]
	}
	if f == XML {
		return encodeXML(d.element())
	}
	var b strings.Builder
	d.element().json(&b)
	return []byte(b.String())
}

// constant is an answer that is always the same.
type constant struct {
	Document
	encoded map[Format][]byte
}

// Constant returns the document encoded once and for all. Its bytes are shared:
// who writes them must not change them.
func Constant(d Document) Document {
	return &constant{d, map[Format][]byte{XML: Encode(XML, d), JSON: Encode(JSON, d)}}
}
