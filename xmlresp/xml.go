package xmlresp

import (
	"strings"

	"github.com/beevik/etree"
)

// encodeXML lets etree write the document, in the contract's layout: two spaces
// a level, no declaration, no newline at the end.
func encodeXML(e element) []byte {
	doc := etree.NewDocument()
	e.tree(&doc.Element)
	doc.IndentWithSettings(&etree.IndentSettings{Spaces: 2, PreserveLeafWhitespace: true})
	out, err := doc.WriteToString()
	if err != nil { // can't be: a string takes everything
		panic(err)
	}
	return []byte(documented.Replace(strings.TrimSuffix(out, "\n")))
}

// mark stands before a letter that stands for white space, in values on their
// way through etree.
const mark = "\uE000"

var marks = strings.NewReplacer(mark, mark+"0", "\t", mark+"t", "\n", mark+"n", "\r", mark+"r")

// keepSpace marks the white space of a value that a parser would fold.
func keepSpace(value string) string { return marks.Replace(value) }

// documented turns etree's bytes into the contract's: one space before "/>",
// apostrophes as they are, and references for the white space that was marked.
// None of the replaced strings can come from a value: etree escapes ">" and "&".
var documented = strings.NewReplacer(
	"/>", " />", "&apos;", "'",
	mark+"0", mark, mark+"t", "&#x9;", mark+"n", "&#xA;", mark+"r", "&#xD;",
)
