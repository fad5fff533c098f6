package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/reseed-project/reseed/members"
)

// siteColumns are a site's columns in the order of siteDest. The table goes by
// s in every statement.
const siteColumns = `s.id, s.uuid, s.client_id, s.group_id, s.redirects, s.allow_register, s.created_at`

func siteDest(s *members.WixSite) []any {
	return []any{&s.ID, &s.UUID, &s.ClientID, &s.GroupID, scanList{&s.Redirects}, &s.AllowRegister, scanTime{&s.Created}}
}

const (
	siteByUUID statement = `SELECT ` + siteColumns + ` FROM sites AS s WHERE s.uuid = ?`
	listSites  statement = `SELECT ` + siteColumns + ` FROM sites AS s ORDER BY s.id`
	addSite    statement = `
INSERT INTO sites (uuid, client_id, group_id, redirects, allow_register, created_at) VALUES (?, ?, ?, ?, ?, ?)`
	removeSite statement = `DELETE FROM sites WHERE uuid = ?`
)

// FindSite returns the site of that UUID, the zero WixSite if there is none.
func (s *Store) FindSite(ctx context.Context, uuid string) (members.WixSite, error) {
	var site members.WixSite
	err := s.row(ctx, siteByUUID, []any{s.exact(uuid)}, siteDest(&site)...)
	if err := s.fail("find site", ignoreNoRows(err)); err != nil {
		return members.WixSite{}, err
	}
	return site, nil
}

// AddSite inserts a site; Created is now if it is zero, and ClientID the UUID
// if it is "". An id that is taken yields a *members.TakenError with the field
// "id" or "client id".
func (s *Store) AddSite(ctx context.Context, site members.WixSite) error {
	redirects, err := encodeList(site.Redirects)
	if err != nil {
		return err
	}
	if site.Created.IsZero() {
		site.Created = s.now()
	}
	if site.ClientID == "" {
		site.ClientID = site.UUID
	}
	_, err = s.exec(ctx, addSite, s.exact(site.UUID), s.exact(site.ClientID), site.GroupID, redirects, site.AllowRegister, s.at(site.Created))
	if duplicate(err) {
		return s.takenSiteID(ctx, site)
	}
	return s.fail("add site", err)
}

// ListSites returns all sites, oldest first.
func (s *Store) ListSites(ctx context.Context) ([]members.WixSite, error) {
	rows, err := s.query(ctx, listSites)
	if err != nil {
		return nil, s.fail("list sites", err)
	}
	var list []members.WixSite
	err = each(rows, func(r *sql.Rows) error {
		var site members.WixSite
		if err := r.Scan(siteDest(&site)...); err != nil {
			return err
		}
		list = append(list, site)
		return nil
	})
	return list, s.fail("list sites", err)
}

// RemoveSite removes a site with its keys and counters, and reports whether
// there was one.
func (s *Store) RemoveSite(ctx context.Context, uuid string) (bool, error) {
	n, err := s.exec(ctx, removeSite, s.exact(uuid))
	return n == 1, s.fail("remove site", err)
}

func encodeList(list []string) (string, error) {
	if list == nil {
		list = []string{}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// scanList scans what encodeList wrote.
type scanList struct{ to *[]string }

// Scan reads a JSON array of texts.
func (d scanList) Scan(src any) error {
	*d.to = nil
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), d.to)
	case []byte:
		return json.Unmarshal(v, d.to)
	}
	return errors.New("a list is no text")
}
