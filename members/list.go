package members

import "time"

// ListFilter picks members; zero fields pick all.
type ListFilter struct {
	After  int64 // ids above this one
	Status Status
	Group  int64  // that they belong to
	Start  string // of a username, an address, a first name or a surname
	Admin  bool   // administrators alone
	Locked bool   // locked ones alone, at Now
	Now    time.Time
	Limit  int
}
