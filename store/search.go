package store

import (
	"context"
	"strings"

	"github.com/reseed-project/reseed/fold"
	"github.com/reseed-project/reseed/members"
)

// searchMembers reads every member in the end: names have no index, and those
// who search are few.
const searchMembers statement = `
SELECT ` + memberColumns + ` FROM members AS m
WHERE m.id > 0 AND (m.username <> '' OR m.email <> '') AND (m.id = ?
	OR m.username_key LIKE ? ESCAPE '!' OR m.email_key LIKE ? ESCAPE '!'
	OR LOWER(m.firstname) LIKE ? ESCAPE '!' OR LOWER(m.surname) LIKE ? ESCAPE '!'
	OR LOWER(m.firstname) = ? AND LOWER(m.surname) LIKE ? ESCAPE '!')
ORDER BY m.id LIMIT ?`

// SearchMembers returns up to limit members with that id, or whose username,
// address, first name or surname starts with the text, by id. First name and
// surname together are found, too. Upper and lower case of A-Z are the same.
func (s *Store) SearchMembers(ctx context.Context, text string, limit int) ([]members.Member, error) {
	id, _ := members.ParseID(text)
	text = fold.ASCII(text)
	start := likeStart(text)
	first, last, _ := strings.Cut(text, " ")
	rows, err := s.query(ctx, searchMembers, id, s.exact(start), s.exact(start), start, start, first, likeStart(last), limit)
	if err != nil {
		return nil, s.fail("search members", err)
	}
	list, err := collect(rows, memberDest)
	return list, s.fail("search members", err)
}

// likeStart returns the pattern of texts that start with a text.
func likeStart(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
