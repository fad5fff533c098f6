package testserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/reseed-project/reseed/groups"
	"github.com/reseed-project/reseed/members"
)

// DoAnswer is what a change gave: an OAuth client, if it made one.
type DoAnswer struct {
	ClientID     string `json:"client-id,omitempty"`
	ClientSecret string `json:"client-secret,omitempty"`
}

// Do changes an account as a line of a contract case's "do" section says:
// lock NAME, unlock NAME, disable NAME, leave GROUP NAME, client NAME
// [MEMBER], unclient, remove-key KEY, remove-site ID, stall-mail.
func (s *Server) Do(ctx context.Context, words []string) (DoAnswer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(words) == 0 {
		return DoAnswer{}, errors.New("say what to do")
	}
	do, ok := map[string]struct {
		words int
		run   func(context.Context, []string) (DoAnswer, error)
	}{
		"lock":        {1, s.run.lock},
		"unlock":      {1, s.run.lock},
		"disable":     {1, s.run.disable},
		"join":        {-1, s.run.join},
		"leave":       {2, s.run.leave},
		"client":      {-1, s.run.addClient},
		"unclient":    {0, s.run.removeClient},
		"remove-key":  {1, s.run.removeKey},
		"remove-site": {1, s.run.removeSite},
		"stall-mail":  {0, s.stallMail},
	}[words[0]]
	if !ok || do.words >= 0 && len(words) != do.words+1 || do.words < 0 && len(words) < 2 {
		return DoAnswer{}, fmt.Errorf("%q is not a change that can be made", strings.Join(words, " "))
	}
	return do.run(ctx, words)
}

// stallMail has the mail server not answer to the next mail, which is tried again.
func (s *Server) stallMail(context.Context, []string) (DoAnswer, error) {
	s.faults.add(Fault{Kind: FaultStall, Count: 1})
	return DoAnswer{}, nil
}

func (g *generation) lock(ctx context.Context, words []string) (DoAnswer, error) {
	m, err := g.member(ctx, words[1])
	if err != nil {
		return DoAnswer{}, err
	}
	return DoAnswer{}, g.app.Store.SetLocked(ctx, m.ID, words[0] == "lock")
}

func (g *generation) disable(ctx context.Context, words []string) (DoAnswer, error) {
	m, err := g.member(ctx, words[1])
	if err != nil {
		return DoAnswer{}, err
	}
	return DoAnswer{}, g.app.Store.SetStatus(ctx, m.ID, members.Disabled)
}

func (g *generation) leave(ctx context.Context, words []string) (DoAnswer, error) {
	group, err := g.group(ctx, words[1])
	if err != nil {
		return DoAnswer{}, err
	}
	m, err := g.member(ctx, words[2])
	if err != nil {
		return DoAnswer{}, err
	}
	_, err = g.app.Store.SetMembership(ctx, group.ID, m.ID, false)
	return DoAnswer{}, err
}

// join reads GROUP NAME ROLE [NOTIFICATION] [listed].
func (g *generation) join(ctx context.Context, words []string) (DoAnswer, error) {
	if len(words) < 4 {
		return DoAnswer{}, errors.New("join needs a group, a member and a role")
	}
	group, err := g.group(ctx, words[1])
	if err != nil {
		return DoAnswer{}, err
	}
	m, err := g.member(ctx, words[2])
	if err != nil {
		return DoAnswer{}, err
	}
	joined := members.NewMembership(group.ID, m.ID)
	joined.Role = groups.Role(words[3])
	for _, word := range words[4:] {
		if word == "listed" {
			joined.EmailListed = true
			continue
		}
		joined.Notification = groups.Notification(word)
	}
	_, err = g.app.Store.Join(ctx, joined)
	return DoAnswer{}, err
}

func (g *generation) addClient(ctx context.Context, words []string) (DoAnswer, error) {
	var m members.Member
	var err error
	if len(words) > 2 {
		if m, err = g.member(ctx, words[2]); err != nil {
			return DoAnswer{}, err
		}
	}
	c, secret, err := members.NewClient(words[1], m, nil)
	if err != nil {
		return DoAnswer{}, err
	}
	for _, grant := range words[min(len(words), 3):] {
		c.Grants = append(c.Grants, members.Grant(grant))
	}
	g.client = c.ID
	return DoAnswer{ClientID: c.ID, ClientSecret: secret}, g.app.Store.AddClient(ctx, c)
}

func (g *generation) removeClient(ctx context.Context, _ []string) (DoAnswer, error) {
	_, err := g.app.Store.RemoveClient(ctx, g.client)
	return DoAnswer{}, err
}

func (g *generation) removeKey(ctx context.Context, words []string) (DoAnswer, error) {
	_, err := g.app.Store.RemoveKey(ctx, g.ids.Keys[words[1]])
	return DoAnswer{}, err
}

func (g *generation) removeSite(ctx context.Context, words []string) (DoAnswer, error) {
	_, err := g.app.Store.RemoveSite(ctx, words[1])
	return DoAnswer{}, err
}

func (g *generation) member(ctx context.Context, name string) (members.Member, error) {
	l := members.Lookup{Username: name}
	if strings.Contains(name, "@") {
		l = members.Lookup{Email: name}
	}
	found, err := g.app.Store.FindMember(ctx, l)
	if err == nil && found.Member.Zero() {
		err = fmt.Errorf("there is no member %q", name)
	}
	return found.Member, err
}

func (g *generation) group(ctx context.Context, name string) (groups.Group, error) {
	group, err := g.app.Store.FindGroup(ctx, name)
	if err == nil && group.Zero() {
		err = fmt.Errorf("there is no group %q", name)
	}
	return group, err
}
