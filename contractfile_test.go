package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"reseed/members"
)

// contractCase is one file under testdata/contract; its README says what it holds.
type contractCase struct {
	file     string
	title    string
	sections []*section
}

// section is what stands between two divider lines.
type section struct {
	kind string // request, response, mail, no mail, wait, do, state, config
	arg  string
	text string // without the newline before the next divider
}

func readCase(t *testing.T, file string) *contractCase {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &contractCase{file: file}
	parts := strings.Split("\n"+strings.TrimSuffix(string(raw), "\n"), "\n--- ")
	c.title = strings.TrimSpace(parts[0])
	if c.title == "" || len(parts) < 2 {
		t.Fatalf("%s: want a title and sections", file)
	}
	for _, part := range parts[1:] {
		head, text, _ := strings.Cut(part, "\n")
		c.sections = append(c.sections, newSection(head, text))
	}
	return c
}

func newSection(head, text string) *section {
	if head == "no mail" {
		return &section{kind: head}
	}
	kind, arg, _ := strings.Cut(head, " ")
	return &section{kind: kind, arg: arg, text: text}
}

// bytes returns the case as a file.
func (c *contractCase) bytes() []byte {
	var b strings.Builder
	b.WriteString(c.title + "\n")
	for _, s := range c.sections {
		b.WriteString(strings.TrimRight("--- "+s.kind+" "+s.arg, " ") + "\n")
		if s.text != "" {
			b.WriteString(s.text + "\n")
		}
	}
	return []byte(b.String())
}

// state returns the name of the case's state.
func (c *contractCase) state() string {
	for _, s := range c.sections {
		if s.kind == "state" {
			return s.arg
		}
	}
	return "basic"
}

// config returns the case's configuration as the lines of a TOML file.
func (c *contractCase) config() string {
	for _, s := range c.sections {
		if s.kind == "config" {
			return s.text
		}
	}
	return ""
}

// message takes a request's or a response's text apart.
func (s *section) message() (first string, headers []header, body string) {
	head, body, _ := strings.Cut(s.text+"\n", "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, header{name, strings.TrimSpace(value)})
	}
	return lines[0], headers, strings.TrimSuffix(body, "\n")
}

type header struct{ name, value string }

// formatResponse writes a response the way message reads it, with the headers of the old one.
func formatResponse(status int, headers []header, got http.Header, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", status)
	for _, h := range headers {
		value := got.Get(h.name)
		if h.value == "*" && value != "" {
			value = "*"
		}
		b.WriteString(strings.TrimRight(h.name+": "+value, " ") + "\n")
	}
	if body != "" {
		b.WriteString("\n" + body)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// stateFile is testdata/contract/states/NAME.toml.
type stateFile struct {
	Group []struct {
		Name, Title, Description string
	}
	Member []stateMember
	Site   []struct {
		ID, Group string
		Redirects []string
		Key       []struct {
			Key    string
			Scopes []members.Scope
		}
	}
}

type stateMember struct {
	Username, Email, Firstname, Surname string
	Status, Language, Password          string
	Admin, Locked                       bool
	APIAccount                          bool   `toml:"api_account"`
	LockedFor                           string `toml:"locked_for"` // after failed sign-ins
	Groups                              []string
}

func readState(t testing.TB, name string) stateFile {
	t.Helper()
	raw, err := os.ReadFile("testdata/contract/states/" + name + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	var s stateFile
	if err := toml.Unmarshal(raw, &s); err != nil {
		t.Fatalf("state %s: %v", name, err)
	}
	return s
}
