package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/webhooks"
)

var _ webhooks.Queue = (*Store)(nil)

const (
	hookColumns = `w.id, w.salt, w.url, w.kinds, w.allow_private, w.created_at`

	addHook    statement = `INSERT INTO webhooks (salt, url, kinds, allow_private, created_at) VALUES (?, ?, ?, ?, ?)`
	listHooks  statement = `SELECT ` + hookColumns + ` FROM webhooks AS w ORDER BY w.id`
	anyHook    statement = `SELECT EXISTS (SELECT w.id FROM webhooks AS w)`
	removeHook statement = `DELETE FROM webhooks WHERE id = ?`
)

// spaced is a hook's kinds as the table has them.
func spaced(kinds []string) string {
	if len(kinds) == 0 {
		return ""
	}
	return " " + strings.Join(kinds, " ") + " "
}

func hookDest(h *webhooks.Hook, kinds *string) []any {
	return []any{&h.ID, scanID{(*mail.ID)(&h.Salt)}, &h.URL, kinds, &h.AllowPrivate, scanTime{&h.Created}}
}

// AddWebhook adds a hook and returns its id. Servers that run tell it of what
// happens from a few seconds later on.
func (s *Store) AddWebhook(ctx context.Context, h webhooks.Hook) (id int64, err error) {
	err = s.inTx(ctx, func(t tx) (err error) {
		id, err = t.insert(ctx, addHook, h.Salt[:], t.exact(h.URL), t.exact(spaced(h.Kinds)), h.AllowPrivate, t.at(h.Created))
		return err
	})
	if err == nil {
		s.hookless.Store(false)
	}
	return id, s.fail("add webhook", err)
}

// Webhooks returns all hooks, by id.
func (s *Store) Webhooks(ctx context.Context) ([]webhooks.Hook, error) {
	rows, err := s.query(ctx, listHooks)
	if err != nil {
		return nil, s.fail("list webhooks", err)
	}
	var list []webhooks.Hook
	err = each(rows, func(r *sql.Rows) error {
		var h webhooks.Hook
		var kinds string
		if err := r.Scan(hookDest(&h, &kinds)...); err != nil {
			return err
		}
		h.Kinds = strings.Fields(kinds)
		list = append(list, h)
		return nil
	})
	return list, s.fail("list webhooks", err)
}

// RemoveWebhook removes a hook with the calls that wait for it, and reports
// whether there was one.
func (s *Store) RemoveWebhook(ctx context.Context, id int64) (bool, error) {
	n, err := s.exec(ctx, removeHook, id)
	return n == 1, s.fail("remove webhook", err)
}

// RefreshWebhooks looks whether there are hooks. If there were none, nothing is
// queued for them from then on, and it takes no statement.
func (s *Store) RefreshWebhooks(ctx context.Context) (bool, error) {
	var there bool
	if err := s.row(ctx, anyHook, nil, &there); err != nil {
		return false, s.fail("look for webhooks", err)
	}
	s.hookless.Store(!there)
	return there, nil
}

// What happened is told to every hook that asked for it, by one statement in the
// transaction that did it. A call for nobody is dropped from the start: it
// takes as long, and goes nowhere.
const (
	addCall = `
INSERT INTO webhook_calls (webhook_id, kind, member_id, created_at, due_at, state)
SELECT w.id, `
	wantsKind = ` (w.kinds = '' OR w.kinds LIKE ?)`

	tellAlways    statement = addCall + `?, ?, ?, ?, CASE WHEN ? = 0 THEN 'dropped' ELSE 'pending' END FROM webhooks AS w WHERE` + wantsKind
	tellActivated statement = addCall + `?, m.id, ?, ?, 'pending'
FROM webhooks AS w JOIN members AS m ON m.id = ? WHERE m.activated_at = ? AND` + wantsKind
	tellRequested = addCall + `?, o.member_id, o.created_at, ?, 'pending'
FROM webhooks AS w JOIN mails AS o ON +o.state = 'new' AND +o.addressed = 1 AND o.token_hash IS NOT NULL
	AND o.purpose IN ('reset', 'recovery') WHERE` + wantsKind + ` AND o.id IN `
	tellRequestedOne  statement = tellRequested + oneID
	tellRequestedSome statement = tellRequested + someIDs
	tellRequestedMany statement = tellRequested + manyIDs
)

