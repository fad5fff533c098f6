package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/app"
	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/webhooks"
)

// WebhookCmd is reseed webhook.
type WebhookCmd struct {
	Add    WebhookAddCmd    `cmd:"" help:"Add a webhook and print the secret that its requests are signed with."`
	List   WebhookListCmd   `cmd:"" help:"Print all webhooks, one a line."`
	Secret WebhookSecretCmd `cmd:"" help:"Print a webhook's secret."`
	Test   WebhookTestCmd   `cmd:"" help:"Send a test request now, and say how it went."`
	Calls  WebhookCallsCmd  `cmd:"" help:"Print requests that were sent, wait or failed, newest first, one a line."`
	Retry  WebhookRetryCmd  `cmd:"" help:"Put requests back into the queue that failed for good."`
	Remove WebhookRemoveCmd `cmd:"" help:"Remove a webhook, and what waits for it."`
}

// Help shows examples.
func (WebhookCmd) Help() string {
	return example("reseed webhook add https://app.example.org/hooks --event password-changed", "reseed webhook list", "reseed webhook test 1")
}

// WebhookAddCmd is reseed webhook add.
type WebhookAddCmd struct {
	URL          string   `arg:"" name:"url" help:"Where the requests go, by HTTPS."`
	Event        []string `placeholder:"EVENT" help:"reset-requested, password-changed, member-added, member-activated, member-changed, member-locked, member-unlocked or member-removed; may be repeated. Default: all."`
	AllowPrivate bool     `help:"Allow a host with a loopback or private address, and plain http."`
}

// Help shows examples.
func (WebhookAddCmd) Help() string {
	return example(
		"reseed webhook add https://app.example.org/hooks",
		"reseed webhook add http://10.0.0.7:9000/hooks --allow-private --event password-changed --event member-locked",
	)
}

// Run adds the webhook and prints its secret.
func (c *WebhookAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	slices.Sort(c.Event)
	h := webhooks.Hook{URL: c.URL, Kinds: slices.Compact(c.Event), AllowPrivate: c.AllowPrivate, Created: std.Now().UTC()}
	if err := h.Validate(); err != nil {
		return err
	}
	if _, err := rand.Read(h.Salt[:]); err != nil {
		return fmt.Errorf("make the secret: %w", err)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	keys, err := app.Keys(ctx, cfg, d.Store, std.Now, rand.Reader)
	if err != nil {
		return err
	}
	if h.ID, err = d.AddWebhook(ctx, h); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "webhook %d; the receiver checks its requests with this secret\n", h.ID)
	fmt.Fprintln(std.Out, webhooks.NewSecrets(keys).Of(h).Reveal())
	d.record(ctx, std, hookEvent(h, "added"))
	return nil
}

func hookEvent(h webhooks.Hook, done string) members.Event {
	return members.Event{Kind: members.WebhookChanged, Detail: fmt.Sprintf("webhook %d %s", h.ID, done)}
}

