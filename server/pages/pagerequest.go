package pages

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/templates"
)

//go:embed html
var pageFiles embed.FS

// The policies of WEB-3: pages load what we serve, and nothing else.
const (
	pagePolicy  = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	framePolicy = pagePolicy + "; frame-src 'self'"
)

// markup are the pages' templates by name, each with the frame around it.
type markup map[string]*template.Template

// parseMarkup takes a few milliseconds.
func parseMarkup() markup {
	m := markup{}
	frame := template.Must(template.ParseFS(pageFiles, "html/layout.html", "html/parts.html"))
	for _, name := range []string{"change", "done", "gone", "forgot", "sent", "problem", "action", "inbox", "mail", "preview", "start", "desk-signin", "desk", "desk-member", "desk-mails"} {
		m[name] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "html/"+name+".html"))
	}
	return m
}

// pageRequest is a request to a page, and how its answer looks and speaks.
type pageRequest struct {
	*http.Request
	pages     *Pages
	looks     *templates.Pages
	assets    *assets
	group     groups.Group
	look      *templates.Look
	languages []string // what the browser asks for, best first
	texts     templates.Texts
	own       bool // the page is Reseed's own
}

func (p *Pages) newPageRequest(r *http.Request) *pageRequest {
	v := &pageRequest{Request: r, pages: p, languages: acceptedLanguages(r.Header.Get("Accept-Language")), looks: p.Looks.Pages()}
	v.assets = p.assetsOf(v.looks)
	v.applyLook(groups.Group{}, "")
	return v
}

// applyLook takes on a group's look, and the language of a member if it is known.
func (v *pageRequest) applyLook(g groups.Group, language string) {
	v.group, v.look = g, v.looks.Look(g.Chain())
	languages := v.languages
	if language != "" {
		languages = append([]string{language}, languages...)
	}
	v.texts = v.look.Texts(languages...)
}

// showAsReseed has a page speak for the program: the start page and the inbox
// are no group's.
func (v *pageRequest) showAsReseed() {
	v.own, v.look = true, v.looks.BuiltIn()
	v.texts = v.look.Texts("en")
}

// site is how the page calls the site.
func (v *pageRequest) site() string {
	if v.own {
		return "Reseed"
	}
	return cmp.Or(v.look.Name, v.group.Title, v.group.Name, v.pages.SiteName)
}

func (v *pageRequest) text(key string, more ...string) string {
	policy := v.pages.Policy
	return v.texts.Say(key, append(more, "site", v.site(),
		"min", strconv.Itoa(policy.Min), "max", strconv.Itoa(policy.Max))...)
}

// reply is an answer, complete before its first byte is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (a *reply) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // it is not our fault if the client has gone
}

func newReply(status int, kind string, body []byte) *reply {
	return &reply{status: status, body: body, header: http.Header{"Content-Type": {kind}}}
}

// redirect answers with an address to GET, on this server.
func redirect(to string) *reply {
	a := newReply(http.StatusSeeOther, "text/plain;charset=utf-8", nil)
	a.header.Set("Location", to)
	return a
}

// view is what the markup sees.
type view struct {
	page  *pageRequest
	Page  string // name of the template
	Title string
	Data  any
	args  []string // names and values for texts
}

// Text returns one of the texts.
func (w view) Text(key string) string { return w.page.text(key, w.args...) }

// Site returns how the page calls the site.
func (w view) Site() string { return w.page.site() }

// TestServer reports whether the page must say that nothing is real.
func (w view) TestServer() bool { return w.page.pages.TestServer }

// Base returns the path of the reset pages.
func (w view) Base() string { return w.page.pages.base }

// Forgot returns the path of the form that asks for a link.
func (w view) Forgot() string { return w.page.forgotPath() }

// Asset returns the path of one of our own files.
func (w view) Asset(name string) string { return w.Base() + w.page.assets.own[name] }

// Style returns the path of the look's style sheet.
func (w view) Style() string { return w.Base() + w.page.assets.styles[w.page.look] }

// Logo returns the path of the logo, "" if there is none.
func (w view) Logo() string {
	if path, ok := w.page.assets.logos[w.page.look]; ok {
		return w.Base() + path
	}
	return ""
}

// LogoText says what the logo shows.
func (w view) LogoText() string { return cmp.Or(w.page.look.LogoText, w.Site()) }

// SignIn returns where the group's members sign in, "" if it is not known.
func (w view) SignIn() string { return w.page.look.NextURL("") }

// Sandbox returns what the frame of a mail's HTML part may do.
func (w view) Sandbox() string { return frameSandbox }

// Inbox reports whether the visitor may see captured mails.
func (w view) Inbox() bool { return w.page.pages.inboxOpen(w.page.Request) }

// render fills a page.
func (v *pageRequest) render(status int, name, title string, data any, args ...string) (*reply, error) {
	var b bytes.Buffer
	w := view{page: v, Page: name, Title: title, Data: data, args: args}
	if err := v.pages.markup()[name].ExecuteTemplate(&b, "layout.html", w); err != nil {
		return nil, errors.New("render page " + name) // the cause may quote what the page shows
	}
	return newPage(status, b.Bytes()), nil
}

// newPage is a reply with the headers that every page has.
func newPage(status int, body []byte) *reply {
	a := newReply(status, "text/html;charset=utf-8", body)
	a.header.Set("Content-Security-Policy", pagePolicy)
	a.header.Set("Cross-Origin-Opener-Policy", "same-origin")
	a.header.Set("X-Robots-Tag", "noindex")
	return a
}

// acceptedLanguages reads Accept-Language, the best first; at most ten.
func acceptedLanguages(header string) []string {
	type choice struct {
		tag     string
		quality float64
	}
	var choices []choice
	for part := range strings.SplitSeq(header, ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		c := choice{strings.TrimSpace(tag), 1}
		if value, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); weighted && ok {
			c.quality, _ = strconv.ParseFloat(value, 64) // what can't be read is not wanted
		}
		if c.quality > 0 && c.tag != "" && c.tag != "*" && len(choices) < 10 {
			choices = append(choices, c)
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.quality, a.quality) })
	var tags []string
	for _, c := range choices {
		tags = append(tags, c.tag)
	}
	return tags
}
