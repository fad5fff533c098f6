package templates

import (
	"fmt"
	htmltemplate "html/template"
	"strings"

	"github.com/jaytaylor/html2text"
	"golang.org/x/net/html"
)

// textFromHTML makes the text part of a mail that has no template for it.
func textFromHTML(source string) (string, error) {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return "", err
	}
	removeHidden(doc)
	text, err := html2text.FromHTMLNode(doc)
	if err != nil {
		return "", fmt.Errorf("make a text part: %w", err)
	}
	return strings.TrimSpace(text) + "\n", nil
}

// removeHidden takes out what is not shown, such as the line for the list of mails.
func removeHidden(n *html.Node) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		if hidden(child) {
			n.RemoveChild(child)
		} else {
			removeHidden(child)
		}
		child = next
	}
}

func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		style := strings.ReplaceAll(strings.ToLower(a.Val), " ", "")
		if a.Key == "style" && strings.Contains(style, "display:none") {
			return true
		}
	}
	return false
}

// plainMail is a mail whose HTML part is made from its text.
type plainMail struct {
	Notification
	Subject    string
	Paragraphs [][][]piece // of lines of pieces
}

// piece is a part of a line: text, or the link.
type piece struct {
	Text   string
	IsLink bool
}

// frameOfText is the layout's content for such a mail.
const frameOfText = `{{define "lang"}}{{.Language}}{{end -}}
{{define "title"}}{{.Subject}}{{end -}}
{{define "preheader"}}{{end -}}
{{define "greeting"}}{{end -}}{{define "message"}}{{end -}}{{define "action"}}{{end -}}{{define "address"}}{{end -}}
{{define "note"}}{{end -}}{{define "closing"}}{{end -}}{{define "footer"}}{{end -}}
{{define "content" -}}
{{range .Paragraphs}}<p style="margin:0 0 16px;">{{range $i, $line := .}}{{if $i}}<br />{{end -}}
{{range $line}}{{if .IsLink}}<a class="link" dir="ltr" href="{{.Text}}" style="color:{{$.Brand.Accent}};text-decoration:underline;word-break:break-all;">{{.Text}}</a>
{{- else}}{{.Text}}{{end}}{{end}}{{end}}</p>
{{end}}{{end -}}
{{template "layout.html" .}}`

func (s *Set) htmlFromText(n Notification, subject, text string) (string, error) {
	m := plainMail{Notification: n, Subject: subject}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var lines [][]piece
		for line := range strings.SplitSeq(strings.Trim(paragraph, "\n"), "\n") {
			lines = append(lines, pieces(line, n.Link))
		}
		m.Paragraphs = append(m.Paragraphs, lines)
	}
	out := &limitedBuffer{}
	if err := s.frame.Execute(out, m); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.b.String()) + "\n", nil
}

// pieces cuts the link out of a line.
func pieces(line, link string) []piece {
	before, after, found := line, "", false
	if link != "" {
		before, after, found = strings.Cut(line, link)
	}
	all := []piece{{Text: before}}
	if found {
		all = append(all, piece{link, true}, piece{Text: after})
	}
	return all
}

// compileFrame parses the frame of such mails, in the built-in layout.
func compileFrame(layout *source) (*htmltemplate.Template, error) {
	p := pair{body: &source{key: fileKey{ext: extHTML}, path: "made from text", text: frameOfText}, layout: layout}
	return compileHTML(p, functions("", nil))
}
