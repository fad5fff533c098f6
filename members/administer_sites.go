package members

import (
	"context"
	"fmt"

	"github.com/reseed-project/reseed/password"
)

// AddSite adds a Wix site. Errors: 403 0101 for anyone but administrators; 1004
// with a *TakenError.
func (s *Service) AddSite(ctx context.Context, caller Caller, site WixSite) error {
	err := s.asAdmin(caller, func() error { return takenFault(s.Store.AddSite(ctx, site)) })
	s.audit(ctx, caller, Event{Kind: SiteChanged, GroupID: site.GroupID, Detail: "added " + site.UUID}, err)
	return err
}

// RemoveSite removes a Wix site and its API keys. Error: 403 0101 for anyone but
// administrators.
func (s *Service) RemoveSite(ctx context.Context, caller Caller, site WixSite) error {
	err := s.asAdmin(caller, func() error {
		_, err := s.Store.RemoveSite(ctx, site.UUID)
		return err
	})
	s.audit(ctx, caller, Event{Kind: SiteChanged, GroupID: site.GroupID, Detail: "removed " + site.UUID}, err)
	return err
}

// AddKey adds an API key of a Wix site, of which the hash alone is kept, and
// returns its number. Errors: 403 0101 for anyone but administrators; 1004 with
// a *TakenError.
func (s *Service) AddKey(ctx context.Context, caller Caller, k APIKey, key string) (id int64, err error) {
	err = s.asAdmin(caller, func() error {
		id, err = s.Store.AddKey(ctx, k, password.HashToken(key))
		return takenFault(err)
	})
	s.audit(ctx, caller, Event{Kind: KeyChanged, GroupID: k.Site.GroupID, Detail: fmt.Sprintf("API key %d added for site %s", id, k.Site.UUID)}, err)
	return id, err
}

// RemoveKey removes an API key and reports whether there was one. Error: 403
// 0101 for anyone but administrators.
func (s *Service) RemoveKey(ctx context.Context, caller Caller, id int64) (bool, error) {
	e := Event{Kind: KeyChanged, Detail: fmt.Sprintf("API key %d removed", id)}
	return s.changeIf(ctx, caller, e, func() (bool, error) { return s.Store.RemoveKey(ctx, id) })
}

// AddClient adds an OAuth client. Error: 403 0101 for anyone but administrators.
func (s *Service) AddClient(ctx context.Context, caller Caller, c Client) error {
	err := s.asAdmin(caller, func() error { return s.Store.AddClient(ctx, c) })
	s.audit(ctx, caller, Event{Kind: KeyChanged, MemberID: c.Member.ID, Detail: "client " + c.ID + " added"}, err)
	return err
}

// RemoveClient removes an OAuth client with its access tokens, and reports
// whether there was one. Error: 403 0101 for anyone but administrators.
func (s *Service) RemoveClient(ctx context.Context, caller Caller, id string) (bool, error) {
	e := Event{Kind: KeyChanged, Detail: "client " + id + " removed"}
	return s.changeIf(ctx, caller, e, func() (bool, error) { return s.Store.RemoveClient(ctx, id) })
}
