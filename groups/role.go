package groups

import (
	"slices"
)

// Role is what a member may do in a group (contract 1.10).
type Role string

// The roles of contract 1.10.
const (
	Guest       Role = "guest"
	Contributor Role = "contributor"
	Reviewer    Role = "reviewer"
	Approver    Role = "approver"
	Manager     Role = "manager"
	Moderator   Role = "moderator"
)

// Roles returns the roles, the least first.
func Roles() []Role { return []Role{Guest, Contributor, Reviewer, Approver, Manager, Moderator} }

// Valid reports whether there is such a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// Manages reports whether the role is a manager's or a higher one.
func (r Role) Manages() bool { return r == Manager || r == Moderator }

// Notification is how often a member of a group is notified (contract 1.10).
type Notification string

// The notifications of contract 1.10.
const (
	None      Notification = "none"
	Immediate Notification = "immediate"
	Daily     Notification = "daily"
	Weekly    Notification = "weekly"
)

// Notifications returns all that there are.
func Notifications() []Notification { return []Notification{None, Immediate, Daily, Weekly} }

// Valid reports whether there is such a notification.
func (n Notification) Valid() bool { return slices.Contains(Notifications(), n) }
