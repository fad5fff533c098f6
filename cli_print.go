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

// eachOf calls work for up to limit rows, page by page; 0: all there are. fetch
// returns the next rows, at most so many.
func eachOf[T any](limit int, fetch func(most int) ([]T, error), work func(T) error) error {
	for seen := 0; limit == 0 || seen < limit; {
		most := listPage
		if limit > 0 {
			most = min(listPage, limit-seen)
		}
		page, err := fetch(most)
		if err != nil {
			return err
		}
		for _, v := range page {
			if err := work(v); err != nil {
				return err
			}
		}
		if len(page) < most {
			return nil
		}
		seen += len(page)
	}
	return nil
}
