package members

import (
	"context"
	"time"

	"reseed/groups"
	"reseed/mail"
	"reseed/password"
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
	Member        Member // zero where nobody was found, or Conflict
	Row           int64  // of the member whose row was read: for nobody, somebody else's or 0
	Top           int64  // the largest id that is in use
	Conflict      bool   // email and username name two different members
	InGroup       bool   // the member belongs to Lookup.Group
	CallerInGroup bool   // the caller belongs to Lookup.Group
}

// Order is one row that is both a token's record and the order to send the
// mail that carries it. A notice is an order without a token.
type Order struct {
	ID       mail.ID
	Template string // reset-password-confirm, change-password, set-password
	Reason   string // member, admin, forced; "" for a notice
	Purpose  password.Purpose
	// MemberID is whom the mail is for. 0 and below: nobody; the row is written all
	// the same, in the place of the member of that number, and dropped by the worker.
	MemberID int64
	GroupID  int64              // 0: no group
	Token    password.TokenHash // zero: no token
	Created  time.Time
	Expires  time.Time // of the token, and of the worth of sending; zero: never
	Options  Options
}

// Options are what a request asked for about its mail.
type Options struct {
	HideIgnoreMessage bool   `json:"hideIgnoreMessage,omitempty"`
	RedirectURL       string `json:"redirectUrl,omitempty"`
	Language          string `json:"language,omitempty"`
}

// TokenRecord is what is known about a token that was presented.
type TokenRecord struct {
	ID       mail.ID
	MemberID int64
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
	Notice   Order // queued with the change; no notice where its ID is zero
	At       time.Time
}

// OrderDetail is an order with whom and what it is about, for composing.
type OrderDetail struct {
	Order  Order
	Used   bool // its token was spent or voided meanwhile
	Member Member
	Group  groups.Group // zero: none
	// Recent counts the member's other orders with a token since the given time
	// that were sent already, or come before this one and were not dropped.
	Recent int
}

// Resets is what requesting and completing a reset needs of the store.
type Resets interface {
	// FindMember runs one statement that yields one row whoever is asked
	// for, so that a miss costs what a hit costs.
	FindMember(ctx context.Context, l Lookup) (Found, error)
	// AddOrder inserts the one row of a request.
	AddOrder(ctx context.Context, o Order) error
	// FindToken returns the record of a token, the zero record where there is none.
	FindToken(ctx context.Context, t password.TokenHash) (TokenRecord, error)
	// Complete changes a password in one transaction: the token spent by a
	// guarded update, the temporary lock lifted, the member activated where it
	// was set-password or unactivated, every other token voided, sessions ended,
	// the notice queued. It reports false, and changes nothing, where the
	// token was not there to spend: unknown, used, expired at c.At, or another member's.
	Complete(ctx context.Context, c Completion) (bool, error)
	// OrderDetail returns an order for composing; orders since the given time count as recent.
	OrderDetail(ctx context.Context, id mail.ID, since time.Time) (OrderDetail, error)
}

// Registry is what administrators' work needs of the store.
type Registry interface {
	// AddMembers inserts members with the groups they join, all or none, and
	// returns their ids. An identifier that is taken yields a *TakenError.
	AddMembers(ctx context.Context, m []NewMember) ([]int64, error)
	// ListMembers returns up to limit members with an id above after, by id.
	ListMembers(ctx context.Context, after int64, limit int) ([]Member, error)
	// SetLocked sets or lifts an administrator's lock; lifting clears the lock
	// after failed sign-ins too.
	SetLocked(ctx context.Context, member int64, locked bool) error
	// Rehash replaces a hash by one of the same password, unless the password
	// was changed meanwhile.
	Rehash(ctx context.Context, member int64, old, renewed password.Hash) error
	// HashNear returns the hash of the member of that id or else of the nearest
	// below, "" where that one has none.
	HashNear(ctx context.Context, id int64) (password.Hash, error)
}

// NewMember is a member to add and the groups to join.
type NewMember struct {
	Member
	Groups []int64
	Line   int // of the import file, for reports
}

// TakenError is an identifier that another member has already.
type TakenError struct {
	Index int    // of the member in the call
	Field string // username or email
}

// Error names the field, not the value.
func (e *TakenError) Error() string { return e.Field + " is taken" }

// Groups is what is asked of the store about groups.
type Groups interface {
	// FindGroup returns the group of that name, or else the zero Group.
	FindGroup(ctx context.Context, name string) (groups.Group, error)
	// FindGroupID returns the group of that id, or else the zero Group.
	FindGroupID(ctx context.Context, id int64) (groups.Group, error)
	AddGroup(ctx context.Context, g groups.Group) (int64, error)
	ListGroups(ctx context.Context) ([]groups.Group, error)
	// SetMembership joins a member to a group, or lets it leave; it reports whether that changed anything.
	SetMembership(ctx context.Context, group, member int64, in bool) (bool, error)
}
