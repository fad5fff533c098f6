package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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

// date returns a time as ISO 8601 in UTC, "" if it is unknown.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// listPage is how many rows are read at once.
const listPage = 500

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

// table prints rows under titles: separated by tabs for scripts, with the titles
// on standard error; aligned on a terminal; or a JSON object a line.
type table struct {
	std     *Console
	titles  []string
	json    bool
	aligned *tabwriter.Writer // nil unless on a terminal
}

func newTable(std *Console, asJSON bool, titles ...string) *table {
	t := &table{std: std, titles: titles, json: asJSON}
	switch {
	case asJSON:
	case onTerminal(std.Out):
		t.aligned = tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		row(t.aligned, titles...)
	default:
		row(std.Err, titles...)
	}
	return t
}

func (t *table) row(cells ...string) {
	switch {
	case t.json:
		printObject(t.std.Out, t.titles, cells)
	case t.aligned != nil:
		row(t.aligned, cells...)
	default:
		row(t.std.Out, cells...)
	}
}

// end prints what was aligned.
func (t *table) end() {
	if t.aligned != nil {
		_ = t.aligned.Flush() // the output remembers what could not be written
	}
}

func onTerminal(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	_, ok := terminal(w)
	return ok
}

// printObject prints names and values as a JSON object on one line, in order and
// without the empty ones.
func printObject(w io.Writer, names, values []string) {
	var b strings.Builder
	for i, name := range names {
		if values[i] == "" {
			continue
		}
		key, errKey := json.Marshal(name)
		value, errValue := json.Marshal(values[i])
		if errKey != nil || errValue != nil { // strings always can be
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	fmt.Fprintf(w, "{%s}\n", b.String())
}

// show prints names and values, a pair a line or as a JSON object.
func show(w io.Writer, asJSON bool, pairs ...string) {
	if !asJSON {
		fields(w, pairs...)
		return
	}
	var names, values []string
	for i := 0; i+1 < len(pairs); i += 2 {
		names, values = append(names, pairs[i]), append(values, pairs[i+1])
	}
	printObject(w, names, values)
}
