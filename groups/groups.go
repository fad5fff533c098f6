// Package groups describes groups and the projects they belong to.
package groups

import (
	"cmp"
	"strings"
)

// Group is a group of members. Its full name nests projects with '-': the
// group acme-specs belongs to the project acme (contract 1.9).
type Group struct {
	ID          int64
	Name        string // full name, unique after folding A-Z
	Title       string
	Description string
	IsProject   bool // other groups belong to it
}

// Zero reports whether g is no group at all.
func (g Group) Zero() bool { return g.ID == 0 }

// Project returns the full name of the project the group belongs to, "" for a
// top-level one.
func (g Group) Project() string {
	i := strings.LastIndexByte(g.Name, '-')
	if i < 0 {
		return ""
	}
	return g.Name[:i]
}

// Owner returns the full name of the project that the group belongs to, its own
// for a top-level one (contract 1.10).
func (g Group) Owner() string { return cmp.Or(g.Project(), g.Name) }

// Chain returns the names whose templates serve the group, most specific
// first: its own, its project's, that project's parents'.
func (g Group) Chain() []string {
	var chain []string
	for name := g.Name; name != ""; name = (Group{Name: name}).Project() {
		chain = append(chain, name)
	}
	return chain
}
