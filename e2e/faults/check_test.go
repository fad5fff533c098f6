package faults

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/reseed-project/reseed/password"
)

const (
	openOrders = `SELECT COUNT(id) FROM mails WHERE state IN ('new', 'pending', 'sending')`
	allOrders  = `SELECT m.email, o.id, o.template, o.state, o.outcome, o.token_hash IS NOT NULL, o.used_at IS NOT NULL
FROM mails AS o JOIN members AS m ON m.id = o.member_id AND m.id > 0 AND o.addressed = 1`
	allMembers = `SELECT email, password_hash, password_changed_at IS NOT NULL FROM members WHERE id > 0`
)

// order is a row of mails, as far as the checks look at it.
type order struct {
	email, id, template, state, outcome string
	hasToken, used                      bool
}

// drain waits until no mail is left to send.
func (s *site) drain(limit time.Duration) {
	s.t.Helper()
	eventually(s.t, limit, "all mails are settled", func() bool {
		var n int
		return s.db.QueryRow(openOrders).Scan(&n) == nil && n == 0
	})
}

func (s *site) orders(from *sql.Tx) []order {
	s.t.Helper()
	rows, err := from.Query(allOrders)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	var list []order
	for rows.Next() {
		var o order
		var id []byte
		if err := rows.Scan(&o.email, &id, &o.template, &o.state, &o.outcome, &o.hasToken, &o.used); err != nil {
			s.t.Fatal(err)
		}
		o.id = hex.EncodeToString(id)
		list = append(list, o)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return list
}

// standing is what the database says about a member.
type standing struct {
	hash     string
	changed  bool
	requests []order // with a token
	notices  []order
}

// standings reads all at one moment: a change whose client was not told may
// still be under way.
func (s *site) standings() map[string]*standing {
	s.t.Helper()
	moment, err := s.db.Begin()
	if err != nil {
		s.t.Fatal(err)
	}
	defer moment.Rollback()
	rows, err := moment.Query(allMembers)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]*standing{}
	for rows.Next() {
		var email string
		m := &standing{}
		if err := rows.Scan(&email, &m.hash, &m.changed); err != nil {
			s.t.Fatal(err)
		}
		all[email] = m
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	for _, o := range s.orders(moment) {
		if m := all[o.email]; o.hasToken {
			m.requests = append(m.requests, o)
		} else {
			m.notices = append(m.notices, o)
		}
	}
	return all
}

// figures are what a run of faults came to.
type figures struct {
	Kills, Answered, Delivered, Duplicates, Changes, Dead int
}

// check holds the site against what must be true after any fault, when all is
// drained (requirements 4.3). servers must be running: tokens are tried again.
func (s *site) check(l *load) figures {
	s.t.Helper()
	f := &faults{t: s.t}
	all := s.standings()
	mails := s.checkMails(f)
	fig := figures{Kills: len(s.kills), Answered: len(l.acked), Delivered: len(mails), Changes: len(l.changes)}
	fig.Duplicates = len(s.box.accepted()) - len(mails)
	for email := range l.acked {
		if len(all[email].requests) == 0 {
			f.errorf("%s: the answered request left no row", email)
		}
	}
	for email, m := range all {
		for _, o := range append(m.requests, m.notices...) {
			switch _, delivered := mails[o.id]; {
			case o.state == "sent" && !delivered:
				f.errorf("%s: mail %s is settled as sent and never came", email, o.id)
			case o.state == "dead" && o.outcome != "":
				fig.Dead++
			case o.state == "dropped" && m.changed && o.outcome == "the token is no longer valid":
			case o.state != "sent":
				f.errorf("%s: mail %s is %s: %s", email, o.id, o.state, o.outcome)
			}
		}
		wholeChange(f, email, m)
	}
	s.checkChanges(f, l, all)
	return fig
}

// checkMails holds every message against the others with its Message-ID, and
// allows a second copy only if a crash fell between the first one's begin
// and it: that is windows 3 and 4.
func (s *site) checkMails(f *faults) map[string]delivery {
	f.t.Helper()
	last, tokens := map[string]delivery{}, map[string]string{}
	for _, d := range s.box.accepted() {
		first, repeated := last[d.order]
		last[d.order] = d
		if other, ok := tokens[d.token]; ok && d.token != "" && other != d.order {
			f.errorf("mails %s and %s carry one token", other, d.order)
		}
		tokens[d.token] = d.order
		if !repeated {
			continue
		}
		if first.token != d.token || first.to != d.to || !bytes.Equal(first.data, d.data) {
			f.errorf("mail %s came twice and differs", d.id)
		}
		if !s.killed(first.from, first.began, d.at) {
			f.errorf("mail %s came twice (%s at %d, %s at %d), and nobody was killed in between", d.id, first.from, first.at, d.from, d.at)
		}
	}
	return last
}

// killed reports whether the server crashed between two moments, or its database
// was away some of that time.
func (s *site) killed(name string, from, to int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kills {
		ours := k.whom == name && k.at > from || k.whom == "database" && max(k.at, k.until) > from
		if ours && k.at < to {
			return true
		}
	}
	return false
}

// wholeChange checks that a password change happened with all it brings along
// or not at all.
func wholeChange(f *faults, email string, m *standing) {
	f.t.Helper()
	if (m.hash != "") != m.changed {
		f.errorf("%s: password and its date disagree", email)
	}
	if m.changed != (len(m.notices) == 1) {
		f.errorf("%s: changed %t, with %d notices", email, m.changed, len(m.notices))
	}
	for _, o := range m.requests {
		if o.used != m.changed {
			f.errorf("%s: changed %t, and its token %s is used %t", email, m.changed, o.id, o.used)
		}
	}
}

// verified is how many passwords are checked against their hashes, which is
// slow by intention.
const verified = 10

// checkChanges holds what clients were told about passwords against the
// database, and tries every token again.
func (s *site) checkChanges(f *faults, l *load, all map[string]*standing) {
	f.t.Helper()
	hasher := newHasher(f.t)
	for i, c := range l.changes {
		m := all[c.to]
		switch {
		case c.outcome == ok && !m.changed:
			f.errorf("%s was told that its password is changed, and it is not", c.to)
		case c.outcome == refused && !m.changed:
			f.errorf("%s was refused its unused token", c.to)
		case c.outcome != ok && c.outcome != refused && c.outcome != unknown:
			f.errorf("%s: %s", c.to, c.outcome)
		}
		if m.changed && i < verified {
			if v, err := hasher.Verify(context.Background(), password.Hash(m.hash), c.password); err != nil || !v.OK {
				f.errorf("%s: the stored password is not the one that was set: %v", c.to, err)
			}
		}
		again := c
		again.password = "Second-use-of-a-token-9"
		if !m.changed {
			continue
		}
		if got := complete(l.client, s.servers[0], again); got != refused {
			f.errorf("%s: the used token's second use is %s", c.to, got)
		}
	}
}
