package store

import (
	"context"
	"database/sql"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
)

// Each of these reads one row in any case: the member's, or for an unknown one
// the row of the next key (of the id before). The row with the id 0 has keys that
// sort behind all others. A miss so takes the same steps as a hit.
const (
	seekUsername statement = `
SELECT m.username_key, ` + memberColumns + ` FROM members AS m WHERE m.username_key >= ? ORDER BY m.username_key LIMIT 1`
	seekEmail statement = `
SELECT m.email_key, ` + memberColumns + ` FROM members AS m WHERE m.email_key >= ? ORDER BY m.email_key LIMIT 1`
	seekID statement = `
SELECT NULL, ` + memberColumns + ` FROM members AS m WHERE m.id <= ? ORDER BY m.id DESC LIMIT 1`
	findMemberships statement = `
SELECT EXISTS (SELECT s.member_id FROM memberships AS s WHERE s.group_id = ? AND s.member_id = ?),
	EXISTS (SELECT s.member_id FROM memberships AS s WHERE s.group_id = ? AND s.member_id = ?)`
)

// FindMember returns the member that l names, the zero Member if there is
// none. It runs one statement for each identifier that is given, and one for the
// group, whether or not there is such a member.
func (s *Store) FindMember(ctx context.Context, l members.Lookup) (members.Found, error) {
	f, err := s.findMember(ctx, l)
	if err == nil && l.Group != 0 {
		args := []any{l.Group, f.Row, l.Group, l.Caller}
		err = s.row(ctx, findMemberships, args, &f.InGroup, &f.CallerInGroup)
		f.InGroup = f.InGroup && !f.Member.Zero()
	}
	if err != nil {
		return members.Found{}, s.fail("find member", err)
	}
	return f, nil
}

// findMember knows nothing of groups.
func (s *Store) findMember(ctx context.Context, l members.Lookup) (f members.Found, err error) {
	var named []seek
	if l.Email != "" {
		named = append(named, s.byKey(l.Email, seekEmail))
	}
	if l.Username != "" {
		named = append(named, s.byKey(l.Username, seekUsername))
	}
	if l.ID != 0 || len(named) == 0 {
		named = append(named, seek{query: seekID, arg: l.ID, id: l.ID})
	}
	agree := true
	for i := range named {
		if err := s.seek(ctx, &named[i]); err != nil {
			return f, err
		}
		agree = agree && named[i].hit && named[i].member.ID == named[0].member.ID
	}
	f.Conflict = l.Email != "" && l.Username != "" && named[0].hit && named[1].hit && !agree &&
		named[0].member.ID != named[1].member.ID
	if agree {
		f.Member = named[0].member
	}
	f.Row = named[0].member.ID
	return f, nil
}

// seek is a look-up by one identifier.
type seek struct {
	query  statement
	arg    any
	key    string // that is looked for; "": the id
	id     int64
	member members.Member // that was read
	hit    bool           // it is the one that was looked for
}

func (s *Store) byKey(identifier string, q statement) seek {
	return seek{query: q, arg: s.key(identifier), key: fold.ASCII(identifier)}
}

func (s *Store) seek(ctx context.Context, k *seek) error {
	var key sql.RawBytes
	rows, err := s.query(ctx, k.query, k.arg)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() { // for what sorts behind the last key: no identifier does
		return rows.Err()
	}
	if err := rows.Scan(append([]any{&key}, memberDest(&k.member)...)...); err != nil {
		return err
	}
	same := string(key) == k.key
	if k.key == "" {
		same = k.member.ID == k.id
	}
	k.hit = same && k.member.ID != 0
	return rows.Close()
}
