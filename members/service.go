package members

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/templates"
)

// Dispatcher delivers queued mail.
type Dispatcher interface {
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
	Store      Store
	Dispatcher Dispatcher
	Audit      Auditor // of security events; none if nil

	Hasher    *password.Hasher
	Policy    *password.Policy
	Breaches  *password.Breaches // asked before a password is set; nil: not asked
	Keys      password.Keys
	Templates *templates.Library

	Site       Site
	Disclosure Disclosure
	Access     Access // limits of signing in and being signed in

	// The settings of use cases, beside which they stand.
	ResetSettings
	RegistrationSettings
	MailSettings
	SiteSettings

	Now    func() time.Time
	Random io.Reader // crypto/rand if nil
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
	// Checking and hashing the passwords of a token's uses takes long, and all but
	// one are for nothing: the others find the token spent and get 102A instead of
	// filling the queue of hashes until it refuses (F004), which
	// TestOneOfATokensUsesIsHashed shows. Which server wins, the store decides.
	tokenLocks keyedLocks[password.TokenHash]
	// Sign-ins under one name are recorded one after the other: while a row is
	// locked they hold one connection to the database, not all of them.
	signInLocks keyedLocks[[sha256.Size]byte]
	unknown     unknownNames
}

// NewService returns a Service.
func NewService(c Config) *Service { return &Service{Config: c} }
