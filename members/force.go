package members

import (
	"context"
	"errors"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/password"
)

// ForceRequest is a call of either service that forces a reset (contract 1.4).
type ForceRequest struct {
	InGroup     string // what {group} names; "": the service without a group
	Email       string
	Username    string
	Password    string
	HasPassword bool // the parameter is there, and perhaps empty
	Async       bool // don't wait for the delivery attempt
}

// Force mails a token, or sets the password at once if there is one, for an
// administrator (contract 1.4).
//
// Errors: 403 0101 for anyone else; 0201 for an empty password (version 6),
// 0202, 1008, 1002, 101A, 100E, 1018, 1019; 100F without a password; 1015 and
// 1016 with one; F004 when the server is too busy.
func (s *Service) Force(ctx context.Context, caller Caller, f ForceRequest) (Outcome, error) {
	r := ResetRequest{InGroup: f.InGroup, Email: f.Email, Username: f.Username, Password: f.Password, Async: f.Async}
	outcome, m, err := s.force(ctx, caller, f, &r)
	kind := ResetForced
	if f.HasPassword {
		kind = PasswordSet
	}
	if err != nil || outcome != Pending && outcome != PendingAdmin {
		s.audit(ctx, caller, r.about(kind, m), err)
	}
	return outcome, err
}

func (s *Service) force(ctx context.Context, caller Caller, f ForceRequest, r *ResetRequest) (Outcome, Member, error) {
	if !caller.Admin() {
		return 0, Member{}, errcodes.New(errcodes.Forbidden)
	}
	if r.InGroup != "" {
		var err error
		if r.group, err = s.FindGroup(ctx, r.InGroup); err != nil {
			return 0, Member{}, err
		}
	}
	if f.HasPassword && f.Password == "" && !s.CompatV5 {
		return 0, Member{}, errcodes.Missing("member-password")
	}
	found, err := s.find(ctx, caller, *r)
	switch {
	case err != nil:
		return 0, found.Member, err
	case f.HasPassword && f.Password == "":
		return pendingFor(found.Member), found.Member, nil
	case f.HasPassword:
		return Changed, found.Member, s.forceChange(ctx, caller, change{member: found.Member, group: r.group, password: r.Password, async: r.Async})
	default:
		_, err := s.forceRequest(ctx, caller, found.Member, *r)
		return Requested, found.Member, err
	}
}

func (s *Service) forceRequest(ctx context.Context, caller Caller, m Member, r ResetRequest) (mail.ID, error) {
	order, err := s.orderLink(ctx, m, r.group)
	if err != nil {
		return mail.ID{}, err
	}
	s.dispatch(ctx, caller, r.Async, order.ID)
	return order.ID, nil
}

// forceChange sets a password for an administrator: 1015, 1016, 1019, F004.
func (s *Service) forceChange(ctx context.Context, caller Caller, c change) error {
	err := s.changePassword(ctx, caller, c)
	if errors.Is(err, errcodes.New(errcodes.InvalidToken)) {
		// There was no token to lose: the account was locked or disabled meanwhile.
		return errcodes.New(errcodes.AccountLocked)
	}
	return err
}

// pendingReset answers version 5's question whether a token is good, which
// leaves it unused (contract 1.3). Errors: those of step 2 but 1015 and 1016.
func (s *Service) pendingReset(ctx context.Context, caller Caller, r ResetRequest) (Outcome, error) {
	found, err := s.find(ctx, caller, r)
	if !s.shows(caller, err) {
		record, errToken := s.Store.FindToken(ctx, password.HashToken(r.Token))
		if errToken != nil {
			return 0, errToken
		}
		if err == nil && record.opens(found.Member, r.group, password.Reset, s.Now()) {
			return pendingFor(found.Member), nil
		}
		err = errcodes.New(errcodes.InvalidToken)
	}
	s.audit(ctx, caller, r.about(ChangeRefused, found.Member), err)
	return 0, err
}

func pendingFor(m Member) Outcome {
	if m.Admin {
		return PendingAdmin
	}
	return Pending
}
