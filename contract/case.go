// Package contract reads contract cases, plays them against a server and
// reports where its answers differ. A case is one text file; the format is
// described in testdata/contract/README.md.
package contract

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Case is one file: requests to a fresh server, and what they must be answered with.
type Case struct {
	Name     string // path below the cases' folder, without .txt
	Title    string // what it shows, in plain words
	Sections []*Section
}

// Section is what stands between two divider lines.
type Section struct {
	Kind string // request, response, mail, no mail, wait, do, state, config
	Arg  string
	Text string // without the newline before the next divider
}

// Header is one header line of a request or a response.
type Header struct{ Name, Value string }

// ReadCases returns all cases below the root of fsys, by name. What lies under
// states or templates is not a case.
func ReadCases(fsys fs.FS) ([]*Case, error) {
	var cases []*Case
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "templates" && path.Dir(file) == "." || d.Name() == "states") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(file) != ".txt" {
			return nil
		}
		raw, err := fs.ReadFile(fsys, file)
		if err != nil {
			return err
		}
		c, err := ParseCase(strings.TrimSuffix(file, ".txt"), raw)
		cases = append(cases, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read contract cases: %w", err)
	}
	if len(cases) == 0 {
		return nil, errors.New("read contract cases: there are none")
	}
	slices.SortFunc(cases, func(a, b *Case) int { return cmp.Compare(a.Name, b.Name) })
	return cases, nil
}

// kinds are the sections that a case may have.
var kinds = []string{"request", "response", "mail", "no mail", "wait", "do", "state", "config"}

// ParseCase reads the text of a case.
func ParseCase(name string, raw []byte) (*Case, error) {
	parts := strings.Split("\n"+strings.TrimSuffix(string(raw), "\n"), "\n--- ")
	c := &Case{Name: name, Title: strings.TrimSpace(parts[0])}
	if c.Title == "" || len(parts) < 2 {
		return nil, fmt.Errorf("case %s: want a title and sections", name)
	}
	for _, part := range parts[1:] {
		s := parseSection(part)
		if !slices.Contains(kinds, s.Kind) {
			return nil, fmt.Errorf("case %s: there is no section %q; want one of %s", name, s.Kind, strings.Join(kinds, ", "))
		}
		c.Sections = append(c.Sections, s)
	}
	return c, nil
}

func parseSection(part string) *Section {
	head, text, _ := strings.Cut(part, "\n")
	if head == "no mail" {
		return &Section{Kind: head}
	}
	kind, arg, _ := strings.Cut(head, " ")
	return &Section{Kind: kind, Arg: arg, Text: text}
}

// Bytes returns the case as the text of a file.
func (c *Case) Bytes() []byte {
	var b strings.Builder
	b.WriteString(c.Title + "\n")
	for _, s := range c.Sections {
		b.WriteString(strings.TrimRight("--- "+s.Kind+" "+s.Arg, " ") + "\n")
		if s.Text != "" {
			b.WriteString(s.Text + "\n")
		}
	}
	return []byte(b.String())
}

// State returns the name of the case's state, basic unless it says another.
func (c *Case) State() string {
	if s := c.first("state"); s != nil {
		return s.Arg
	}
	return "basic"
}

// Config returns the case's settings as the lines of a TOML file.
func (c *Case) Config() string {
	if s := c.first("config"); s != nil {
		return s.Text
	}
	return ""
}

// AddResponses puts an empty response after each request that has none, for a
// recording to fill in.
func (c *Case) AddResponses() {
	var sections []*Section
	for i, s := range c.Sections {
		sections = append(sections, s)
		if s.Kind == "request" && (i+1 == len(c.Sections) || c.Sections[i+1].Kind != "response") {
			sections = append(sections, &Section{Kind: "response", Text: "200\nContent-Type:"})
		}
	}
	c.Sections = sections
}

func (c *Case) first(kind string) *Section {
	for _, s := range c.Sections {
		if s.Kind == kind {
			return s
		}
	}
	return nil
}

// Message takes a request's or a response's text apart.
func (s *Section) Message() (first string, headers []Header, body string) {
	head, body, _ := strings.Cut(s.Text+"\n", "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, Header{name, strings.TrimSpace(value)})
	}
	return lines[0], headers, strings.TrimSuffix(body, "\n")
}

// formatResponse writes an answer the way Message reads it, with the headers
// that the expected one names.
func formatResponse(status int, expected []Header, got http.Header, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", status)
	for _, h := range expected {
		value := got.Get(h.Name)
		if h.Value == "*" && value != "" {
			value = "*"
		}
		b.WriteString(strings.TrimRight(h.Name+": "+value, " ") + "\n")
	}
	if body != "" {
		b.WriteString("\n" + body)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
