package wix

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/reseed-project/reseed/members"
)

// member is a member as the Members API shows one. The vendor's ids are GUIDs.
type member struct {
	ID             string   `json:"id"`
	LoginEmail     string   `json:"loginEmail,omitempty"`
	Status         string   `json:"status"`
	ContactID      string   `json:"contactId,omitempty"`
	Contact        *contact `json:"contact,omitempty"`
	Profile        profile  `json:"profile"`
	PrivacyStatus  string   `json:"privacyStatus"`
	ActivityStatus string   `json:"activityStatus"`
	Created        string   `json:"createdDate,omitempty"`
	LastLogin      string   `json:"lastLoginDate,omitempty"`
}

type profile struct {
	Nickname string `json:"nickname"`
}

type contact struct {
	FirstName string   `json:"firstName,omitempty"`
	LastName  string   `json:"lastName,omitempty"`
	Emails    []string `json:"emails"`
}

// newMember returns what a set of fields shows: PUBLIC the id and the name,
// EXTENDED the statuses too, FULL all there is.
func newMember(m members.Member, set string) member {
	const unknown = "UNKNOWN"
	shown := member{
		ID: memberID(m.ID), Profile: profile{nickname(m)}, Status: unknown, PrivacyStatus: unknown, ActivityStatus: unknown,
	}
	if set == "PUBLIC" {
		return shown
	}
	shown.Status, shown.PrivacyStatus, shown.ActivityStatus = memberStatus(m), "PRIVATE", "ACTIVE"
	if set == "EXTENDED" {
		return shown
	}
	shown.LoginEmail, shown.ContactID = m.Email, shown.ID
	shown.Contact = &contact{m.Firstname, m.Surname, []string{m.Email}}
	shown.Created, shown.LastLogin = timestamp(m.Created), timestamp(m.LastLogin)
	return shown
}

func nickname(m members.Member) string {
	if name := m.Fullname(); name != "" {
		return name
	}
	name, _, _ := strings.Cut(m.Email, "@")
	return name
}

func memberStatus(m members.Member) string {
	switch {
	case m.Refused():
		return "BLOCKED"
	case m.Status == members.Activated:
		return "APPROVED"
	default:
		return "PENDING"
	}
}

// identity is a member as the Identity API shows one.
type identity struct {
	ID      string          `json:"id"`
	Created string          `json:"createdDate,omitempty"`
	Profile identityProfile `json:"identityProfile"`
	Email   identityEmail   `json:"email"`
	Status  identityStatus  `json:"status"`
}

type identityProfile struct {
	FirstName string   `json:"firstName,omitempty"`
	LastName  string   `json:"lastName,omitempty"`
	Emails    []string `json:"emails"`
	Language  string   `json:"language,omitempty"`
}

type identityEmail struct {
	Address string `json:"address"`
}

type identityStatus struct {
	Name string `json:"name"`
}

func newIdentity(m members.Member) *identity {
	return &identity{
		ID: memberID(m.ID), Created: timestamp(m.Created), Email: identityEmail{m.Email}, Status: identityStatus{"ACTIVE"},
		Profile: identityProfile{m.Firstname, m.Surname, []string{m.Email}, m.Language},
	}
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// memberID writes a member's number as a GUID (RFC 9562), which is what clients
// of the vendor's expect an id to be.
func memberID(n int64) string {
	return fmt.Sprintf("00000000-%04x-4000-8000-%012x", n>>48, n&(1<<48-1))
}

// parseMemberID reads what memberID wrote.
func parseMemberID(s string) (int64, bool) {
	id, err := members.ParseSiteID(s)
	if err != nil || !strings.HasPrefix(id, "00000000-") || id[13:24] != "-4000-8000-" {
		return 0, false
	}
	n, err := strconv.ParseUint(id[9:13]+id[24:], 16, 63)
	return int64(n), err == nil && n > 0
}