// WebhookListCmd is reseed webhook list.
type WebhookListCmd struct {
	JSON bool `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (WebhookListCmd) Help() string { return example("reseed webhook list --json") }

// Run prints the webhooks.
func (c *WebhookListCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.Webhooks(ctx)
	if err != nil {
		return err
	}
	t := newTable(std, c.JSON, "id", "url", "events", "private", "created")
	defer t.end()
	for _, h := range list {
		events := "all"
		if len(h.Kinds) > 0 {
			events = strings.Join(h.Kinds, " ")
		}
		t.row(strconv.FormatInt(h.ID, 10), h.URL, events, strconv.FormatBool(h.AllowPrivate), date(h.Created))
	}
	return nil
}

// withHook works on the webhook of an id, with the secrets of all of them.
func withHook(ctx context.Context, d *directory, cfg *config.Config, id int64, work func(webhooks.Hook, webhooks.Secrets) error) error {
	list, err := d.Webhooks(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(h webhooks.Hook) bool { return h.ID == id })
	if i < 0 {
		return fmt.Errorf("there is no webhook %d", id)
	}
	keys, err := app.ReadKeys(cfg)
	if err != nil {
		return err
	}
	return work(list[i], webhooks.NewSecrets(keys))
}

// WebhookSecretCmd is reseed webhook secret.
type WebhookSecretCmd struct {
	ID int64 `arg:"" name:"id" help:"Id of the webhook."`
}

// Help shows an example.
func (WebhookSecretCmd) Help() string { return example("reseed webhook secret 1") }

// Run prints the secret that follows from the current key.
func (c *WebhookSecretCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	return withHook(ctx, d, cfg, c.ID, func(h webhooks.Hook, s webhooks.Secrets) error {
		_, err := fmt.Fprintln(std.Out, s.Of(h).Reveal())
		return err
	})
}

// WebhookTestCmd is reseed webhook test.
type WebhookTestCmd struct {
	ID int64 `arg:"" name:"id" help:"Id of the webhook."`
}

// Help shows an example.
func (WebhookTestCmd) Help() string { return example("reseed webhook test 1") }

// Run sends a request at once, past the queue.
func (c *WebhookTestCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	return withHook(ctx, d, cfg, c.ID, func(h webhooks.Hook, s webhooks.Secrets) error {
		call := webhooks.Call{Hook: h, Kind: webhooks.TestKind, At: std.Now().UTC()}
		if err := webhooks.NewSender(s, time.Now, nil).Send(ctx, call); err != nil {
			return fmt.Errorf("not delivered: %w", err)
		}
		_, err := fmt.Fprintln(std.Out, "delivered")
		return err
	})
}

// WebhookCallsCmd is reseed webhook calls.
type WebhookCallsCmd struct {
	State string `placeholder:"STATE" help:"Only pending, sending, sent or dead ones."`
	Limit int    `default:"100" placeholder:"N" help:"Print at most so many."`
	JSON  bool   `name:"json" help:"Print a JSON object a line."`
}

// Help shows an example.
func (WebhookCallsCmd) Help() string { return example("reseed webhook calls --state dead") }

// Run prints the requests.
func (c *WebhookCallsCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	state := webhooks.State(c.State)
	if c.State != "" && !slices.Contains(webhooks.States(), state) {
		return fmt.Errorf("--state %q: want pending, sending, sent or dead", c.State)
	}
	if c.Limit <= 0 {
		return errors.New("--limit must be above 0")
	}
	d, err := viewDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.Calls(ctx, state, c.Limit)
	if err != nil {
		return err
	}
	t := newTable(std, c.JSON, "id", "webhook", "event", "member", "time", "state", "attempts", "due", "outcome")
	defer t.end()
	for _, x := range list {
		t.row(strconv.FormatInt(x.ID, 10), strconv.FormatInt(x.Hook.ID, 10), x.Kind, number(x.MemberID), date(x.At),
			string(x.State), strconv.Itoa(x.Attempts), date(x.Due), x.Outcome)
	}
	return nil
}

// WebhookRetryCmd is reseed webhook retry.
type WebhookRetryCmd struct {
	ID  int64 `arg:"" optional:"" name:"id" help:"Id of the request."`
	All bool  `help:"All that failed for good."`
}

// Help shows examples.
func (WebhookRetryCmd) Help() string {
	return example("reseed webhook retry --all", "reseed webhook retry 17")
}

// Run makes requests due.
func (c *WebhookRetryCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.All == (c.ID != 0) {
		return errors.New("name a request, or --all")
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	if c.All {
		n, err := d.RetryDeadCalls(ctx, std.Now())
		if err == nil {
			fmt.Fprintf(std.Err, "%d requests are in the queue again\n", n)
		}
		return err
	}
	ok, err := d.RetryCall(ctx, c.ID, std.Now())
	if err == nil && !ok {
		err = fmt.Errorf("request %d neither failed nor waits", c.ID)
	}
	if err == nil {
		fmt.Fprintf(std.Err, "request %d is in the queue again\n", c.ID)
	}
	return err
}

// WebhookRemoveCmd is reseed webhook remove.
type WebhookRemoveCmd struct {
	ID int64 `arg:"" name:"id" help:"Id of the webhook."`
}

// Help shows an example.
func (WebhookRemoveCmd) Help() string { return example("reseed webhook remove 1") }

// Run removes the webhook.
func (c *WebhookRemoveCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	ok, err := d.RemoveWebhook(ctx, c.ID)
	if err == nil && !ok {
		err = fmt.Errorf("there is no webhook %d", c.ID)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "webhook %d is removed\n", c.ID)
	d.record(ctx, std, hookEvent(webhooks.Hook{ID: c.ID}, "removed"))
	return nil
}
