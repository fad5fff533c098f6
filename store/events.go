package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
)

// Events are inserted by statements of several rows, which pass over an event
// that is there already, since the answer to an earlier try was lost.
const (
	insertEvents = `
INSERT INTO events (id, at, kind, request_id, member_id, actor, group_id, identifier, client, code, detail)
VALUES `
	eventRow    = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	eventRows4  = eventRow + `, ` + eventRow + `, ` + eventRow + `, ` + eventRow
	eventRows16 = eventRows4 + `, ` + eventRows4 + `, ` + eventRows4 + `, ` + eventRows4
	eventRows64 = eventRows16 + `, ` + eventRows16 + `, ` + eventRows16 + `, ` + eventRows16

	thereMySQL  = ` ON DUPLICATE KEY UPDATE id = id`
	thereSQLite = ` ON CONFLICT (id) DO NOTHING`

	addEventMySQL     statement = insertEvents + eventRow + thereMySQL
	addEvents16MySQL  statement = insertEvents + eventRows16 + thereMySQL
	addEvents64MySQL  statement = insertEvents + eventRows64 + thereMySQL
	addEventSQLite    statement = insertEvents + eventRow + thereSQLite
	addEvents16SQLite statement = insertEvents + eventRows16 + thereSQLite
	addEvents64SQLite statement = insertEvents + eventRows64 + thereSQLite
)

// AddEvents records security events, all or none. Adding one again changes nothing.
func (s *Store) AddEvents(ctx context.Context, events []members.Event) error {
	if len(events) == 0 {
		return nil
	}
	err := s.inTx(ctx, func(t tx) error {
		for rest := events; len(rest) > 0; {
			n, err := t.addEvents(ctx, rest)
			if err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
	return s.fail("add events", err)
}

// addEvents adds the first n events by one statement.
func (t tx) addEvents(ctx context.Context, events []members.Event) (n int, err error) {
	q := t.choose(addEventMySQL, addEventSQLite)
	switch n = 1; {
	case len(events) >= 64:
		n, q = 64, t.choose(addEvents64MySQL, addEvents64SQLite)
	case len(events) >= 16:
		n, q = 16, t.choose(addEvents16MySQL, addEvents16SQLite)
	}
	var args []any
	for _, e := range events[:n] {
		args = append(args, t.eventArgs(e)...)
	}
	_, err = t.exec(ctx, q, args...)
	return n, err
}

func (s *Store) eventArgs(e members.Event) []any {
	return []any{e.ID[:], s.at(e.At), string(e.Kind), fit(e.RequestID, 40), e.MemberID, fit(e.Actor, 120),
		e.GroupID, fit(e.Identifier, 200), fit(e.Client, 64), fit(e.Code, 10), fit(e.Detail, 200)}
}

// fit makes text fit a column of so many characters.
func fit(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= most {
		return text
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// EventFilter picks events; zero fields pick all.
type EventFilter = members.EventFilter

const eventColumns = `e.id, e.at, e.kind, e.request_id, e.member_id, e.actor, e.group_id, e.identifier, e.client, e.code, e.detail`

const (
	eventFilter = `
WHERE (? = '' OR e.kind = ?) AND (? = '' OR e.identifier = ?) AND e.at >= ? AND e.id >= ? AND e.id < ?`
	listEvents statement = `
SELECT ` + eventColumns + ` FROM events AS e` + eventFilter + `
ORDER BY e.id DESC LIMIT ?`
	memberEvents statement = `
SELECT ` + eventColumns + ` FROM events AS e` + eventFilter + ` AND e.member_id = ?
ORDER BY e.id DESC LIMIT ?`
)

// Events returns the security events that f picks, newest first.
func (s *Store) Events(ctx context.Context, f EventFilter) ([]members.Event, error) {
	if f.Limit <= 0 {
		f.Limit = mailLimit
	}
	if f.Before == (mail.ID{}) {
		for i := range f.Before {
			f.Before[i] = 0xff
		}
	}
	if f.Since.IsZero() {
		f.Since = time.Unix(0, 0)
	}
	first := mail.FirstID(f.Since)
	args := []any{string(f.Kind), string(f.Kind), f.Identifier, f.Identifier, s.at(f.Since), first[:], f.Before[:]}
	q := listEvents
	if f.MemberID != 0 {
		q, args = memberEvents, append(args, f.MemberID)
	}
	rows, err := s.query(ctx, q, append(args, f.Limit)...)
	if err != nil {
		return nil, s.fail("list events", err)
	}
	var list []members.Event
	err = each(rows, func(r *sql.Rows) error {
		var e members.Event
		if err := r.Scan(scanID{&e.ID}, scanTime{&e.At}, &e.Kind, &e.RequestID, &e.MemberID, &e.Actor,
			&e.GroupID, &e.Identifier, &e.Client, &e.Code, &e.Detail); err != nil {
			return err
		}
		list = append(list, e)
		return nil
	})
	return list, s.fail("list events", err)
}