func (s *Store) wants(kind members.Kind) any { return s.exact("% " + string(kind) + " %") }

// tell queues what happened to a member; 0 is nobody.
func (t tx) tell(ctx context.Context, kind members.Kind, member int64, at time.Time) error {
	if t.hookless.Load() {
		return nil
	}
	_, err := t.exec(ctx, tellAlways, string(kind), member, t.at(at), t.at(at), member, t.wants(kind))
	return err
}

// tellActivated queues that a member was activated by a change, if it was.
func (t tx) tellActivated(ctx context.Context, member int64, at time.Time) error {
	if t.hookless.Load() {
		return nil
	}
	const kind = members.MemberActivated
	_, err := t.exec(ctx, tellActivated, string(kind), t.at(at), t.at(at), member, t.at(at), t.wants(kind))
	return err
}

// tellRequested queues that links were asked for by orders that are new.
func (t tx) tellRequested(ctx context.Context, ids []mail.ID, now time.Time) error {
	if t.hookless.Load() {
		return nil
	}
	const kind = members.ResetRequested
	return t.forAll(ctx, bySize{tellRequestedOne, tellRequestedSome, tellRequestedMany}, ids, string(kind), t.at(now), t.wants(kind))
}

const (
	callColumns = `c.id, c.kind, c.member_id, c.created_at, c.state, c.attempts, c.due_at, c.settled_at, c.outcome, ` + hookColumns
	fromCalls   = ` FROM webhook_calls AS c JOIN webhooks AS w ON w.id = c.webhook_id `

	dueCallsSQLite statement = `
SELECT c.id FROM webhook_calls AS c
WHERE c.state = 'pending' AND c.due_at <= ? OR c.state = 'sending' AND c.lease_until <= ? ORDER BY c.due_at, c.id LIMIT ?`
	dueCallsMySQL = dueCallsSQLite + ` FOR UPDATE SKIP LOCKED`

	claimCall statement = `UPDATE webhook_calls SET state = 'sending', claimed_by = ?, lease_until = ? WHERE id = ?`
	oneCall   statement = `SELECT ` + callColumns + fromCalls + `WHERE c.id = ?`
	listCalls statement = `SELECT ` + callColumns + fromCalls + `WHERE c.state <> 'dropped' AND (? = '' OR c.state = ?) ORDER BY c.id DESC LIMIT ?`

	settleCall statement = `
UPDATE webhook_calls SET state = ?, attempts = attempts + 1, due_at = COALESCE(?, due_at), settled_at = ?, outcome = ?,
	claimed_by = '', lease_until = NULL
WHERE id = ? AND claimed_by = ? AND state = 'sending'`
	retryCall statement = `
UPDATE webhook_calls SET state = 'pending', due_at = ?, settled_at = NULL
WHERE id = ? AND state IN ('dead', 'pending')`
	retryCalls statement = `UPDATE webhook_calls SET state = 'pending', due_at = ?, settled_at = NULL WHERE state = 'dead'`
	countCalls statement = `SELECT c.state, COUNT(c.id) FROM webhook_calls AS c WHERE c.state <> 'dropped' GROUP BY c.state`

	removeCalls statement = `DELETE FROM webhook_calls WHERE member_id = ?`

	purgeCallsMySQL  statement = `DELETE FROM webhook_calls WHERE state IN ('sent', 'dead', 'dropped') AND due_at < ? ORDER BY id LIMIT ?`
	purgeCallsSQLite statement = `
DELETE FROM webhook_calls WHERE id IN (SELECT c.id FROM webhook_calls AS c
	WHERE c.state IN ('sent', 'dead', 'dropped') AND c.due_at < ? ORDER BY c.id LIMIT ?)`
)

