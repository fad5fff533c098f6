package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/reseed-project/reseed/config"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/store"
	"github.com/reseed-project/reseed/templates"
)

// Administration returns the use cases of commands, but for those that make
// links. They mail nothing: the servers do that.
func Administration(cfg *config.Config, s *store.Store, a members.Auditor, now func() time.Time) (*members.Service, error) {
	hasher, err := password.NewHasher(password.Config{})
	if err != nil {
		return nil, err
	}
	policy, err := cfg.Policy()
	if err != nil {
		return nil, err
	}
	return members.NewService(members.Config{
		Store: s, Dispatcher: leftToServers{}, Audit: a, Hasher: hasher, Policy: policy, Breaches: cfg.Breaches(),
		Site:          site(cfg),
		ResetSettings: members.ResetSettings{TokenLife: cfg.TokenLife},
		MailSettings:  members.MailSettings{SMTPUTF8: cfg.SMTPUTF8},
		Now:           now, Log: slog.Default(),
	}), nil
}

// Links returns the use cases of commands, those that make links to set a
// password by included.
func Links(ctx context.Context, cfg *config.Config, s *store.Store, l *templates.Library, a members.Auditor, now func() time.Time) (*members.Service, error) {
	service, err := Administration(cfg, s, a, now)
	if err != nil {
		return nil, err
	}
	service.Templates = l
	service.Keys, err = Keys(ctx, cfg, s, now, rand.Reader)
	return service, err
}

// leftToServers leaves the mails that a command queues to the servers.
type leftToServers struct{}

// Wake does nothing: servers look for mails.
func (leftToServers) Wake() {}

// Deliver does nothing, as Wake.
func (leftToServers) Deliver(context.Context, mail.ID) error { return nil }
