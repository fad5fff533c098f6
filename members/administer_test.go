package members

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/groups"
)

// recorded keeps events.
type recorded []Event

func (r *recorded) Record(_ context.Context, e Event) { *r = append(*r, e) }

// TestAdministrationIsForAdministratorsAlone holds that nobody else gets as far
// as the store, and that each attempt is a security event.
func TestAdministrationIsForAdministratorsAlone(t *testing.T) {
	ctx := t.Context()
	for name, act := range map[string]func(*Service, Caller) error{
		"add a member":    func(s *Service, c Caller) error { _, err := s.AddMember(ctx, c, NewMember{}, ""); return err },
		"set a member":    func(s *Service, c Caller) error { return s.SetMember(ctx, c, Member{}, Edit{}) },
		"remove a member": func(s *Service, c Caller) error { return s.RemoveMember(ctx, c, 1, nil) },
		"set a password": func(s *Service, c Caller) error {
			return s.SetPassword(ctx, c, Member{ID: 1}, "purple Otter 42", false)
		},
		"send a link": func(s *Service, c Caller) error {
			_, err := s.QueueLink(ctx, c, Member{ID: 1}, groups.Group{})
			return err
		},
		"hand a link over": func(s *Service, c Caller) error {
			_, _, err := s.HandOver(ctx, c, Member{ID: 1}, groups.Group{})
			return err
		},
		"lock":            func(s *Service, c Caller) error { return s.Lock(ctx, c, 1) },
		"unlock":          func(s *Service, c Caller) error { _, err := s.Unlock(ctx, c, "1"); return err },
		"add a group":     func(s *Service, c Caller) error { _, err := s.AddGroup(ctx, c, groups.Group{}); return err },
		"set a group":     func(s *Service, c Caller) error { return s.SetGroup(ctx, c, groups.Group{}) },
		"remove a group":  func(s *Service, c Caller) error { return s.RemoveGroup(ctx, c, groups.Group{}) },
		"join a group":    func(s *Service, c Caller) error { _, err := s.Join(ctx, c, Membership{}); return err },
		"leave a group":   func(s *Service, c Caller) error { _, err := s.Leave(ctx, c, Membership{}); return err },
		"add a site":      func(s *Service, c Caller) error { return s.AddSite(ctx, c, WixSite{}) },
		"remove a site":   func(s *Service, c Caller) error { return s.RemoveSite(ctx, c, WixSite{}) },
		"add a key":       func(s *Service, c Caller) error { _, err := s.AddKey(ctx, c, APIKey{}, "key"); return err },
		"remove a key":    func(s *Service, c Caller) error { _, err := s.RemoveKey(ctx, c, 1); return err },
		"add a client":    func(s *Service, c Caller) error { return s.AddClient(ctx, c, Client{}) },
		"remove a client": func(s *Service, c Caller) error { _, err := s.RemoveClient(ctx, c, "id"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			for _, caller := range []Caller{{}, {Member: Member{ID: 1}}, {Member: Member{Admin: true}}} {
				var events recorded
				s := NewService(Config{Audit: &events, Now: func() time.Time { return time.Unix(1000, 0) }})
				if err := act(s, caller); !errors.Is(err, errcodes.New(errcodes.Forbidden)) {
					t.Errorf("%+v: %v, want 0101", caller, err)
				}
				if len(events) != 1 || events[0].Code != "0101" {
					t.Errorf("%+v: events %+v", caller, events)
				}
			}
		})
	}
}
