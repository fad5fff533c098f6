package members

import (
	"context"
	"io"
	"log/slog"
	"time"

	"reseed/mail"
	"reseed/password"
	"reseed/templates"
)

// Courier carries queued mail.
type Courier interface {
	// Wake tells the worker that there is something to do; it never waits.
	Wake()
	// Deliver makes one attempt for an order at once. A failed attempt leaves the order queued.
	Deliver(ctx context.Context, id mail.ID) error
}

// Disclosure is what a public caller may learn (contract 1.7).
type Disclosure string

// Documented shows what the vendor's documentation shows, Concealed nothing
// about members at all.
const (
	Documented Disclosure = "documented"
	Concealed  Disclosure = "concealed"
)

// Config is what a Service works with and by. All fields but Audit and Random are required.
type Config struct {
	Resets   Resets
	Registry Registry
	Groups   Groups
	Sessions Sessions
	Clients  Clients
	Sites    Sites
	Courier  Courier
	Audit    Auditor // of security events; none where nil

	Hasher    *password.Hasher
	Policy    *password.Policy
	Keys      password.Keys
	Templates *templates.Set

	Site       Site
	Disclosure Disclosure
	TokenLife  time.Duration // of a PageSeeder token, at most 24 hours
	// MailsPerHour is how many mails with a token a member may cause to get in
	// an hour; further requests are answered the same and mail nothing.
	MailsPerHour int
	// SiteMailsPerDay is how many set-password mails a Wix site may order in a day of UTC.
	SiteMailsPerDay int
	// SyncForAll lets public callers wait for delivery too. It tells members
	// from strangers by time, and is for closed test networks only.
	SyncForAll bool
	Access     Access // limits of signing in and being signed in
	// CompatV5 answers as version 5 does where the versions differ (contract 1.3).
	CompatV5 bool

	Now    func() time.Time
	Random io.Reader // crypto/rand where nil
	Log    *slog.Logger
}

// Site is what the mails say about this installation.
type Site struct {
	Name        string // as readers know it
	HostURL     string // scheme, host and site prefix; links start with it
	EmailDomain string // of the sender and of Message-IDs
	FromName    string
	FromAddress string
}

// Service is what can be done with members. Its methods return errors of the
// catalogue (errcodes) or plain ones, which are internal faults.
type Service struct {
	Config
	rivals rivals
}

// NewService returns a Service.
func NewService(c Config) *Service { return &Service{Config: c} }
