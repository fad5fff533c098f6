package members

import (
	"context"
	"time"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// Lookup names a member the way a request does. Identifiers are compared byte
// for byte after Fold. All that are given must name the same member.
type Lookup struct {
	ID       int64
	Username string
	Email    string
	// Group and Caller ask for memberships along the way; 0: not asked.
	Group  int64
	Caller int64
}

// Found is what a Lookup found.
type Found struct {
	Member        Member // zero if none was found, or Conflict
	Row           int64  // the member's id, for an unknown one that of the row that was read instead
	Conflict      bool   // email and username name two different members
	InGroup       bool   // the member belongs to Lookup.Group
	CallerInGroup bool   // the caller belongs to Lookup.Group
}

// Order is one row that is both a token's record and the order to send the
// mail that carries it. A notice is an order without a token.
type Order struct {
	ID       mail.ID
	Template string // one of templates.Names
	Reason   string // member, admin, forced; "" for a notice
	Purpose  password.Purpose
	MemberID int64 // whom the mail is for, if Addressed
	// Addressed is false if there is no one to mail to: the row is written all the
	// same, and dropped by the worker.
	Addressed bool
	// Stored is whether an order that is not addressed is kept with MemberID all the
	// same: the decoy row that a registration wrote, as new as a member's is.
	Stored  bool
	GroupID int64              // 0: no group
	Token   password.TokenHash // zero: no token
	Created time.Time
	Expires time.Time // of the token, and of the worth of sending; zero: never
	Options Options
}

// Options are what a request asked for about its mail.
type Options struct {
	HideIgnoreMessage bool   `json:"hideIgnoreMessage,omitempty"`
	RedirectURL       string `json:"redirectUrl,omitempty"`
	Language          string `json:"language,omitempty"`
	// Address is where the mail goes if not to the member's own: a new address
	// that it confirms, or the old one that it tells.
	Address string `json:"address,omitempty"`
	// Client is where the request came from, as a notice tells it; "": it is not told.
	Client string `json:"client,omitempty"`
}

// FoundToken is what is known about a token that was presented.
type FoundToken struct {
	ID       mail.ID
	MemberID int64 // 0: none, or an order that was not addressed
	GroupID  int64
	Purpose  password.Purpose
	Expires  time.Time
	Used     bool // spent or voided
	Options  Options
}

// Completion is a password change, all of it or nothing.
type Completion struct {
	MemberID int64
	// Token is spent by the change: exactly one Completion of a token wins.
	// Zero: an administrator's change, which needs none.
	Token    password.TokenHash
	Password password.Hash
	Notice   Order // queued with the change; no notice if its ID is zero
	// KeepGrant is a refresh token of the member that stays, with its access tokens; 0: none.
	KeepGrant int64
	At        time.Time
}

// EmailConfirmation is a change of an address that was confirmed.
type EmailConfirmation struct {
	MemberID int64
	Token    password.TokenHash
	Email    string
	At       time.Time
	Notice   Order // to the address until then, if there is one
}

// MailInput is what the mail of an order is made of.
type MailInput struct {
	Order  Order
	Used   bool // its token was spent or voided meanwhile
	Member Member
	Group  groups.Group // zero: none
	// OverLimit: as many as the limit of the member's other orders with a token, of the
	// hour before this one and since, were sent already, or come before it and were not dropped.
	OverLimit bool
}

// Store is the database as the use cases need it. Its errors wrap
// errcodes.Unavailable while the database can't be used.
type Store interface {
	MemberStore
	OrderStore
	GroupStore
	SessionStore
	ClientStore
	SiteStore
	SiteTokenStore
	HelpDeskStore
	AdminStore
}

// MemberFinder looks members up.
type MemberFinder interface {
	// FindMember runs the same statements, each of which reads one row, for a
	// member and for an unknown one, so that a miss costs what a hit costs.
	FindMember(ctx context.Context, l Lookup) (Found, error)
}

// MemberStore keeps members.
type MemberStore interface {
	MemberFinder
	// AddMembers inserts members with the groups they join, all or none, and
	// returns their ids. An identifier that is taken yields a *TakenError.
	AddMembers(ctx context.Context, m []NewMember) ([]int64, error)
	// Register adds a member with the order that it returns for the id; if an
	// identifier is taken, nobody in the member's place, at the same cost. A
	// *TakenError is one that was taken meanwhile.
	Register(ctx context.Context, m Member, taken bool, order func(id int64) Order) (id int64, err error)
	// Activate activates a member who may be, and spends the token, if any; it
	// reports false, and changes nothing, if either can't be.
	Activate(ctx context.Context, member int64, t password.TokenHash, at time.Time) (bool, error)
	// ChangeMember makes a change, all or nothing; false if the member is locked or
	// disabled and the change needs that it isn't. MissingMember, *TakenError.
	ChangeMember(ctx context.Context, c MemberChange) (bool, error)
	// ConfirmEmail changes an address and spends the token; false as Complete. *TakenError.
	ConfirmEmail(ctx context.Context, c EmailConfirmation) (bool, error)
	// SetLocked sets or lifts an administrator's lock; lifting clears the lock
	// after failed sign-ins too.
	SetLocked(ctx context.Context, member int64, locked bool) error
	// Rehash replaces a hash by one of the same password, unless the password
	// was changed meanwhile.
	Rehash(ctx context.Context, member int64, old, renewed password.Hash) error
	// DecoyHash returns the hash of some member, the same one for the same number
	// as long as no member is added; "" if that member has none.
	DecoyHash(ctx context.Context, number uint64) (password.Hash, error)
}

// OrderStore keeps orders, which are tokens' records too.
type OrderStore interface {
	// AddOrder inserts the one row of a request.
	AddOrder(ctx context.Context, o Order) error
	// AddHandedOver inserts the row of a token that an administrator hands over:
	// its mail is dropped from the start.
	AddHandedOver(ctx context.Context, o Order) error
	// FindToken returns the record of a token, the zero record if there is none.
	FindToken(ctx context.Context, t password.TokenHash) (FoundToken, error)
	// Complete changes a password in one transaction: the token spent by a
	// guarded update, the temporary lock lifted, the member activated if it
	// was set-password or unactivated, every other token voided, sessions ended,
	// the notice queued. It reports false, and changes nothing, if the
	// token was not there to spend: unknown, used, expired at c.At, or another member's.
	Complete(ctx context.Context, c Completion) (bool, error)
	// MailInputs returns what the mails of orders are made of; orders that are not
	// there are left out.
	MailInputs(ctx context.Context, ids []mail.ID, limit int) (map[mail.ID]MailInput, error)
}

// NewMember is a member to add and the groups to join.
type NewMember struct {
	Member
	Groups []int64
	// Memberships are groups to join in another way than the default one.
	Memberships []Membership
	Line        int // of the import file, for reports
	// Named are the fields that the import file has a value for, as its columns are called.
	Named []string
}

// TakenError is an identifier that another member has already.
type TakenError struct {
	Index int    // of the member in the call
	Field string // username or email
}

// Error names the field, not the value.
func (e *TakenError) Error() string { return e.Field + " is taken" }

// GroupFinder looks groups up.
type GroupFinder interface {
	// FindGroup returns the group of that name, or else the zero Group.
	FindGroup(ctx context.Context, name string) (groups.Group, error)
	// FindGroupID returns the group of that id, or else the zero Group.
	FindGroupID(ctx context.Context, id int64) (groups.Group, error)
}

// GroupStore keeps groups and who belongs to them.
type GroupStore interface {
	GroupFinder
	AddGroup(ctx context.Context, g groups.Group) (int64, error)
	ListGroups(ctx context.Context) ([]groups.Group, error)
	// SetMembership joins a member to a group, or lets it leave; it reports whether that changed anything.
	SetMembership(ctx context.Context, group, member int64, in bool) (bool, error)
	// Join joins a member to a group, or changes the membership; it reports whether that changed anything.
	Join(ctx context.Context, m Membership) (bool, error)
	// FindMembership returns a membership, the zero Membership if there is none.
	FindMembership(ctx context.Context, group, member int64) (Membership, error)
	// MembershipsOf returns a member's memberships by the groups' names.
	MembershipsOf(ctx context.Context, member int64) ([]Membership, error)
	// SearchMemberships returns a page of those of a group that a search finds, by the members' ids.
	SearchMemberships(ctx context.Context, group int64, q MembershipSearch) ([]Membership, error)
}
