package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/reseed-project/reseed/inbox"
	"github.com/reseed-project/reseed/seed"
)

// caseClock is when each case begins.
const caseClock = "2026-11-22T10:00:00Z"

// Control is a Reseed test server, prepared through its control API
// (docs/testing.md): a fresh server for each case, with a clock that stands.
type Control struct {
	Base   string // URL without a path
	Cases  fs.FS  // the cases' folder, for states and templates
	Client *http.Client

	seen map[string]bool // ids of mails that were returned
}

var _ Target = (*Control)(nil)

// HasControl reports whether a server answers the control API.
func HasControl(ctx context.Context, client *http.Client, base string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/dev/test.json", nil)
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask the target: %w", err)
	}
	defer resp.Body.Close()
	var answer struct{ Test bool }
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&answer)
	return err == nil && resp.StatusCode == http.StatusOK && answer.Test, nil
}

// URL returns the base.
func (c *Control) URL() string { return c.Base }

// Prepare seeds the server with the case's state and settings.
func (c *Control) Prepare(ctx context.Context, k *Case) error {
	doc, err := Document(c.Cases, k)
	if err != nil {
		return err
	}
	c.seen = map[string]bool{}
	return c.call(ctx, http.MethodPost, "/dev/seed", doc, nil)
}

// Document returns the seed of a case: its state, its settings and the
// templates that they name, and the time at which cases begin.
func Document(cases fs.FS, k *Case) (*seed.Document, error) {
	raw, err := fs.ReadFile(cases, "states/"+k.State()+".toml")
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", k.Name, err)
	}
	doc, err := seed.ParseTOML(raw)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", k.State(), err)
	}
	doc.Clock = caseClock
	// What test servers lift, and cases count on.
	doc.Settings = map[string]any{"host-url": "https://example.org/ps", "mails-per-hour": 5, "site-mails-per-day": 200}
	if err := toml.Unmarshal([]byte(k.Config()), &doc.Settings); err != nil {
		return nil, fmt.Errorf("case %s: config: %w", k.Name, err)
	}
	if _, ok := doc.Settings["templates"]; ok {
		delete(doc.Settings, "templates")
		doc.Templates, err = readTexts(cases, "templates")
	}
	return doc, err
}

// readTexts returns the texts of a folder by their path in it.
func readTexts(fsys fs.FS, folder string) (map[string]string, error) {
	texts := map[string]string{}
	err := fs.WalkDir(fsys, folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(fsys, file)
		texts[strings.TrimPrefix(file, folder+"/")] = string(raw)
		return err
	})
	return texts, err
}

// Mails has the server send what is due, and returns the mails that are new.
func (c *Control) Mails(ctx context.Context) ([]*inbox.Mail, error) {
	if err := c.call(ctx, http.MethodPost, "/dev/deliver", nil, nil); err != nil {
		return nil, err
	}
	var list struct {
		Mails []*inbox.Mail `json:"mails"`
	}
	if err := c.call(ctx, http.MethodGet, "/dev/mail.json?limit=1000", nil, &list); err != nil {
		return nil, err
	}
	var fresh []*inbox.Mail
	for _, m := range slices.Backward(list.Mails) {
		if !c.seen[m.ID] {
			c.seen[m.ID] = true
			fresh = append(fresh, m)
		}
	}
	return fresh, nil
}

// Advance sets the clock forward.
func (c *Control) Advance(ctx context.Context, by time.Duration) error {
	return c.call(ctx, http.MethodPost, "/dev/clock", map[string]string{"advance": by.String()}, nil)
}

// Do sends the words to the control API, which knows the same ones.
func (c *Control) Do(ctx context.Context, words []string) (Client, error) {
	var client struct {
		ID     string `json:"client-id"`
		Secret string `json:"client-secret"`
	}
	err := c.call(ctx, http.MethodPost, "/dev/do", map[string][]string{"words": words}, &client)
	return Client{ID: client.ID, Secret: client.Secret}, err
}

// call sends a JSON request to the control API and reads its answer.
func (c *Control) call(ctx context.Context, method, path string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: no answer: %w", method, path, unwrapURL(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// unwrapURL drops the address, which the message names already.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
