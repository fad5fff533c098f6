package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// KeyCmd is reseed key.
type KeyCmd struct {
	Add    KeyAddCmd    `cmd:"" help:"Add a second key to the key file, for all servers to know before it is used."`
	Rotate KeyRotateCmd `cmd:"" help:"Make tokens with another key from now on; the old one stays good for mails that wait."`
}

// Help shows an example.
func (KeyCmd) Help() string { return example("reseed key rotate --fresh") }

// KeyAddCmd is reseed key add.
type KeyAddCmd struct{}

// Help shows an example.
func (KeyAddCmd) Help() string {
	return example("reseed key add --key-file /etc/reseed/token.key")
}

// Run writes a new key beside the current one.
func (KeyAddCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	return changeKeys(ctx, std, cfg, "added", func(path string) error { return password.AddKey(path, rand.Reader) })
}

// KeyRotateCmd is reseed key rotate.
type KeyRotateCmd struct {
	Fresh bool `help:"Make a new key and forget the others; void all reset tokens and end all sessions and access tokens. For a single server, after a restored backup and when the key or the database may have leaked."`
}

// Help shows examples.
func (KeyRotateCmd) Help() string {
	return example("reseed key rotate --fresh", "reseed key add && systemctl restart reseed && reseed key rotate && systemctl restart reseed")
}

// Run makes the second key of the file the current one, or a new one.
func (c KeyRotateCmd) Run(ctx context.Context, std *Console, cfg *config.Config) error {
	if c.Fresh {
		return rotateFresh(ctx, std, cfg)
	}
	return changeKeys(ctx, std, cfg, "rotated", password.SwapKeys)
}

// rotateFresh voids first: with a new key alone, mails that wait could not be
// sent, and what was given out would still open accounts.
func rotateFresh(ctx context.Context, std *Console, cfg *config.Config) error {
	if cfg.Key != "" {
		return rotateOutside(ctx, std, cfg)
	}
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	tokens, err := d.RevokeAll(ctx, time.Now())
	if err != nil {
		return err
	}
	if err := password.RenewKey(cfg.KeyFile, rand.Reader); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "%d tokens are void, all sessions and access tokens ended, and the key in %s is new; restart the servers to use it\n", tokens, cfg.KeyFile)
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, Detail: "renewed; all tokens and sessions revoked"})
	return nil
}

// rotateOutside voids what was given out, and leaves the key alone, which is not
// in a file of ours: it says what to do.
func rotateOutside(ctx context.Context, std *Console, cfg *config.Config) error {
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	tokens, err := d.RevokeAll(ctx, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "%d tokens are void, and all sessions and access tokens ended\n", tokens)
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, Detail: "all tokens and sessions revoked"})
	return errors.New("the key is not new, since it comes from RESEED_KEY, which no command can change: " +
		"stop the servers, put the output of \"openssl rand -base64 32\" there, and start them")
}

func changeKeys(ctx context.Context, std *Console, cfg *config.Config, done string, change func(path string) error) error {
	if cfg.KeyFile == "" {
		return errors.New("key-file: name the file")
	}
	if err := change(cfg.KeyFile); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "the key in %s is %s; restart the servers to use it\n", cfg.KeyFile, done)
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		fmt.Fprintf(std.Err, "warning: done, but the security event is not recorded: %v\n", err)
		return nil
	}
	defer d.Close()
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, Detail: done})
	return nil
}
