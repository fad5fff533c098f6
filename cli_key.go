package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"reseed/members"
	"reseed/password"
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
func (KeyAddCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return changeKeys(ctx, std, cfg, "added", func(path string) error { return password.AddKey(path, rand.Reader) })
}

// KeyRotateCmd is reseed key rotate.
type KeyRotateCmd struct {
	Fresh bool `help:"Make a new key instead of using the one that key add made: for a single server."`
}

// Help shows examples.
func (KeyRotateCmd) Help() string {
	return example("reseed key rotate --fresh", "reseed key add && systemctl restart reseed && reseed key rotate && systemctl restart reseed")
}

// Run makes the second key of the file the current one, or a new one.
func (c KeyRotateCmd) Run(ctx context.Context, std *console, cfg *Config) error {
	return changeKeys(ctx, std, cfg, "rotated", func(path string) error {
		if c.Fresh {
			return password.RenewKey(path, rand.Reader)
		}
		return password.SwapKeys(path)
	})
}

func changeKeys(ctx context.Context, std *console, cfg *Config, done string, change func(path string) error) error {
	if cfg.KeyFile == "" {
		return errors.New("key-file: name the file")
	}
	if err := change(cfg.KeyFile); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "the key in %s is %s; restart the servers to use it\n", cfg.KeyFile, done)
	d, err := openDirectory(ctx, cfg)
	if err != nil {
		fmt.Fprintf(std.err, "warning: done, but the security event is not recorded: %v\n", err)
		return nil
	}
	defer d.Close()
	d.record(ctx, std, members.Event{Kind: members.KeyChanged, Detail: done})
	return nil
}
