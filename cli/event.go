package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/audit"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/store"
)

// EventsCmd is reseed events.
type EventsCmd struct {
	List EventsListCmd `cmd:"" help:"Print security events, newest first, one a line."`
}

// Help shows an example.
func (EventsCmd) Help() string { return example("reseed events list") }

// EventsListCmd is reseed events list.
type EventsListCmd struct {
	Kind       string `placeholder:"KIND" help:"Only of this kind, such as password-changed."`
	Member     string `placeholder:"MEMBER" help:"Only about this member, by id, username or email."`
	Identifier string `placeholder:"TEXT" help:"Only requests for this username or email, whether there is such a member or not."`
	Since      string `placeholder:"TIME" help:"Only since then: 2026-03-01, 2026-03-01T12:00:00Z, or 24h ago as 24h."`
	Limit      int    `default:"100" placeholder:"N" help:"Print at most this many, 0 for all."`
	JSON       bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows examples.
func (EventsListCmd) Help() string {
	return example("reseed events list", "reseed events list --kind sign-in-refused --since 24h --limit 0",
		"reseed events list --member vvega@example.org --json")
}

// Run prints the events, separated by tabs; the titles go to standard error.
func (c *EventsListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	filter, err := c.filter(std.Now())
	if err != nil {
		return err
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	if c.Member != "" {
		m, err := d.member(ctx, c.Member)
		if err != nil {
			return err
		}
		filter.MemberID = m.ID
	}
	if c.Identifier != "" {
		if filter.Identifier, err = maskIdentifier(cfg, c.Identifier); err != nil {
			return err
		}
	}
	show := showEvent
	if c.JSON {
		show = showEventJSON
	}
	if !c.JSON {
		row(std.Err, "time", "kind", "member", "actor", "group", "identifier", "client", "code", "request", "detail")
	}
	return d.eachEvent(ctx, filter, c.Limit, func(e members.Event) error { return show(std, e) })
}

func (c *EventsListCmd) filter(now time.Time) (store.EventFilter, error) {
	f := store.EventFilter{Kind: members.Kind(c.Kind)}
	if c.Kind != "" && !slices.Contains(members.Kinds(), f.Kind) {
		var names []string
		for _, k := range members.Kinds() {
			names = append(names, string(k))
		}
		return f, fmt.Errorf("--kind %q: want %s", c.Kind, strings.Join(names, ", "))
	}
	if c.Limit < 0 {
		return f, errors.New("--limit must not be negative")
	}
	var err error
	f.Since, err = since(c.Since, now)
	return f, err
}

// since reads a date, a time, or how long ago it was.
func since(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want a date, a time such as 2026-03-01T12:00:00Z, or a duration such as 24h", text)
}

// eachEvent calls work for up to limit events; 0: all there are.
func (d *directory) eachEvent(ctx context.Context, filter store.EventFilter, limit int, work func(members.Event) error) error {
	return eachOf(limit, func(most int) ([]members.Event, error) {
		filter.Limit = most
		page, err := d.Events(ctx, filter)
		if len(page) > 0 {
			filter.Before = page[len(page)-1].ID
		}
		return page, err
	}, work)
}

func showEvent(std *Console, e members.Event) error {
	row(std.Out, date(e.At), string(e.Kind), number(e.MemberID), e.Actor, number(e.GroupID),
		e.Identifier, e.Client, e.Code, e.RequestID, e.Detail)
	return nil
}

func showEventJSON(std *Console, e members.Event) error {
	line, err := json.Marshal(struct {
		ID         string `json:"id"`
		Time       string `json:"time"`
		Kind       string `json:"kind"`
		Member     int64  `json:"member,omitempty"`
		Actor      string `json:"actor,omitempty"`
		Group      int64  `json:"group,omitempty"`
		Identifier string `json:"identifier,omitempty"`
		Client     string `json:"client,omitempty"`
		Code       string `json:"code,omitempty"`
		Request    string `json:"request,omitempty"`
		Detail     string `json:"detail,omitempty"`
	}{e.ID.String(), e.At.UTC().Format(time.RFC3339Nano), string(e.Kind), e.MemberID, e.Actor, e.GroupID,
		e.Identifier, e.Client, e.Code, e.RequestID, e.Detail})
	if err == nil {
		fmt.Fprintf(std.Out, "%s\n", line)
	}
	return err
}

// maskIdentifier returns how the server's events hold an identifier. Without a
// key that can be read, hashed identifiers can't be made.
func maskIdentifier(cfg *config.Config, identifier string) (string, error) {
	identifier = fold.ASCII(members.ASCIIAddress(identifier))
	if cfg.AuditIdentifiers == "plain" {
		return identifier, nil
	}
	if cfg.KeyFile == "" {
		return "", errors.New("key-file is not set, and audit-identifiers are hashed with its key")
	}
	keys, err := app.ReadKeys(cfg)
	if err != nil {
		return "", err
	}
	return audit.NewMaskers(true, false, keys).Identifier(identifier), nil
}

// recorder adds what commands do to the security events at once: no server
// does it for them.
type recorder struct {
	*directory
	std *Console
}

// Record stores the event. What it tells of is over by then, so a failure is
// only told. The member that a command names is known by its number.
func (r recorder) Record(ctx context.Context, e members.Event) {
	e.Identifier = ""
	id, err := mail.NewID(e.At, nil)
	if err == nil {
		e.ID = id
		err = r.AddEvents(ctx, []members.Event{e})
	}
	if err != nil {
		fmt.Fprintf(r.std.Err, "warning: the security event %s is not recorded: %v\n", e.Kind, err)
	}
}

// record adds an act that is no use case of members to the security events.
func (d *directory) record(ctx context.Context, std *Console, e members.Event) {
	e.At, e.Actor = std.Now().UTC(), "command of "+operator()
	recorder{d, std}.Record(ctx, e)
}

// operator names who runs the command, as the system knows them.
func operator() string {
	u, err := user.Current()
	if err != nil {
		return "user " + strconv.Itoa(os.Getuid())
	}
	return u.Username
}
