package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/mail"
)

// tour shows both services to someone who is new to them: every request, answer and mail.
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
	if err := t.wix(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
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
	_, err = t.send(req, form.Encode(), want)
	return err
}

// send prints a request, sends it, and prints and returns the answer.
func (t *tour) send(req *http.Request, sent string, want int) ([]byte, error) {
	fmt.Fprintf(t.out, "\n> POST %s\n", req.URL.Path)
	for _, name := range []string{"Authorization", "Wix-Site-Id", "Content-Type"} {
		if value := req.Header.Get(name); value != "" {
			fmt.Fprintf(t.out, "> %s: %s\n", name, value)
		}
	}
	fmt.Fprintf(t.out, ">\n> %s\n", sent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(t.out, "\n< HTTP/1.1 %s\n< Content-Type: %s\n<\n< %s\n", resp.Status, resp.Header.Get("Content-Type"),
		strings.ReplaceAll(string(body), "\n", "\n< "))
	if resp.StatusCode != want {
		return nil, fmt.Errorf("%s answered %d, want %d", req.URL.Path, resp.StatusCode, want)
	}
	return body, nil
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
	m := inbox.Open(captured.Name, captured.Time, raw)
	fmt.Fprintf(t.out, "\n----- Mail %s (text part; the HTML part is in the file)\n", captured.Name)
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"} {
		fmt.Fprintf(t.out, "| %s: %s\n", name, m.Header(name))
	}
	fmt.Fprintf(t.out, "|\n| %s\n", strings.ReplaceAll(strings.TrimSpace(m.Text), "\n", "\n| "))
	return tokenIn(m.Text), nil
}

// tokenIn returns the token of the link in a mail's text, "" if there is none.
func tokenIn(text string) string {
	for field := range strings.FieldsSeq(text) {
		u, err := url.Parse(field)
		if err != nil {
			continue
		}
		if token := cmp.Or(u.Query().Get("token"), u.Query().Get("forgotPasswordToken")); token != "" {
			return token
		}
	}
	return ""
}
