// Package templates renders the notifications of contract sections 1.9 and 2.1
// to a subject, a text and an HTML part, and holds what pages look like.
//
// A template is a file NAME/notification/TEMPLATE.html or TEMPLATE.txt, where
// NAME is the full name of a group, of a project or of the global template. A
// language variant carries its BCP 47 tag before the extension:
// reset-password-confirm.fr.html. They are looked up in this order:
//
//	the group's own, its project's, that project's parents', the global template, the built-in default
//
// Inside one folder the variant of the full tag comes first, then those of its
// shorter forms, then the file without a tag; a folder that has any of them is
// preferred to every folder after it. Both parts of a mail come from one folder
// and language; a part that is not there is made from the other.
//
// layout.html in the same folder is the frame that a template may call with
// {{template "layout.html" .}}. It is looked up for itself, so that a folder
// holding a layout alone is the frame of all built-in mails in every language.
//
// A template sets the subject with {{define "subject"}}...{{end}}, in the text
// part or else in the HTML part; without any the built-in subject is used.
//
// Besides what text/template offers there are two functions: {{duration
// .ValidFor}} puts a duration and {{datetime .At}} an instant into words of
// the file's language; both take a language as a second argument. A
// notification holds no list, so range is refused, and so is recursion: every
// template ends. Conditional comments, which Outlook reads, reach the mail.
//
// PageSeeder's own templates, TEMPLATE.xsl and TEMPLATE-text.xsl, work as they
// are in NAME/notification or NAME/Notification, if there is a [Transformer].
// The title of their HTML is the subject; meta elements sender-name,
// sender-email and reply-to set those fields.
package templates

import (
	"cmp"
	"context"
	"fmt"
	htmltemplate "html/template"
	"maps"
	"slices"
	"sync"
	"time"
)

// The names of the templates.
const (
	ResetPasswordConfirm = "reset-password-confirm" // carries the link of a reset (contract 1.9)
	ChangePassword       = "change-password"        // tells that the password was changed (contract 1.9)
	SetPassword          = "set-password"           // carries the link of contract 2.1
	ActivateAccount      = "activate-account"       // carries the link that activates an account (contract 1.5)
	ConfirmEmail         = "confirm-email"          // carries the link that confirms a new address (contract 1.5)
	EmailChanged         = "email-changed"          // tells the old address that it was changed (contract 1.5)
	SignInLocked         = "sign-in-locked"         // tells of failed sign-ins
)

// DefaultGlobalTemplate is the folder of the global template if Options name none.
const DefaultGlobalTemplate = "default"

// Options are the settings of a Set.
type Options struct {
	// GlobalTemplate is the name of the project whose templates serve if
	// neither the group nor its projects have one; "" is DefaultGlobalTemplate.
	GlobalTemplate string
	// Zone is the time zone of instants in mails; nil is UTC.
	Zone *time.Location
	// XSLT returns what renders stylesheets, given the files of the templates
	// folder; nil if no renderer is set, and then InstallXSLT says what to do.
	XSLT        func(files map[string][]byte) (Transformer, error)
	InstallXSLT string
	// CheckSettings may refuse a folder's settings of mails; nil accepts all.
	CheckSettings func(MailSettings) error
}

// Rendered is a notification ready to be mailed. Equal notifications render
// to equal bytes.
type Rendered struct {
	Subject string // one line, at most 200 code points, not empty
	Text    string // lines end in LF, the last one too
	HTML    string
	// Settings are those of the chain, with what a stylesheet says of the
	// sender. FromName is never empty for a group.
	Settings MailSettings
}

// Files names the files that serve a notification; built-in ones start with
// "built-in:". Text or HTML is empty if that part is made from the other, and
// Layout if the HTML has none.
type Files struct {
	Text, HTML, Layout string
}

// Set is a loaded collection of templates. It never changes and may be used
// by many goroutines at a time.
type Set struct {
	global   string            // folded
	folders  map[string]folder // by folded name; builtin holds the defaults
	mu       sync.Mutex
	compiled map[pair]*compiled      // guarded by mu
	settings map[string]MailSettings // by folded name
	frame    *htmltemplate.Template  // of HTML that is made from text
	pages    *Pages                  // whose names and colours the mails take; may be nil
	zone     *time.Location
	xslt     Transformer // nil if no file needs it
	install  string
	check    func(MailSettings) error
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
	names := slices.AppendSeq(slices.Collect(maps.Keys(s.folders)), maps.Keys(s.settings))
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == builtin })
}

// Path returns the folders that are looked into for a chain of names, in that
// order; the built-in one is "built-in".
func (s *Set) Path(chain []string) []string {
	path := s.path(chain)
	path[len(path)-1] = "built-in"
	return path
}

// Close ends the renderer of stylesheets, if there is one.
func (s *Set) Close() error {
	if s.xslt == nil {
		return nil
	}
	return s.xslt.Close()
}