func callDest(c *webhooks.Call, kinds *string) []any {
	return append([]any{&c.ID, &c.Kind, &c.MemberID, scanTime{&c.At}, &c.State, &c.Attempts, scanTime{&c.Due}, scanTime{&c.Settled}, &c.Outcome},
		hookDest(&c.Hook, kinds)...)
}

// ClaimCalls takes up to limit calls that are due, or whose lease has ended,
// until now and the lease.
func (s *Store) ClaimCalls(ctx context.Context, worker string, now time.Time, lease time.Duration, limit int) ([]webhooks.Call, error) {
	var list []webhooks.Call
	err := s.inTx(ctx, func(t tx) error {
		list = nil
		ids, err := t.dueCalls(ctx, now, limit)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := t.exec(ctx, claimCall, worker, t.at(now.Add(lease)), id); err != nil {
				return err
			}
			var c webhooks.Call
			var kinds string
			if err := t.row(ctx, oneCall, []any{id}, callDest(&c, &kinds)...); err != nil {
				return err
			}
			list = append(list, c)
		}
		return nil
	})
	return list, s.fail("claim webhook calls", err)
}

func (t tx) dueCalls(ctx context.Context, now time.Time, limit int) (ids []int64, err error) {
	rows, err := t.query(ctx, t.choose(dueCallsMySQL, dueCallsSQLite), t.at(now), t.at(now), limit)
	if err != nil {
		return nil, err
	}
	err = each(rows, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// SettleCall ends a claim, and counts the attempt.
func (s *Store) SettleCall(ctx context.Context, worker string, now time.Time, c webhooks.Settlement) error {
	due, settled := s.at(c.Due), any(nil)
	if c.State != webhooks.Pending {
		due, settled = nil, s.at(now)
	}
	_, err := s.exec(ctx, settleCall, string(c.State), due, settled, clip(c.Outcome), c.ID, worker)
	return s.fail("settle webhook call", err)
}

// Calls returns up to limit calls in a state, "" for any, newest first.
func (s *Store) Calls(ctx context.Context, state webhooks.State, limit int) ([]webhooks.Call, error) {
	rows, err := s.query(ctx, listCalls, string(state), string(state), limit)
	if err != nil {
		return nil, s.fail("list webhook calls", err)
	}
	var list []webhooks.Call
	err = each(rows, func(r *sql.Rows) error {
		var c webhooks.Call
		var kinds string
		if err := r.Scan(callDest(&c, &kinds)...); err != nil {
			return err
		}
		list = append(list, c)
		return nil
	})
	return list, s.fail("list webhook calls", err)
}

// RetryCall makes a dead or pending call due, and reports whether it was one.
func (s *Store) RetryCall(ctx context.Context, id int64, at time.Time) (bool, error) {
	n, err := s.exec(ctx, retryCall, s.at(at), id)
	return n == 1, s.fail("retry webhook call", err)
}

// RetryDeadCalls makes all dead calls due and returns how many.
func (s *Store) RetryDeadCalls(ctx context.Context, at time.Time) (int, error) {
	n, err := s.exec(ctx, retryCalls, s.at(at))
	return int(n), s.fail("retry webhook calls", err)
}

// CallCounts returns how many calls are in each state that has any.
func (s *Store) CallCounts(ctx context.Context) (map[webhooks.State]int, error) {
	rows, err := s.query(ctx, countCalls)
	if err != nil {
		return nil, s.fail("count webhook calls", err)
	}
	counts := map[webhooks.State]int{}
	err = each(rows, func(r *sql.Rows) error {
		var state webhooks.State
		var n int
		err := r.Scan(&state, &n)
		counts[state] = n
		return err
	})
	return counts, s.fail("count webhook calls", err)
}

// PurgeCalls deletes up to limit calls that were sent or given up before a time,
// and returns how many.
func (s *Store) PurgeCalls(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, s.choose(purgeCallsMySQL, purgeCallsSQLite), s.at(before), limit)
	return int(n), s.fail("purge webhook calls", err)
}
