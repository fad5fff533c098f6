package store

import (
	"context"
	"errors"

	"github.com/reseed-project/reseed/members"
)

// Import adds and changes members and queues the mails to those who were added,
// all or nothing, and returns the ids of the added ones. An identifier that is
// taken yields a *members.TakenError; its Index counts the added members first,
// then the changed ones. A member that is gone yields errcodes.MissingMember.
func (s *Store) Import(ctx context.Context, b members.ImportBatch) ([]int64, error) {
	var ids []int64
	err := s.inTx(ctx, func(t tx) (err error) {
		if ids, err = t.importNew(ctx, b); err != nil {
			return err
		}
		for i, u := range b.Change {
			if err := t.importChange(ctx, u); err != nil {
				var taken *members.TakenError
				if errors.As(err, &taken) {
					taken.Index = len(b.Add) + i
				}
				return err
			}
		}
		return nil
	})
	if taken := (*members.TakenError)(nil); errors.As(err, &taken) {
		return nil, taken
	}
	if err != nil {
		return nil, s.fail("import members", err)
	}
	return ids, nil
}

func (t tx) importNew(ctx context.Context, b members.ImportBatch) ([]int64, error) {
	ids := make([]int64, 0, len(b.Add))
	for i, m := range b.Add {
		id, err := t.addMember(ctx, i, m)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
		if b.Order == nil {
			continue
		}
		m.ID = id
		o, wanted, err := b.Order(m.Member)
		if err == nil && wanted {
			err = t.addOrder(ctx, o)
		}
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (t tx) importChange(ctx context.Context, u members.MemberUpdate) error {
	if err := t.setMember(ctx, u.MemberID, u.Edit); err != nil {
		return err
	}
	for _, m := range u.Memberships {
		m.Member.ID = u.MemberID
		if _, err := t.joinOrChange(ctx, m); err != nil {
			return err
		}
	}
	for _, g := range u.Groups {
		var old members.Membership
		err := t.row(ctx, findMembership, []any{g, u.MemberID}, membershipDest(&old)...)
		if ignoreNoRows(err) != nil {
			return err
		}
		if err == nil {
			continue // it stays as it is
		}
		if err := t.joinAs(ctx, members.NewMembership(g, u.MemberID)); err != nil {
			return err
		}
	}
	return nil
}
