// Package templates renders the notifications of contract sections 1.9 and 2.1
// to a subject, a text and an HTML part.
//
// A template is a file NAME/notification/TEMPLATE.html or TEMPLATE.txt, where
// NAME is the full name of a group, of a project or of the global template. A
// language variant carries its BCP 47 tag before the extension:
// reset-password-confirm.fr.html. Each file is looked up on its own, so that a
// group may override the text and keep everything else:
//
//	the group's own, its project's, that project's parents', the global template, the built-in default
//
// Inside one folder the variant of the full tag comes first, then those of its
// shorter forms, then the file without a tag; a folder that has any of them is
// preferred to every folder after it.
//
// layout.html in the same folder is the frame that a template may call with
// {{template "layout.html" .}}. It is looked up for itself, so that a folder
// holding a layout alone dresses all mails in every language.
//
// A template sets the subject with {{define "subject"}}...{{end}}. The more
// specific folder wins, and the text part where both stand in one folder;
// without any the built-in subject is used.
//
// Besides what text/template offers there are two functions: {{duration
// .ValidFor}} puts a duration and {{datetime .At}} an instant into words of
// the file's language; both take a language as a second argument. A
// notification holds no list, so range is refused, and so is recursion: every
// template ends.
package templates

import (
	"fmt"
	"maps"
	"slices"
)

// The names of the templates.
const (
	ResetPasswordConfirm = "reset-password-confirm" // carries the link of a reset (contract 1.9)
	ChangePassword       = "change-password"        // tells that the password was changed (contract 1.9)
	SetPassword          = "set-password"           // carries the link of contract 2.1
)

// DefaultGlobalTemplate is the folder of the global template where Options name none.
const DefaultGlobalTemplate = "default"

// Options are the settings of a Set.
type Options struct {
	// GlobalTemplate is the name of the project whose templates serve where
	// neither the group nor its projects have one; "" is DefaultGlobalTemplate.
	GlobalTemplate string
}

// Rendered is a notification ready to be mailed. Equal notifications render
// to equal bytes.
type Rendered struct {
	Subject string // one line, at most 200 code points, not empty
	Text    string // lines end in LF, the last one too
	HTML    string
}

// Files names the files that serve a notification; built-in ones start with
// "built-in:".
type Files struct {
	Text, HTML, Layout string
}

// Set is a loaded collection of templates. It never changes and may be used
// by many goroutines at a time.
type Set struct {
	global   string            // folded
	folders  map[string]folder // by folded name; builtin holds the defaults
	compiled map[pair]*compiled
}

// pair is a body with the layout it is rendered in; a text has none.
type pair struct{ body, layout *source }

func (p pair) builtIn() bool {
	return p.body.builtIn && (p.layout == nil || p.layout.builtIn)
}

func (p pair) siteWide() bool {
	return p.body.siteWide && (p.layout == nil || p.layout.siteWide)
}

// Names returns the folders that override something, sorted and with A-Z
// folded, so that a caller can tell those that belong to no group.
func (s *Set) Names() []string {
	names := slices.Sorted(maps.Keys(s.folders))
	return slices.DeleteFunc(names, func(n string) bool { return n == builtin })
}

// Resolve names the files that serve a template for a chain of names, most
// specific first, in a language ("" for none).
func (s *Set) Resolve(chain []string, template, language string) (Files, error) {
	if !slices.Contains(templateNames(), template) {
		return Files{}, fmt.Errorf("no mail template %q", template)
	}
	path := s.path(chain)
	text, _ := s.find(path, template, language, extText)
	html, _ := s.find(path, template, language, extHTML)
	return Files{Text: text.path, HTML: html.path, Layout: s.layout(path).path}, nil
}

// Render renders a notification with the templates of the first names in
// chain that have them; chain is the group's chain, most specific first, or
// empty. It fails where the notification breaks a rule of its fields (see
// Notification) or a template fails or writes more than 512 KiB. Errors hold
// neither token nor link.
func (s *Set) Render(chain []string, n Notification) (Rendered, error) {
	n, err := n.prepare()
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", n.Template, err)
	}
	r, err := s.render(s.path(chain), n)
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", n.Template, err)
	}
	return r, nil
}

func (s *Set) render(path []string, n Notification) (Rendered, error) {
	text, textDepth, err := s.part(path, n, extText)
	if err != nil {
		return Rendered{}, err
	}
	html, htmlDepth, err := s.part(path, n, extHTML)
	if err != nil {
		return Rendered{}, err
	}
	preferred := []*compiled{text, html}
	if htmlDepth < textDepth {
		preferred = []*compiled{html, text}
	}
	return s.assemble(n, text, html, preferred)
}

func (s *Set) assemble(n Notification, text, html *compiled, preferred []*compiled) (Rendered, error) {
	var r Rendered
	var err error
	if r.Subject, err = s.subject(n, preferred); err != nil {
		return Rendered{}, err
	}
	if r.Text, err = text.execute(n); err != nil {
		return Rendered{}, err
	}
	if r.HTML, err = html.execute(n); err != nil {
		return Rendered{}, err
	}
	return r, nil
}

// part returns the compiled template of one part and how far along the path
// it was found.
func (s *Set) part(path []string, n Notification, ext string) (*compiled, int, error) {
	body, depth := s.find(path, n.Template, n.Language, ext)
	p := pair{body: body}
	if ext == extHTML {
		p.layout = s.layout(path)
	}
	if c, ok := s.compiled[p]; ok {
		return c, depth, nil
	}
	// Load compiled every pair that a chain nested by '-' can lead to. Any
	// other chain costs a parse.
	c, err := compile(p)
	return c, depth, err
}

// subject returns the subject of the first template that defines one, the
// built-in one where none does.
func (s *Set) subject(n Notification, preferred []*compiled) (string, error) {
	for _, c := range preferred {
		if c.subject != nil {
			return c.executeSubject(n)
		}
	}
	body, _ := s.find([]string{builtin}, n.Template, n.Language, extText)
	return s.compiled[pair{body: body}].executeSubject(n)
}
