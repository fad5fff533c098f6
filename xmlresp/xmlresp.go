// Package xmlresp holds the answers of the PageSeeder services as values, and
// the one encoder that turns them into the contract's bytes.
//
// The encoder is our own: attributes keep their types for JSON, and the
// documented bytes (one space before "/>", no declaration, no newline at the
// end) are the product.
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
	var b strings.Builder
	if f == JSON {
		d.element().json(&b)
	} else {
		d.element().xml(&b, 0)
	}
	return []byte(b.String())
}
