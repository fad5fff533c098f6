package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"

	"reseed/mail"
)

// tour shows both services to a newcomer: every request, answer and mail.
type tour struct {
	out     io.Writer
	base    string // URL of the server
	prefix  string // of the site
	capture *mail.Capture
	mails   <-chan mail.Captured
}

func (t *tour) run(ctx context.Context) error {
	for _, stop := range []struct{ title, path, member, password string }{
		{"Any member, at the service without a group", t.prefix + "/api/members/resetpassword.xml", "carl@example.org", "violet-Harbor-93-maple"},
		{"A member of acme-specs, whose mails have the group's look", t.prefix + "/api/groups/~acme-specs/members/resetpassword.xml", "ann@example.org", "amber-Meadow-41-flute"},
		{"A member of globex-web, with another look, in JSON", "/groups/globex-web/members/resetpassword.json", "bob@example.org", "copper-Island-58-wagon"},
	} {
		fmt.Fprintf(t.out, "\n===== %s\n", stop.title)
		if err := t.reset(ctx, stop.path, stop.member, stop.password); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// reset plays both steps, then tries the token once more.
func (t *tour) reset(ctx context.Context, path, member, password string) error {
	form := url.Values{"email": {member}}
	if err := t.post(ctx, path, form, http.StatusOK); err != nil {
		return err
	}
	token, err := t.mail(ctx)
	if err != nil {
		return err
	}
	form.Set("token", token)
	form.Set("member-password", password)
	if err := t.post(ctx, path, form, http.StatusOK); err != nil {
		return err
	}
	if _, err := t.mail(ctx); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\n----- The token does not work twice\n")
	return t.post(ctx, path, form, http.StatusBadRequest)
}

// post sends a form and prints what went over the wire.
func (t *tour) post(ctx context.Context, path string, form url.Values, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	fmt.Fprintf(t.out, "\n> POST %s\n> Content-Type: %s\n>\n> %s\n", path, req.Header.Get("Content-Type"), form.Encode())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\n< HTTP/1.1 %s\n< Content-Type: %s\n<\n< %s\n", resp.Status, resp.Header.Get("Content-Type"),
		strings.ReplaceAll(string(body), "\n", "\n< "))
	if resp.StatusCode != want {
		return fmt.Errorf("%s answered %d, want %d", path, resp.StatusCode, want)
	}
	return nil
}

// mail waits for the next mail, prints its headers and text, and returns its token, if any.
func (t *tour) mail(ctx context.Context) (string, error) {
	var captured mail.Captured
	select {
	case captured = <-t.mails:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	raw, err := t.capture.Read(captured.ID)
	if err != nil {
		return "", err
	}
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", fmt.Errorf("read mail %s: %w", captured.Name, err)
	}
	text, err := textPart(msg)
	if err != nil {
		return "", fmt.Errorf("read mail %s: %w", captured.Name, err)
	}
	fmt.Fprintf(t.out, "\n----- Mail %s (text part; the HTML part is in the file)\n", captured.Name)
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"} {
		fmt.Fprintf(t.out, "| %s: %s\n", name, msg.Header.Get(name))
	}
	fmt.Fprintf(t.out, "|\n| %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n| "))
	return tokenIn(text), nil
}

// textPart returns the text of a multipart/alternative message, whose first part it is.
func textPart(msg *netmail.Message) (string, error) {
	_, attributes, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	part, err := multipart.NewReader(msg.Body, attributes["boundary"]).NextPart() // decodes
	if err != nil {
		return "", err
	}
	if kind := part.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") {
		return "", errors.New("the first part is not text")
	}
	text, err := io.ReadAll(part)
	return strings.ReplaceAll(string(text), "\r\n", "\n"), err
}

// tokenIn returns the token of the link in a mail's text, "" where there is none.
func tokenIn(text string) string {
	for field := range strings.FieldsSeq(text) {
		if u, err := url.Parse(field); err == nil && u.Query().Get("token") != "" {
			return u.Query().Get("token")
		}
	}
	return ""
}
