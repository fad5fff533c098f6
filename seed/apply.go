package seed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
)

// Store is what seeding needs of the store.
type Store interface {
	AddGroup(ctx context.Context, g groups.Group) (int64, error)
	FindGroup(ctx context.Context, name string) (groups.Group, error)
	AddMembers(ctx context.Context, m []members.NewMember) ([]int64, error)
	AddSite(ctx context.Context, s members.WixSite) error
	FindSite(ctx context.Context, uuid string) (members.WixSite, error)
	AddKey(ctx context.Context, k members.APIKey, hash password.TokenHash) (int64, error)
	AddClient(ctx context.Context, c members.Client) error
}

// IDs are the numbers that the store gave: of groups by name, of members by
// username or else by email, of API keys by the key.
type IDs struct {
	Groups  map[string]int64 `json:"groups"`
	Members map[string]int64 `json:"members"`
	Keys    map[string]int64 `json:"-"`
}

// Seeder puts documents into a store.
type Seeder struct {
	Store Store
	Hash  func(ctx context.Context, pw string) (password.Hash, error)
	Now   func() time.Time
}

// Apply validates the whole document, then adds what it holds, in its order.
// Groups that members and sites name may be in the document or in the store.
// An error names the entry; what was added before it stays.
func (s *Seeder) Apply(ctx context.Context, d *Document) (IDs, error) {
	ids := IDs{Groups: map[string]int64{}, Members: map[string]int64{}, Keys: map[string]int64{}}
	if err := d.Validate(); err != nil {
		return ids, err
	}
	for _, g := range d.Groups {
		id, err := s.Store.AddGroup(ctx, groups.Group{Name: g.Name, Title: g.Title, Description: g.Description})
		if err != nil {
			return ids, fmt.Errorf("seed group %s: %w", g.Name, err)
		}
		ids.Groups[g.Name] = id
	}
	if err := s.addSites(ctx, d.Sites, ids); err != nil {
		return ids, err
	}
	if err := s.addMembers(ctx, d.Members, ids); err != nil {
		return ids, err
	}
	return ids, s.addClients(ctx, d.Clients, ids)
}

// Validate returns all that is wrong with the document itself, nil if nothing is.
func (d *Document) Validate() error {
	var faults []error
	fault := func(what, name string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("seed %s %s: %w", what, name, err))
		}
	}
	for _, g := range d.Groups {
		fault("group", g.Name, groups.Validate(groups.Group{Name: g.Name, Title: g.Title, Description: g.Description}))
	}
	for _, m := range d.Members {
		_, err := m.member(time.Time{})
		fault("member", m.name(), err)
	}
	for _, x := range d.Sites {
		_, err := x.site(0)
		fault("site", x.ID, err)
	}
	for _, c := range d.Clients {
		if c.ID == "" || c.Secret == "" || c.Name == "" {
			fault("client", c.Name, errors.New("want id, secret and name"))
		}
	}
	if d.Clock != "" {
		_, err := time.Parse(time.RFC3339, d.Clock)
		fault("clock", d.Clock, err)
	}
	return errors.Join(faults...)
}

func (m Member) name() string {
	if m.Username != "" {
		return m.Username
	}
	return m.Email
}

// member returns the member without password and groups.
func (m Member) member(now time.Time) (members.NewMember, error) {
	n := members.NewMember{Member: members.Member{
		Username: m.Username, Email: members.ASCIIAddress(m.Email), Firstname: m.Firstname, Surname: m.Surname,
		Status: members.Status(m.Status), Language: m.Language,
		Admin: m.Admin, APIAccount: m.APIAccount, Locked: m.Locked,
	}}
	if n.Status == "" {
		n.Status = members.Activated
	}
	if m.LockedFor != "" {
		d, err := time.ParseDuration(m.LockedFor)
		if err != nil {
			return n, fmt.Errorf("locked-for: %w", err)
		}
		n.LockedUntil = now.Add(d)
	}
	return n, members.Validate(n, true)
}

