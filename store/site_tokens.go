package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

const siteByClient statement = `SELECT ` + siteColumns + ` FROM sites AS s WHERE s.client_id = ?`

// FindClientSite returns the site of that client id, the zero WixSite where
// there is none.
func (s *Store) FindClientSite(ctx context.Context, client string) (members.WixSite, error) {
	var site members.WixSite
	err := s.row(ctx, siteByClient, []any{s.exact(client)}, siteDest(&site)...)
	if err := s.fail("find site by client id", ignoreNoRows(err)); err != nil {
		return members.WixSite{}, err
	}
	return site, nil
}

// takenSiteID says which of the ids of a site that could not be added is taken.
func (s *Store) takenSiteID(ctx context.Context, site members.WixSite) error {
	other, err := s.FindSite(ctx, site.UUID)
	if err != nil {
		return err
	}
	if other.Zero() {
		return &members.TakenError{Field: "client id"}
	}
	return &members.TakenError{Field: "id"}
}

// siteOfOrigin finds an origin, with its quotes, in a list that is stored as JSON.
const siteOfOrigin statement = `SELECT COUNT(*) FROM sites AS s WHERE INSTR(s.redirects, ?) > 0`

// SiteAllowsOrigin reports whether any site lists the origin, which must be one
// that ParseOrigin returned.
func (s *Store) SiteAllowsOrigin(ctx context.Context, origin string) (bool, error) {
	var n int
	err := s.row(ctx, siteOfOrigin, []any{`"` + origin + `"`}, &n)
	return n > 0, s.fail("find origin", err)
}

const findSiteToken statement = `
SELECT x.id, x.grant_id, x.challenge, x.redirect, x.created_at, x.expires_at, ` + siteColumns + `, ` + memberColumns + `
FROM site_tokens AS x JOIN sites AS s ON s.id = x.site_id JOIN members AS m ON m.id = COALESCE(x.member_id, 0)
WHERE x.token_hash = ? AND x.kind = ?`

// FindSiteToken returns the token of that kind and hash with its site and
// member, the zero SiteToken if there is none.
func (s *Store) FindSiteToken(ctx context.Context, kind members.SiteTokenKind, hash password.TokenHash) (members.SiteToken, error) {
	t := members.SiteToken{Hash: hash, Kind: kind}
	dest := []any{&t.ID, &t.Grant, &t.Challenge, &t.Redirect, scanTime{&t.Created}, scanTime{&t.Expires}}
	dest = append(append(dest, siteDest(&t.Site)...), memberDest(&t.Member)...)
	err := s.row(ctx, findSiteToken, []any{hash[:], string(kind)}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return members.SiteToken{}, nil
	}
	if err != nil {
		return members.SiteToken{}, s.fail("find token of a site", err)
	}
	t.Member = somebody(t.Member)
	return t, nil
}

const (
	addSiteToken statement = `
INSERT INTO site_tokens (token_hash, kind, site_id, member_id, grant_id, challenge, redirect, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	spendSiteToken statement = `DELETE FROM site_tokens WHERE token_hash = ? AND expires_at >= ?`
	// holdSiteToken changes nothing: it waits for who ends the token, and keeps others waiting.
	holdSiteToken statement = `UPDATE site_tokens SET grant_id = grant_id WHERE token_hash = ? AND expires_at >= ?`
)

// IssueSiteTokens gives out tokens. It reports false, and changes nothing, where
// the token that they are issued for is gone or expired. The new rows come first:
// they wait for changes of the member without holding anything that these want.
func (s *Store) IssueSiteTokens(ctx context.Context, i members.Issue) (bool, error) {
	err := s.inTx(ctx, func(t tx) error { return t.issue(ctx, i) })
	if errors.Is(err, errUndo) {
		return false, nil
	}
	return err == nil, s.fail("issue tokens of a site", err)
}

func (t tx) issue(ctx context.Context, i members.Issue) error {
	keep := i.Keep
	if i.Refresh.Hash != (password.TokenHash{}) {
		id, err := t.addSiteToken(ctx, i.Refresh, keep)
		if err != nil {
			return err
		}
		i.Token.Grant, keep = id, members.MaxAccess
	}
	if _, err := t.addSiteToken(ctx, i.Token, keep); err != nil {
		return err
	}
	switch {
	case i.From == (password.TokenHash{}):
		return nil
	case i.Spend:
		return exactlyOne(t.exec(ctx, spendSiteToken, token(i.From), t.at(i.At)))
	default:
		return exactlyOne(t.exec(ctx, holdSiteToken, token(i.From), t.at(i.At)))
	}
}

// addSiteToken adds a token and drops what its holder has beyond keep.
func (t tx) addSiteToken(ctx context.Context, n members.SiteToken, keep int) (int64, error) {
	id, err := t.insert(ctx, addSiteToken, token(n.Hash), string(n.Kind), n.Site.ID, number(n.Member.ID), n.Grant,
		t.exact(n.Challenge), t.exact(n.Redirect), t.at(n.Created), t.at(n.Expires))
	if err != nil {
		return 0, err
	}
	return id, t.dropBeyond(ctx, id, n, keep)
}

const (
	cutoffMySQL statement = `
SELECT x.id FROM site_tokens AS x WHERE x.site_id = ? AND x.kind = ? AND x.member_id <=> ? AND x.grant_id = ?
ORDER BY x.id DESC LIMIT 1 OFFSET ?`
	cutoffSQLite statement = `
SELECT x.id FROM site_tokens AS x WHERE x.site_id = ? AND x.kind = ? AND x.member_id IS ? AND x.grant_id = ?
ORDER BY x.id DESC LIMIT 1 OFFSET ?`
	dropOldestMySQL statement = `
DELETE FROM site_tokens WHERE site_id = ? AND kind = ? AND member_id <=> ? AND grant_id = ? AND id <= ?`
	dropOldestSQLite statement = `
DELETE FROM site_tokens WHERE site_id = ? AND kind = ? AND member_id IS ? AND grant_id = ? AND id <= ?`
)

// dropStep is how rarely a long list is looked through; it may get longer by that.
const dropStep = 64

func (t tx) dropBeyond(ctx context.Context, id int64, n members.SiteToken, keep int) error {
	if keep > dropStep && id%dropStep != 0 {
		return nil
	}
	holder := []any{n.Site.ID, string(n.Kind), number(n.Member.ID), n.Grant}
	var cutoff int64
	err := t.row(ctx, t.choose(cutoffMySQL, cutoffSQLite), append(holder, keep), &cutoff)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, t.choose(dropOldestMySQL, dropOldestSQLite), append(holder, cutoff)...)
	return err
}

const endGrant statement = `DELETE FROM site_tokens WHERE id = ? OR (grant_id = ? AND grant_id > 0)`

// EndGrant removes a token and the access tokens that belong to it.
func (s *Store) EndGrant(ctx context.Context, grant int64) error {
	_, err := s.exec(ctx, endGrant, grant, grant)
	return s.fail("end grant", err)
}

const (
	purgeSiteTokensMySQL  statement = `DELETE FROM site_tokens WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?`
	purgeSiteTokensSQLite statement = `
DELETE FROM site_tokens WHERE id IN (SELECT x.id FROM site_tokens AS x
	WHERE x.expires_at < ? ORDER BY x.expires_at LIMIT ?)`
)

// PurgeSiteTokens deletes up to limit tokens of sites that ended before a time
// and returns how many.
func (s *Store) PurgeSiteTokens(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeSiteTokensMySQL, purgeSiteTokensSQLite), s.at(before), limit)
	return int(n), s.fail("purge tokens of sites", err)
}
