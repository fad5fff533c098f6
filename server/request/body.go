package request

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// addBody reads a body by its content type: a form, a multipart form of texts,
// or JSON, with at most limit parameters. Error: F006.
func (p Params) addBody(body []byte, h http.Header, limit int) error {
	if h.Get("Content-Encoding") != "" {
		return Malformed(errors.New("the body is encoded"))
	}
	kind, attributes, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return Malformed(errors.New("the body's content type can't be read"))
	}
	latin, err := isLatin1(attributes["charset"])
	if err != nil {
		return Malformed(err)
	}
	switch {
	case kind == "application/x-www-form-urlencoded":
		_, err := p.addForm(string(body), limit, unescapeFrom(latin))
		return err
	case kind == "multipart/form-data":
		return p.addMultipart(multipart.NewReader(bytes.NewReader(body), attributes["boundary"]), limit)
	case kind == "application/json" && !latin:
		if err := p.addJSON(body, limit); err != nil {
			return Malformed(err)
		}
		return nil
	default:
		return Malformed(errors.New("the body is neither a form nor JSON"))
	}
}

// isLatin1 reads the name of a body's charset: UTF-8, which is also ASCII's
// superset and the default, or ISO-8859-1.
func isLatin1(charset string) (bool, error) {
	charset = strings.ToLower(charset)
	if slices.Contains([]string{"", "utf-8", "utf8", "us-ascii", "ascii"}, charset) {
		return false, nil
	}
	if slices.Contains([]string{"iso-8859-1", "iso8859-1", "iso_8859-1", "latin1"}, charset) {
		return true, nil
	}
	return false, errors.New("the body is neither in UTF-8 nor in ISO-8859-1")
}

// unescapeFrom returns how the escapes of a form in a charset are decoded.
func unescapeFrom(latin bool) func(string) (string, error) {
	if !latin {
		return url.QueryUnescape
	}
	return func(s string) (string, error) {
		raw, err := url.QueryUnescape(s)
		return latin1(raw), err
	}
}

// latin1 returns the text of bytes in ISO-8859-1, each of which is the code
// point of the same number.
func latin1(raw string) string {
	text := make([]rune, len(raw))
	for i := range len(raw) {
		text[i] = rune(raw[i])
	}
	return string(text)
}

// addMultipart reads a form of texts (RFC 7578). Error: F006, also for a file.
func (p Params) addMultipart(parts *multipart.Reader, limit int) error {
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return Malformed(errors.New("the multipart form can't be read"))
		}
		if n == limit {
			return Malformed(errTooMany)
		}
		if err := p.addPart(part); err != nil {
			return Malformed(err)
		}
	}
}

func (p Params) addPart(part *multipart.Part) error {
	content, err := io.ReadAll(part)
	if err != nil || part.FormName() == "" || part.FileName() != "" {
		return errors.New("a part of the form is no named text")
	}
	text := string(content)
	if kind := part.Header.Get("Content-Type"); kind != "" {
		_, attributes, err := mime.ParseMediaType(kind)
		latin, errCharset := isLatin1(attributes["charset"])
		if err != nil || errCharset != nil {
			return errors.New("a part of the form has a content type that can't be read")
		}
		if latin {
			text = latin1(text)
		}
	}
	if !utf8.ValidString(text) || !utf8.ValidString(part.FormName()) {
		return errors.New("parameters are not UTF-8")
	}
	return p.set(part.FormName(), text)
}