func (s *Seeder) addMembers(ctx context.Context, list []Member, ids IDs) error {
	all := make([]members.NewMember, 0, len(list))
	hashes := map[string]password.Hash{} // members of a test often share a password
	for _, m := range list {
		n, err := m.member(s.Now())
		if err != nil {
			return err
		}
		for _, name := range m.Groups {
			id, err := s.group(ctx, name, ids)
			if err != nil {
				return fmt.Errorf("seed member %s: %w", m.name(), err)
			}
			n.Groups = append(n.Groups, id)
		}
		if m.Password != "" {
			if hashes[m.Password] == "" {
				if hashes[m.Password], err = s.Hash(ctx, m.Password); err != nil {
					return fmt.Errorf("seed member %s: %w", m.name(), err)
				}
			}
			n.Password = hashes[m.Password]
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil
	}
	added, err := s.Store.AddMembers(ctx, all)
	var taken *members.TakenError
	if errors.As(err, &taken) {
		return fmt.Errorf("seed member %s: %w", list[taken.Index].name(), err)
	}
	if err != nil {
		return fmt.Errorf("seed members: %w", err)
	}
	for i, id := range added {
		ids.Members[list[i].name()] = id
	}
	return nil
}

// group returns the id of a group of the document or of the store.
func (s *Seeder) group(ctx context.Context, name string, ids IDs) (int64, error) {
	if id, ok := ids.Groups[name]; ok {
		return id, nil
	}
	g, err := s.Store.FindGroup(ctx, name)
	if err == nil && g.Zero() {
		err = fmt.Errorf("there is no group %q", name)
	}
	return g.ID, err
}

// site returns the site of a group.
func (x Site) site(group int64) (members.WixSite, error) {
	site := members.WixSite{GroupID: group, AllowRegister: x.Register}
	var err error
	if site.UUID, err = members.ParseSiteID(x.ID); err != nil {
		return site, err
	}
	if x.ClientID != "" {
		if site.ClientID, err = members.ParseSiteID(x.ClientID); err != nil {
			return site, fmt.Errorf("client id: %w", err)
		}
	}
	for _, redirect := range x.Redirects {
		origin, err := members.ParseOrigin(redirect)
		if err != nil {
			return site, fmt.Errorf("redirect %q: %w", redirect, err)
		}
		site.Redirects = append(site.Redirects, origin)
	}
	for _, k := range x.Keys {
		if k.Key == "" {
			return site, errors.New("an API key is empty")
		}
		if i := slices.IndexFunc(k.Scopes, func(scope string) bool { return members.Scope(scope) != members.ManageMembers }); i >= 0 {
			return site, fmt.Errorf("there is no scope %q", k.Scopes[i])
		}
	}
	return site, nil
}

func (s *Seeder) addSites(ctx context.Context, list []Site, ids IDs) error {
	for _, x := range list {
		if err := s.addSite(ctx, x, ids); err != nil {
			return fmt.Errorf("seed site %s: %w", x.ID, err)
		}
	}
	return nil
}

func (s *Seeder) addSite(ctx context.Context, x Site, ids IDs) error {
	group, err := s.group(ctx, x.Group, ids)
	if err != nil {
		return err
	}
	site, err := x.site(group)
	if err != nil {
		return err
	}
	if err := s.Store.AddSite(ctx, site); err != nil {
		return err
	}
	if site, err = s.Store.FindSite(ctx, site.UUID); err != nil {
		return err
	}
	for _, k := range x.Keys {
		key := members.APIKey{Site: site}
		for _, scope := range k.Scopes {
			key.Scopes = append(key.Scopes, members.Scope(scope))
		}
		if ids.Keys[k.Key], err = s.Store.AddKey(ctx, key, password.HashToken(k.Key)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Seeder) addClients(ctx context.Context, list []Client, ids IDs) error {
	for _, c := range list {
		client := members.Client{ID: c.ID, Name: c.Name, Secret: password.HashToken(c.Secret)}
		if c.Member != "" {
			id, ok := ids.Members[c.Member]
			if !ok {
				return fmt.Errorf("seed client %s: there is no member %q in the document", c.ID, c.Member)
			}
			client.Member.ID = id
		}
		if err := s.Store.AddClient(ctx, client); err != nil {
			return fmt.Errorf("seed client %s: %w", c.ID, err)
		}
	}
	return nil
}
