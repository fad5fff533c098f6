package contract

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/reseed-project/reseed/inbox"
)

// Accounts says which accounts a server has that can't be prepared: texts of
// the cases, such as an address, a password or a name, and what stands for
// them there. In YAML or JSON.
type Accounts struct {
	// State is the state that the server's accounts are like; basic unless it says another.
	State string `yaml:"state"`
	// Config are the settings that the server is like, as the cases write them.
	Config string `yaml:"config"`
	// Replace maps texts of requests and answers to the server's own.
	Replace map[string]string `yaml:"replace"`
	// MayChange lets cases run that change accounts, which nothing undoes.
	MayChange bool `yaml:"may-change"`
}

// ParseAccounts reads an accounts file. Unknown names are faults.
func ParseAccounts(raw []byte) (*Accounts, error) {
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	a := &Accounts{State: "basic"}
	if err := d.Decode(a); err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	return a, nil
}

// Plain is a server that is taken as it is: no control API, so no mails, no
// clock and no fresh state.
type Plain struct {
	Base     string
	Accounts *Accounts // nil: nothing is known of its accounts

	commands bool // a command line carries out what doable finds
}

var _ Target = (*Plain)(nil)

// URL returns the base.
func (p *Plain) URL() string { return p.Base }

// mayChange finds requests that change accounts if they succeed.
var mayChange = regexp.MustCompile(`(?m)^(PATCH|PUT|DELETE) |member-password=|/unlock|/activate|/register|"password"`)

// doable finds "do" sections that a command line can carry out and take back.
var doable = regexp.MustCompile(`^((lock|unlock|disable|client) [^\n]*\n?)+$`)

// Prepare refuses what can't be played on a server as it is, and puts the
// server's own accounts into the case.
func (p *Plain) Prepare(_ context.Context, c *Case) error {
	for _, s := range c.Sections {
		if reason := p.refusal(c, s); reason != "" {
			return &CannotRun{reason}
		}
	}
	if p.Accounts == nil {
		return nil
	}
	for _, s := range c.Sections {
		for from, to := range p.Accounts.Replace {
			s.Text = strings.ReplaceAll(s.Text, from, to)
		}
	}
	return nil
}

func (p *Plain) refusal(c *Case, s *Section) string {
	if reason := p.unprepared(s); reason != "" {
		return reason
	}
	switch {
	case p.Accounts == nil && c.State() != "empty":
		return "it needs the accounts of state " + c.State() + ": name the target's own in an accounts file"
	case p.Accounts != nil && c.State() != p.Accounts.State:
		return "it needs the accounts of state " + c.State()
	case c.Config() != "" && (p.Accounts == nil || strings.TrimSpace(c.Config()) != strings.TrimSpace(p.Accounts.Config)):
		return "it needs other settings: " + strings.ReplaceAll(strings.TrimSpace(c.Config()), "\n", ", ")
	}
	return ""
}

// unprepared returns why a section can't be played on a server as it is.
func (p *Plain) unprepared(s *Section) string {
	switch {
	case s.Kind == "mail" || s.Kind == "no mail" || strings.Contains(s.Text, "{{token"):
		return "it reads mails: the target needs the control API"
	case s.Kind == "wait":
		return "it sets the clock: the target needs the control API"
	case s.Kind == "do" && p.commands && doable.MatchString(s.Text):
	case s.Kind == "do":
		return "it changes accounts between requests: the target needs the control API"
	case s.Kind == "request" && mayChange.MatchString(s.Text) && (p.Accounts == nil || !p.Accounts.MayChange):
		return "it may change accounts, which nothing would undo: may-change in the accounts file allows it"
	}
	return ""
}

// errNoControl is what a server without the control API can't do.
var errNoControl = errors.New("the target has no control API")

// Mails returns none.
func (p *Plain) Mails(context.Context) ([]*inbox.Mail, error) { return nil, nil }

// Advance returns an error.
func (p *Plain) Advance(context.Context, time.Duration) error { return errNoControl }

// Do returns an error.
func (p *Plain) Do(context.Context, []string) (Client, error) { return Client{}, errNoControl }