// Resolve names the files that serve a template for a chain of names, most
// specific first, in a language ("" for none).
func (s *Set) Resolve(chain []string, template, language string) (Files, error) {
	if !slices.Contains(Names(), template) {
		return Files{}, fmt.Errorf("no mail template %q%s", template, suggest(template, Names()))
	}
	path := s.path(chain)
	serves := s.find(path, template, language)
	var f Files
	if serves.text != nil {
		f.Text = serves.text.path
	}
	if serves.html != nil {
		f.HTML = serves.html.path
		if p := s.pairOf(path, serves.html); p.layout != nil {
			if c, err := s.compiledPair(p); err == nil && c.usesLayout {
				f.Layout = p.layout.path
			}
		}
	}
	return f, nil
}

// Render renders a notification with the templates of the first names in
// chain that have them; chain is the group's chain, most specific first, or
// empty. It fails if the notification breaks a rule of its fields (see
// [Notification]), or a template fails or writes more than 512 KiB. Errors hold
// neither token nor link.
func (s *Set) Render(ctx context.Context, chain []string, n Notification) (Rendered, error) {
	settings := s.Settings(chain)
	n.Brand = settings.Brand
	n, err := n.prepare()
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", n.Template, err)
	}
	r, err := s.render(ctx, s.path(chain), n, settings)
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", n.Template, err)
	}
	return r, nil
}

func (s *Set) render(ctx context.Context, path []string, n Notification, settings MailSettings) (Rendered, error) {
	serves := s.find(path, n.Template, n.Language)
	r := Rendered{Settings: settings}
	var subject string
	for _, body := range []*source{serves.text, serves.html} {
		if body == nil {
			continue
		}
		c, err := s.compiledPair(s.pairOf(path, body))
		if err != nil {
			return r, err
		}
		out, err := s.execute(ctx, c, n)
		if err != nil {
			return r, err
		}
		if body.key.ext == extText {
			r.Text = out
		} else {
			r.HTML = out
		}
		if subject == "" {
			if subject, err = r.subject(c, n); err != nil {
				return r, err
			}
		}
	}
	return s.complete(r, n, serves, subject)
}

// subject returns what a part says of the subject, "" if nothing, and takes
// from a stylesheet's what it says of the sender.
func (r *Rendered) subject(c *compiled, n Notification) (string, error) {
	if c.subject != nil {
		return c.executeSubject(n)
	}
	if !c.pair.body.xslt || c.pair.body.key.ext != extHTML {
		return "", nil
	}
	h, err := readHead(r.HTML)
	if err != nil {
		return "", c.pair.fault(err)
	}
	r.Settings.FromName = cmp.Or(h.fromName, r.Settings.FromName)
	r.Settings.FromAddress = cmp.Or(h.fromAddress, r.Settings.FromAddress)
	r.Settings.ReplyTo = cmp.Or(h.replyTo, r.Settings.ReplyTo)
	return h.title, nil
}

// complete makes what no template of the group's says.
func (s *Set) complete(r Rendered, n Notification, serves found, subject string) (Rendered, error) {
	var err error
	if r.Subject = subject; subject == "" {
		body := s.find([]string{builtin}, n.Template, n.Language).text
		c, err := s.compiledPair(pair{body: body})
		if err != nil {
			return r, err
		}
		if r.Subject, err = c.executeSubject(n); err != nil {
			return r, err
		}
	}
	if r.Text == "" {
		if r.Text, err = textFromHTML(r.HTML); err != nil {
			return r, err
		}
	}
	if r.HTML == "" {
		if r.HTML, err = s.htmlFromText(n, r.Subject, r.Text); err != nil {
			return r, err
		}
	}
	if r.Settings.FromName == "" && n.Group != nil {
		r.Settings.FromName = n.senderName(cmp.Or(serves.language(), r.Settings.Language), r.Settings.ReplyTo != "")
	}
	return r, nil
}

// senderName is what a group's mails are sent as: its name, and in the language
// of the mail that nobody reads answers, if that is so.
func (n Notification) senderName(language string, answered bool) string {
	if answered {
		return n.Origin()
	}
	v, known := vocabularyOf(language)
	if !known {
		v, _ = vocabularyOf("")
	}
	return n.Origin() + " " + v.doNotReply
}

func (s *Set) pairOf(path []string, body *source) pair {
	p := pair{body: body}
	if body.key.ext == extHTML && !body.xslt {
		p.layout = s.layout(path)
	}
	return p
}

// compiledPair returns the compiled template of one part. Load has compiled
// what the folders hold, for every chain nested by '-'; the built-in templates
// and other chains are compiled when they are first needed.
func (s *Set) compiledPair(p pair) (*compiled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.compiled[p]; ok {
		return c, nil
	}
	c, err := s.compile(p)
	if err == nil {
		s.compiled[p] = c
	}
	return c, err
}
