package members

import (
	"cmp"
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/mail"
)

// Kind is what a security event is about.
type Kind string

// The kinds of events. An event with a code is a refusal; the code is the true
// one, also if the caller was told less (contract 1.7).
const (
	ResetRequested    Kind = "reset-requested"    // step 1, whoever was asked for
	PasswordChanged   Kind = "password-changed"   // step 2
	ChangeRefused     Kind = "change-refused"     // step 2, and what asks whether a token is good
	ResetForced       Kind = "reset-forced"       // an administrator had a token mailed
	PasswordSet       Kind = "password-set"       // an administrator set a password
	SignedIn          Kind = "signed-in"          // a session or an access token was given out
	SignInRefused     Kind = "sign-in-refused"    // wrong credentials
	SignedOut         Kind = "signed-out"         // a session was ended
	MemberLocked      Kind = "member-locked"      // by failed sign-ins or an administrator; of no member: a name that nobody has
	MemberUnlocked    Kind = "member-unlocked"    // by an administrator
	MemberRemoved     Kind = "member-removed"     // by an administrator, with everything about it
	MemberAdded       Kind = "member-added"       // by an administrator
	MemberActivated   Kind = "member-activated"   // by a mailed link or an administrator
	MemberChanged     Kind = "member-changed"     // names, username or address
	GroupChanged      Kind = "group-changed"      // changed or removed by an administrator
	GroupAdded        Kind = "group-added"        // by an administrator
	MembershipChanged Kind = "membership-changed" // by an administrator
	MailRetried       Kind = "mail-retried"       // by an administrator
	KeyChanged        Kind = "key-changed"        // a token key or API key was made, rotated or revoked
	SiteChanged       Kind = "site-changed"       // a Wix site was added or removed
	WebhookChanged    Kind = "webhook-changed"    // a webhook was added or removed
)

// Kinds returns every kind there is.
func Kinds() []Kind {
	return []Kind{ResetRequested, PasswordChanged, ChangeRefused, ResetForced, PasswordSet, SignedIn, SignInRefused, SignedOut,
		MemberLocked, MemberUnlocked, MemberAdded, MemberActivated, MemberChanged, MemberRemoved, GroupAdded, GroupChanged, MembershipChanged, MailRetried, KeyChanged, SiteChanged, WebhookChanged}
}

// Event is a security event. It holds no secrets: no token, password or hash.
type Event struct {
	ID         mail.ID // starts with the time, so that events sort
	At         time.Time
	Kind       Kind
	RequestID  string // of the request that caused it; "" for commands
	MemberID   int64  // whom it is about; 0: nobody that is known
	Actor      string // who did it: "member 12", "command of root"; "" for anybody
	GroupID    int64  // 0: no group
	Identifier string // as given, or a keyed hash of it, as configured
	Client     string // address of the client, or a keyed hash of it, as configured
	Code       string // of the error; "" if it was done
	Detail     string // the number of members, a group's name and the like
}

// Auditor records security events. It must not wait for the database, and do
// the same for a known and an unknown member.
type Auditor interface {
	Record(ctx context.Context, e Event)
}

// Origin is where a request came from.
type Origin struct {
	RequestID string
	Client    netip.Addr
}

type originKey struct{}

// WithOrigin returns a context whose events have the origin.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the context's origin, the zero Origin if it has none.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

// audit records what the caller did, with the error's code if it failed.
func (s *Service) audit(ctx context.Context, caller Caller, e Event, err error) {
	if s.Audit == nil {
		return
	}
	e.At = s.Now()
	e.Actor = cmp.Or(e.Actor, actor(caller))
	code := codeOf(err).String()
	if err != nil {
		e.Code = code
		if e.Kind == PasswordChanged {
			e.Kind = ChangeRefused
		}
	}
	s.Audit.Record(ctx, e)
}

func actor(c Caller) string {
	if c.Command != "" {
		return "command of " + c.Command
	}
	if c.Member.Zero() {
		return ""
	}
	return "member " + strconv.FormatInt(c.Member.ID, 10)
}

// about returns the event of a reset request.
func (r ResetRequest) about(k Kind, m Member) Event {
	return Event{Kind: k, MemberID: m.ID, GroupID: r.group.ID, Identifier: fold.ASCII(cmp.Or(r.Email, r.Username))}
}

// refuseSignIn records a refused sign-in and returns its error: 401 0101.
func (s *Service) refuseSignIn(ctx context.Context, name string, m Member) error {
	err := errcodes.BadCredentials(errSignIn)
	s.audit(ctx, Caller{}, Event{Kind: SignInRefused, MemberID: m.ID, Identifier: fold.ASCII(name)}, err)
	return err
}
