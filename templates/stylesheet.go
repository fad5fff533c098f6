package templates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Transformer renders XSLT stylesheets that it was given the files of.
type Transformer interface {
	// Transform renders a document with the stylesheet of that path in the
	// templates folder.
	Transform(ctx context.Context, stylesheet string, document []byte) ([]byte, error)
	Close() error
}

// errNoRenderer refuses a folder of stylesheets that nothing renders.
func (s *Set) errNoRenderer() error {
	return fmt.Errorf("an XSLT template needs a renderer: %s", s.install)
}

// maxFiles bounds what a transformer is given, in bytes.
const maxFiles = 16 << 20

// stylesheetFiles returns the files of a templates folder that stylesheets may
// name: all that are not hidden and not too large.
func stylesheetFiles(fsys fs.FS) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(path.Base(file), ".") && file != "." {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := fs.Stat(fsys, file)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
			return err
		}
		b, err := fs.ReadFile(fsys, file)
		files[file] = b
		if total += len(b); total > maxFiles {
			return fmt.Errorf("the templates folder holds more than %d MiB", maxFiles>>20)
		}
		return err
	})
	return files, err
}

// document is the notification as the vendor's templates get it (contract 1.9).
func (n Notification) document() ([]byte, error) {
	doc := etree.NewDocument()
	e := doc.CreateElement("notification")
	e.CreateAttr("template", n.Template)
	e.CreateAttr("emaildomain", n.EmailDomain)
	e.CreateAttr("hosturl", n.HostURL)
	if !isNotice(n.Template) {
		e.CreateAttr("reason", n.Reason)
		e.CreateAttr("token", n.Token)
	}
	e.CreateAttr("unsubscribetoken", "")
	m := e.CreateElement("member")
	m.CreateAttr("id", strconv.FormatInt(n.Member.ID, 10))
	attributes(m, "firstname", n.Member.Firstname, "lastname", n.Member.Lastname, "email", n.Member.Email,
		"username", n.Member.Username, "status", n.Member.Status)
	m.CreateElement("fullname").SetText(n.Member.Fullname)
	if n.Group != nil {
		g := e.CreateElement("group")
		g.CreateAttr("id", strconv.FormatInt(n.Group.ID, 10))
		attributes(g, "name", n.Group.Name, "description", n.Group.Description, "owner", n.Group.Owner)
	}
	return doc.WriteToBytes()
}

// attributes sets those that have a value.
func attributes(e *etree.Element, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			e.CreateAttr(pairs[i], pairs[i+1])
		}
	}
}

// transform renders one part with a stylesheet. Its errors never hold the token.
func (s *Set) transform(ctx context.Context, body *source, n Notification) (string, error) {
	if s.xslt == nil {
		return "", fmt.Errorf("%s: %w", body.path, s.errNoRenderer())
	}
	doc, err := n.document()
	if err != nil {
		return "", err
	}
	b, err := s.xslt.Transform(ctx, body.path, doc)
	if err != nil {
		return "", withoutSecret{err, n.Token}
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", fmt.Errorf("%s: its output is not UTF-8 text", body.path)
	}
	out := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n"))
	if out == "" {
		return "", fmt.Errorf("%s: renders to nothing", body.path)
	}
	return out + "\n", nil
}

// withoutSecret is an error whose text may quote a token.
type withoutSecret struct {
	err    error
	secret string
}

func (e withoutSecret) Error() string {
	if e.secret == "" {
		return e.err.Error()
	}
	return strings.ReplaceAll(e.err.Error(), e.secret, "[token]")
}

func (e withoutSecret) Unwrap() error { return e.err }

// head is what the head of a stylesheet's HTML says of the mail.
type head struct{ title, fromName, fromAddress, replyTo string }

// readHead reads the title, which is the subject, and the meta elements that
// set header fields (contract 1.9).
func readHead(source string) (head, error) {
	var h head
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return h, err
	}
	fields := map[string]*string{
		"sender-name": &h.fromName, "sender-email": &h.fromAddress,
		"reply-to": &h.replyTo, "replyto": &h.replyTo, "reply-to-email": &h.replyTo, "replyto-email": &h.replyTo,
	}
	for n := range doc.Descendants() {
		switch n.DataAtom {
		case atom.Title:
			if n.FirstChild != nil && h.title == "" {
				h.title = line(n.FirstChild.Data, maxSubject)
			}
		case atom.Meta:
			if into := fields[strings.ToLower(attribute(n, "name"))]; into != nil {
				*into = line(attribute(n, "content"), maxName)
			}
		}
	}
	return h, errors.Join(metaFault("sender-email", h.fromAddress), metaFault("reply-to", h.replyTo))
}

func metaFault(name, address string) error {
	if err := addressFault(address); err != nil {
		return fmt.Errorf("meta %s: %w", name, err)
	}
	return nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
