package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

const keyColumns = `k.id, k.scopes, k.created_at, ` + siteColumns

func keyDest(k *members.APIKey) []any {
	return append([]any{&k.ID, scanScopes{&k.Scopes}, scanTime{&k.Created}}, siteDest(&k.Site)...)
}

const (
	keyByHash statement = `
SELECT ` + keyColumns + ` FROM api_keys AS k JOIN sites AS s ON s.id = k.site_id WHERE k.key_hash = ?`
	listKeys statement = `
SELECT ` + keyColumns + ` FROM api_keys AS k JOIN sites AS s ON s.id = k.site_id ORDER BY k.id`
	addKey    statement = `INSERT INTO api_keys (site_id, key_hash, scopes, created_at) VALUES (?, ?, ?, ?)`
	removeKey statement = `DELETE FROM api_keys WHERE id = ?`
)

// FindKey returns the key of that hash with its site, the zero APIKey where
// there is none.
func (s *Store) FindKey(ctx context.Context, hash password.TokenHash) (members.APIKey, error) {
	var k members.APIKey
	err := s.row(ctx, keyByHash, []any{hash[:]}, keyDest(&k)...)
	if err := s.fail("find API key", ignoreNoRows(err)); err != nil {
		return members.APIKey{}, err
	}
	return k, nil
}

// AddKey stores a key of k.Site by its hash and returns its id; Created is now
// if it is zero.
func (s *Store) AddKey(ctx context.Context, k members.APIKey, hash password.TokenHash) (int64, error) {
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	var id int64
	err := s.inTx(ctx, func(t tx) (err error) {
		id, err = t.insert(ctx, addKey, k.Site.ID, hash[:], encodeScopes(k.Scopes), t.at(k.Created))
		return err
	})
	if duplicate(err) {
		return 0, &members.TakenError{Field: "key"}
	}
	if err != nil {
		return 0, s.fail("add API key", err)
	}
	return id, nil
}

// ListKeys returns all keys with their sites, oldest first.
func (s *Store) ListKeys(ctx context.Context) ([]members.APIKey, error) {
	rows, err := s.query(ctx, listKeys)
	if err != nil {
		return nil, s.fail("list API keys", err)
	}
	list, err := collect(rows, keyDest)
	return list, s.fail("list API keys", err)
}

// RemoveKey removes a key and reports whether there was one.
func (s *Store) RemoveKey(ctx context.Context, id int64) (bool, error) {
	n, err := s.exec(ctx, removeKey, id)
	return n == 1, s.fail("remove API key", err)
}

// encodeScopes joins scopes by spaces, as OAuth does.
func encodeScopes(scopes []members.Scope) string {
	words := make([]string, len(scopes))
	for i, scope := range scopes {
		words[i] = string(scope)
	}
	return strings.Join(words, " ")
}

// scanScopes scans what encodeScopes wrote.
type scanScopes struct{ to *[]members.Scope }

// Scan reads words between spaces.
func (d scanScopes) Scan(src any) error {
	var text string
	switch v := src.(type) {
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("scopes can't be a %T", src)
	}
	*d.to = nil
	for _, word := range strings.Fields(text) {
		*d.to = append(*d.to, members.Scope(word))
	}
	return nil
}
