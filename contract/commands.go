package contract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/reseed-project/reseed/seed"
)

// shortestKey is how many characters an API key must have that a command adds.
const shortestKey = 16

// Commands is a Reseed server that is no test server, and whose accounts its
// command line makes: once, before the first case, in an empty database, since
// ids count from 1 there alone. What a case changes by "do" is taken back
// before the next one.
type Commands struct {
	Plain
	Cases fs.FS // the cases' folder, for states
	// Exec runs reseed with these arguments, and returns what it printed.
	Exec func(ctx context.Context, stdin string, args ...string) (string, error)

	doc     *seed.Document
	failed  error             // why there are no accounts
	missing []string          // names of the state's accounts that no command makes
	keys    map[string]string // API keys of the state that are too short for one, and what stands for them
	undo    [][]string
	guessed []string // members whose passwords the latest case may have guessed
}

var _ Target = (*Commands)(nil)

// NewCommands returns a target whose accounts do not exist yet. The accounts
// say which state it is to have, and which settings; nil: basic, and the
// default ones.
func NewCommands(base string, accounts *Accounts, cases fs.FS, exec func(context.Context, string, ...string) (string, error)) *Commands {
	if accounts == nil {
		accounts = &Accounts{State: "basic"}
	}
	return &Commands{Plain: Plain{Base: base, Accounts: accounts, commands: true}, Cases: cases, Exec: exec, keys: map[string]string{}}
}

// Prepare makes the accounts unless they are there, and takes back what the
// case before did.
func (c *Commands) Prepare(ctx context.Context, k *Case) error {
	if err := c.Plain.Prepare(ctx, k); err != nil {
		return err
	}
	if c.doc == nil && c.failed == nil {
		c.failed = c.seed(ctx)
	}
	if c.failed != nil {
		return c.failed
	}
	for _, s := range k.Sections {
		if reason := c.unmade(s); reason != "" {
			return &CannotRun{reason}
		}
	}
	if err := c.Restore(ctx); err != nil {
		return err
	}
	c.guessed = c.named(k)
	for _, s := range k.Sections {
		for short, key := range c.keys {
			s.Text = strings.ReplaceAll(s.Text, short, key)
		}
	}
	return nil
}

// unmade returns why a section can't be what the case wants.
func (c *Commands) unmade(s *Section) string {
	day, _, _ := strings.Cut(caseClock, "T")
	if s.Kind == "response" && strings.Contains(s.Text, day) {
		return "it shows the time of the cases' clock: the target needs the control API"
	}
	if s.Kind == "response" && strings.Contains(s.Text, "\nContent-Length: ") {
		return "it shows the length of an answer, in which there may be times"
	}
	for _, name := range c.missing {
		if strings.Contains(s.Text, name) {
			return "it needs " + name + ", which no command makes"
		}
	}
	return ""
}

// named returns the members that a case names and refuses something.
func (c *Commands) named(k *Case) []string {
	var requests strings.Builder
	refused := false
	for _, s := range k.Sections {
		if s.Kind == "request" {
			requests.WriteString(s.Text)
		}
		refused = refused || s.Kind == "response" && strings.HasPrefix(s.Text, "4")
	}
	var names []string
	for _, m := range c.doc.Members {
		if refused && !m.Locked && m.Password != "" && strings.Contains(requests.String(), m.Username) {
			names = append(names, m.Username)
		}
	}
	return names
}

// Restore takes back what the latest case did by "do", and lifts the locks that
// wrong passwords may have left.
func (c *Commands) Restore(ctx context.Context) error {
	for _, name := range c.guessed {
		c.undo = append(c.undo, []string{"member", "unlock", name})
	}
	for _, args := range slices.Backward(c.undo) {
		if _, err := c.Exec(ctx, "", args...); err != nil {
			return err
		}
	}
	c.undo, c.guessed = nil, nil
	return nil
}

// Do carries out a line of a "do" section by commands.
func (c *Commands) Do(ctx context.Context, words []string) (Client, error) {
	switch words[0] {
	case "lock", "unlock":
		opposite := map[string]string{"lock": "unlock", "unlock": "lock"}[words[0]]
		return Client{}, c.change(ctx, []string{"member", words[0], words[1]}, "member", opposite, words[1])
	case "disable":
		return Client{}, c.change(ctx, []string{"member", "set", words[1], "--status", "disabled"}, "member", "set", words[1], "--status", "activated")
	case "client":
		return c.addClient(ctx, words)
	}
	return Client{}, errNoControl
}

