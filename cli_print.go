package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// row prints cells separated by tabs.
func row(w io.Writer, cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// fields prints names and values, a pair a line, without the empty ones.
func fields(w io.Writer, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			row(w, pairs[i], pairs[i+1])
		}
	}
}

// printable keeps stored text from breaking the table or steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// date returns a time as ISO 8601 in UTC, "" where it is unknown.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
