package xmlresp

import (
	"strconv"

	"github.com/beevik/etree"
)

// element is an answer before its encoding. Values keep their type, since
// numbers and booleans are numbers and booleans in JSON (contract 1.2).
type element struct {
	name     string
	attrs    []attr
	text     string // of a leaf
	children []element
	lists    []string // in JSON, the arrays that are there even if nothing is in them
	list     string   // in JSON, the name of the array that holds this and its siblings; "": none
}

// attr is one attribute; value is a string, a bool or an int64.
type attr struct {
	name  string // "": in JSON alone
	value any
	json  string // the name in JSON if it is another one
}

func leaf(name, text string) element { return element{name: name, text: text} }

// tree adds e to a parent, with its content.
func (e element) tree(parent *etree.Element) {
	own := parent.CreateElement(e.name)
	for _, a := range e.attrs {
		if a.name != "" {
			own.CreateAttr(a.name, keepSpace(a.text()))
		}
	}
	if e.text != "" {
		own.SetText(keepSpace(e.text))
	}
	for _, c := range e.children {
		c.tree(own)
	}
}

func (a attr) text() string {
	switch v := a.value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		return v.(string)
	}
}
