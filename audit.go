package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"reseed/errcodes"
	"reseed/mail"
	"reseed/members"
	"reseed/password"
)

// Bounds of the auditor.
const (
	auditQueue = 8192 // events that wait to be stored
	auditBatch = 256  // stored in one transaction
	auditWait  = 200 * time.Millisecond
	auditStore = 5 * time.Second // for storing a batch, and for the last ones when the server stops
	auditRetry = time.Second
)

// eventStore is where events are kept.
type eventStore interface {
	AddEvents(ctx context.Context, events []members.Event) error
}

// auditor writes each security event to the log at once, and to the database
// a moment later and in batches: requests must not take longer for it, and all
// of them must take the same. A crash loses the events of that moment from the
// table, not from the log. While the database is away, as many as the queue
// holds are kept; the rest is in the log alone, and counted.
type auditor struct {
	store   eventStore
	log     *slog.Logger
	names   masker // of identifiers
	clients masker
	queue   chan members.Event
	lost    atomic.Int64 // from the table
}

// masker replaces a text by a keyed hash where it has a key.
type masker []byte

func (m masker) mask(s string) string {
	if m == nil || s == "" {
		return s
	}
	mac := hmac.New(sha256.New, m)
	mac.Write([]byte(s))
	return "h:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// newMaskers returns those of identifiers and of clients' addresses.
func newMaskers(cfg *Config, keys password.Keys) (names, clients masker) {
	if cfg.AuditIdentifiers == "hashed" {
		names = keys.Derive("audit identifiers")
	}
	if cfg.AuditAddresses == "hashed" {
		clients = keys.Derive("audit addresses")
	}
	return names, clients
}

func newAuditor(s eventStore, log *slog.Logger, names, clients masker) *auditor {
	return &auditor{store: s, log: log, names: names, clients: clients, queue: make(chan members.Event, auditQueue)}
}

// Record writes the event to the log and queues it for the table. It never waits.
func (a *auditor) Record(ctx context.Context, e members.Event) {
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
			a.log.ErrorContext(ctx, "security events come faster than they can be stored: they are in the log alone")
		}
	}
}

// complete gives the event its id, and masks what is to be masked.
func (a *auditor) complete(e members.Event) members.Event {
	if id, err := mail.NewID(e.At, nil); err == nil {
		e.ID = id
	}
	e.Identifier = a.names.mask(e.Identifier)
	return e
}

// logEvent writes one line; slog quotes what could break it, all but DEL.
func (a *auditor) logEvent(ctx context.Context, e members.Event) {
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

// withoutDEL replaces the one control character that slog writes as it is.
func withoutDEL(s string) string { return strings.ReplaceAll(s, "\x7f", "\uFFFD") }

// maskedClient is how the log shows an address.
func (a *auditor) maskedClient(client netip.Addr) any { return a.clients.mask(client.String()) }

// Run stores events until ctx ends, and then those that still wait.
func (a *auditor) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var batch []members.Event
		select {
		case e := <-a.queue:
			batch = a.gather(ctx, e)
		case <-ctx.Done():
		}
		a.keep(ctx, batch)
	}
	return a.flush(context.WithoutCancel(ctx))
}

// gather returns an event with those that come soon after it.
func (a *auditor) gather(ctx context.Context, first members.Event) []members.Event {
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

// keep stores a batch, again and again while the database is away. When it is
// time to stop it tries once more.
func (a *auditor) keep(ctx context.Context, batch []members.Event) {
	for failures := 0; len(batch) > 0; failures++ {
		err := a.add(ctx, batch)
		if err == nil {
			return
		}
		away := errors.Is(err, errcodes.New(errcodes.Unavailable))
		if failures == 0 || !away {
			a.log.WarnContext(ctx, "security events not stored", "events", len(batch), "again", away, "err", err)
		}
		if !away || ctx.Err() != nil {
			a.lost.Add(int64(len(batch)))
			return
		}
		timer := time.NewTimer(auditRetry)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (a *auditor) add(ctx context.Context, batch []members.Event) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditStore)
	defer cancel()
	return a.store.AddEvents(limited, batch)
}

// flush stores what waits.
func (a *auditor) flush(ctx context.Context) error {
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
