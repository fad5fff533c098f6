package main

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time-zone works where the machine has no zones

	"reseed/members"
)

// access returns the limits of signing in and being signed in.
func (c *Config) access() members.Access {
	return members.Access{
		MinBadSignIns: c.MinBadLogins, MaxBadSignIns: c.MaxBadLogins,
		MinLockout: c.MinAccountLockout, MaxLockout: c.MaxAccountLockout,
		SessionIdle: c.SessionTimeout, SessionLife: c.SessionLife, TokenLife: c.AccessTokenLife,
	}
}

// site returns what the mails say about this installation.
func (c *Config) site() members.Site {
	return members.Site{
		Name: c.SiteName, HostURL: c.HostURL, EmailDomain: c.EmailDomain,
		FromName: c.MailFromName, FromAddress: c.MailFromAddress,
	}
}

// secure reports whether members reach this server by HTTPS.
func (c *Config) secure() bool { return strings.HasPrefix(c.HostURL, "https://") }

// zone returns the time zone of dates in answers.
func (c *Config) zone() *time.Location {
	zone, err := loadZone(c.TimeZone)
	if err != nil { // can't be: it was validated
		return time.UTC
	}
	return zone
}

// loadZone refuses "Local", which means another thing on every machine.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q: want an IANA name such as Australia/Sydney", name)
	}
	return zone, nil
}

// checkAccess validates the settings of who is calling, and of what they are told.
func (c *Config) checkAccess(check func(setting string, err error)) {
	const longest = 30 * 24 * time.Hour
	check("min-bad-logins", between(c.MinBadLogins, 1, 100))
	check("max-bad-logins", between(c.MaxBadLogins, max(c.MinBadLogins, 1), 100))
	check("min-account-lockout", between(c.MinAccountLockout, time.Second, longest))
	check("max-account-lockout", between(c.MaxAccountLockout, max(c.MinAccountLockout, time.Second), longest))
	check("session-timeout", between(c.SessionTimeout, time.Minute, longest))
	check("session-life", between(c.SessionLife, time.Minute, longest))
	check("access-token-life", between(c.AccessTokenLife, time.Minute, longest))
	check("version-build", between(c.VersionBuild, 1, 999_999_999))
	_, err := loadZone(c.TimeZone)
	check("time-zone", err)
}