func (c *Commands) change(ctx context.Context, args []string, back ...string) error {
	_, err := c.Exec(ctx, "", args...)
	if err == nil {
		c.undo = append(c.undo, back)
	}
	return err
}

// addClient makes an OAuth client; its id and secret are printed.
func (c *Commands) addClient(ctx context.Context, words []string) (Client, error) {
	args := []string{"client", "add", "--name", words[1]}
	if len(words) > 2 {
		args = append(args, "--member", words[2])
	}
	for _, grant := range words[min(len(words), 3):] {
		args = append(args, "--grant", grant)
	}
	out, err := c.Exec(ctx, "", args...)
	if err != nil {
		return Client{}, err
	}
	fields := strings.Fields(out)
	if len(fields) != 2 {
		return Client{}, fmt.Errorf("reseed client add printed %d words, not an id and a secret", len(fields))
	}
	c.undo = append(c.undo, []string{"client", "remove", fields[0]})
	return Client{ID: fields[0], Secret: fields[1]}, nil
}

// seed makes the state's accounts.
func (c *Commands) seed(ctx context.Context) error {
	raw, err := fs.ReadFile(c.Cases, "states/"+c.Accounts.State+".toml")
	if err != nil {
		return fmt.Errorf("state %s: %w", c.Accounts.State, err)
	}
	if c.doc, err = seed.ParseTOML(raw); err != nil {
		return err
	}
	for _, kind := range []string{"member", "group"} {
		out, err := c.Exec(ctx, "", kind, "list")
		if err != nil {
			return err
		}
		if strings.TrimSpace(out) != "" {
			return errors.New("the target has a " + kind + " already: cases count ids from 1, so it needs an empty database")
		}
	}
	for _, g := range c.doc.Groups {
		if _, err := c.Exec(ctx, "", "group", "add", g.Name, "--title", g.Title, "--description", g.Description); err != nil {
			return err
		}
	}
	for _, m := range c.doc.Members {
		if err := c.addMember(ctx, m); err != nil {
			return err
		}
	}
	return c.addSites(ctx)
}

func (c *Commands) addMember(ctx context.Context, m seed.Member) error {
	args := []string{"member", "add", "--status", "activated"}
	for _, f := range [][2]string{
		{"--username", m.Username}, {"--email", m.Email}, {"--firstname", m.Firstname}, {"--surname", m.Surname}, {"--language", m.Language}, {"--status", m.Status},
	} {
		if f[1] != "" {
			args = append(args, f[0], f[1])
		}
	}
	for _, g := range m.Groups {
		args = append(args, "--group", g)
	}
	for flag, on := range map[string]bool{"--admin": m.Admin, "--api-account": m.APIAccount, "--password-stdin": m.Password != ""} {
		if on {
			args = append(args, flag)
		}
	}
	if m.LockedFor != "" { // wrong passwords alone lock for a while
		c.missing = append(c.missing, m.Username)
	}
	if _, err := c.Exec(ctx, m.Password, args...); err != nil || !m.Locked {
		return err
	}
	_, err := c.Exec(ctx, "", "member", "lock", m.Username)
	return err
}

func (c *Commands) addSites(ctx context.Context) error {
	for _, site := range c.doc.Sites {
		args := []string{"site", "add", "--group", site.Group, "--id", site.ID}
		if site.ClientID != "" {
			args = append(args, "--client-id", site.ClientID)
		}
		for _, origin := range site.Redirects {
			args = append(args, "--allow-redirect", origin)
		}
		if site.Register {
			args = append(args, "--allow-register")
		}
		if _, err := c.Exec(ctx, "", args...); err != nil {
			return err
		}
		for _, key := range site.Keys {
			if len(key.Scopes) == 0 { // the command gives each key a scope
				c.missing = append(c.missing, key.Key)
				continue
			}
			long := key.Key
			for len(long) < shortestKey {
				long += "-" + key.Key
			}
			if long != key.Key {
				c.keys[key.Key] = long
			}
			if _, err := c.Exec(ctx, long, "apikey", "add", "--site", site.ID, "--key-stdin"); err != nil {
				return err
			}
		}
	}
	for _, client := range c.doc.Clients {
		args := []string{"client", "add", "--id", client.ID, "--secret-stdin", "--name", client.Name}
		if client.Member != "" {
			args = append(args, "--member", client.Member)
		}
		if _, err := c.Exec(ctx, client.Secret, args...); err != nil {
			return err
		}
	}
	return nil
}
