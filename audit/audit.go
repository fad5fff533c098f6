// Package audit records security events: in the log at once, in the database a
// moment later and in batches. It masks what must not be read there.
package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/mail"
	"github.com/reseed-project/reseed/members"
	"github.com/reseed-project/reseed/password"
	"github.com/reseed-project/reseed/wait"
)

// Bounds of the auditor.
const (
	auditQueue = 8192 // events that wait to be stored
	auditBatch = 256  // stored in one transaction
	auditWait  = 200 * time.Millisecond
	auditStore = 5 * time.Second // for storing a batch, and for the last ones when the server stops
	auditRetry = time.Second
)

// eventStore keeps events.
type eventStore interface {
	AddEvents(ctx context.Context, events []members.Event) error
}

// Recorder writes each security event to the log at once, and to the database
// a moment later in batches, so that requests take no longer for it and all of
// them take the same time. A crash loses the events of that moment from the
// table, not from the log. While the database is unavailable, events are kept up
// to the size of the queue; the rest are in the log only, and counted.
type Recorder struct {
	store   eventStore
	log     *slog.Logger
	names   *masker // of identifiers
	clients *masker
	queue   chan members.Event
	lost    atomic.Int64 // from the table
}

// masker replaces a text with a keyed hash; nil leaves it as it is.
type masker struct {
	macs sync.Pool // of hash.Hash with the key in them
}

func newMasker(key []byte) *masker {
	return &masker{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (m *masker) mask(s string) string {
	if m == nil || s == "" {
		return s
	}
	mac := m.macs.Get().(hash.Hash)
	defer m.macs.Put(mac)
	mac.Reset()
	mac.Write([]byte(s))
	return "h:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// NewMaskers returns maskers that hash identifiers, clients' addresses, both or
// neither.
func NewMaskers(identifiers, addresses bool, keys password.Keys) Maskers {
	var m Maskers
	if identifiers {
		m.names = newMasker(keys.Derive("audit identifiers"))
	}
	if addresses {
		m.clients = newMasker(keys.Derive("audit addresses"))
	}
	return m
}

// Maskers say how events show identifiers and clients.
type Maskers struct{ names, clients *masker }

// Identifier returns an identifier as events show it.
func (m Maskers) Identifier(s string) string { return m.names.mask(s) }

// New returns a recorder; Run must run for its events to reach the database.
func New(s eventStore, log *slog.Logger, m Maskers) *Recorder {
	return &Recorder{store: s, log: log, names: m.names, clients: m.clients, queue: make(chan members.Event, auditQueue)}
}

// Record writes the event to the log and queues it for the table. It never waits.
func (a *Recorder) Record(ctx context.Context, e members.Event) {
	origin := members.OriginOf(ctx)
	e.RequestID = origin.RequestID
	if origin.Client.IsValid() {
		e.Client = a.clients.mask(origin.Client.String())
	}
	e = a.complete(e)
	a.logEvent(ctx, e)
	select {
	case a.queue <- e:
	default:
		if a.lost.Add(1) == 1 {
			a.log.ErrorContext(ctx, "security events arrive faster than they can be stored: some are only in the log")
		}
	}
}

// complete gives the event an id and masks its identifier.
func (a *Recorder) complete(e members.Event) members.Event {
	if id, err := mail.NewID(e.At, nil); err == nil {
		e.ID = id
	}
	e.Identifier = a.names.mask(e.Identifier)
	return e
}

// logEvent writes one line. slog quotes everything that could break it except DEL.
func (a *Recorder) logEvent(ctx context.Context, e members.Event) {
	attrs := []slog.Attr{
		slog.String("kind", string(e.Kind)),
		slog.String("event", e.ID.String()),
		slog.String("id", withoutDEL(e.RequestID)),
		slog.Int64("member", e.MemberID),
		slog.String("actor", e.Actor),
		slog.Int64("group", e.GroupID),
		slog.String("identifier", withoutDEL(e.Identifier)),
		slog.String("client", e.Client),
		slog.String("code", e.Code),
	}
	if e.Detail != "" {
		attrs = append(attrs, slog.String("detail", withoutDEL(e.Detail)))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "security event", attrs...)
}

// withoutDEL replaces the one control character that slog does not escape.
func withoutDEL(s string) string { return strings.ReplaceAll(s, "\x7f", "\uFFFD") }

// Identifier returns an identifier as events show it.
func (a *Recorder) Identifier(s string) string { return a.names.mask(s) }

// LostEvents returns how many events are in the log only.
func (a *Recorder) LostEvents() int64 { return a.lost.Load() }

// Waiting returns how many events wait to be stored.
func (a *Recorder) Waiting() int { return len(a.queue) }

// MaskedClient returns a client's address as the log shows it.
func (a *Recorder) MaskedClient(client netip.Addr) string { return a.clients.mask(client.String()) }

// Run stores events until ctx ends, then those that are left.
func (a *Recorder) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var batch []members.Event
		select {
		case e := <-a.queue:
			batch = a.gather(ctx, e)
		case <-ctx.Done():
		}
		a.keep(ctx, batch)
	}
	return a.Flush(context.WithoutCancel(ctx))
}

// gather returns an event and those that arrive shortly after it.
func (a *Recorder) gather(ctx context.Context, first members.Event) []members.Event {
	batch := []members.Event{first}
	timer := time.NewTimer(auditWait)
	defer timer.Stop()
	for len(batch) < auditBatch {
		select {
		case e := <-a.queue:
			batch = append(batch, e)
			continue
		case <-timer.C:
		case <-ctx.Done():
		}
		break
	}
	return batch
}

// keep stores a batch, and tries again while the database is unavailable. Once
// ctx has ended it tries only once.
func (a *Recorder) keep(ctx context.Context, batch []members.Event) {
	for failures := 0; len(batch) > 0; failures++ {
		err := a.add(ctx, batch)
		if err == nil {
			return
		}
		unavailable := errors.Is(err, errcodes.New(errcodes.Unavailable))
		if failures == 0 || !unavailable {
			a.log.WarnContext(ctx, "security events not stored", "events", len(batch), "retry", unavailable, "err", err)
		}
		if !unavailable || ctx.Err() != nil {
			a.lost.Add(int64(len(batch)))
			return
		}
		_ = wait.For(ctx, auditRetry) // the last try comes after its end
	}
}

func (a *Recorder) add(ctx context.Context, batch []members.Event) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditStore)
	defer cancel()
	return a.store.AddEvents(limited, batch)
}

// Flush stores the events that wait.
func (a *Recorder) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, auditStore)
	defer cancel()
	for {
		var batch []members.Event
		for len(batch) < auditBatch && len(a.queue) > 0 {
			batch = append(batch, <-a.queue)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := a.store.AddEvents(ctx, batch); err != nil {
			lost := len(batch) + len(a.queue)
			a.lost.Add(int64(lost))
			a.log.WarnContext(ctx, "security events not stored", "events", lost, "err", err)
			return nil
		}
	}
}
