package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reseed-project/reseed/store/mariadbtest"
)

// worker does one thing again and again; each client has its own.
type worker interface {
	do(ctx context.Context, n int64) error
	Close() error
}

// subject is what is measured: a name and how a client of it is made.
type subject struct {
	name   string
	client func(ctx context.Context) (worker, error)
}

// measure alternates the subjects on one database.
func measure(ctx context.Context, o options, p *program, database, variant string) (_ *Table, err error) {
	dir := filepath.Join(p.dir, strings.NewReplacer(", ", "-", " ", "-").Replace(database+variant))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	dsn, databasePID := "", 0
	if database == "mariadb" {
		m, err := mariadbtest.Run(mariadbtest.Options{FlushAtCommit: "1", Args: []string{"--innodb-buffer-pool-size=1G"}})
		if err != nil {
			return nil, err
		}
		defer m.Close()
		databasePID = m.PID()
		if dsn, err = m.Create(ctx, "bench"); err != nil {
			return nil, err
		}
	}
	sink, err := startSink()
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	smtp := sink.addr()
	if o.quiet {
		smtp = "127.0.0.1:1"
	}
	s, err := p.serve(ctx, dir, dsn, smtp, o)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	bare, err := openBare(ctx, dir, dsn, o)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	t := &Table{Database: database, Variant: variant}
	if o.deliver > 0 {
		t.Delivered, err = deliver(ctx, sink, int64(o.deliver))
		return t, err
	}
	all, err := subjects(o, s, bare)
	if err != nil {
		return nil, err
	}
	usage := func() usage { return use(os.Getpid(), s.pid(), databasePID) }
	if err := t.alternate(ctx, o, all, usage, sink); err != nil {
		return nil, err
	}
	p.RSS = max(p.RSS, residentKiB(s.pid()))
	if o.idle > 0 {
		t.IdleMiB, err = s.idle(ctx, o.idle, o.members)
	}
	return t, err
}

// alternate measures the subjects in turn, round after round.
func (t *Table) alternate(ctx context.Context, o options, all []subject, used func() usage, sink *sink) error {
	for range o.rounds {
		for _, x := range all {
			if err := t.round(ctx, o, x, used, sink); err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
		}
	}
	return nil
}

// subjects are the bare statements, requests for members and for unknown names,
// and the peer, if one is named; or those of the second step.
func subjects(o options, s *running, b *bare) ([]subject, error) {
	if o.tokens > 0 {
		return secondSubjects(s)
	}
	all := []subject{
		{"bare", b.client},
		{"member", s.clientOf("email=user%d@example.org", o.members)},
		{"unknown", s.clientOf("email=nobody%d@example.org", o.members)},
	}
	if o.peer != "" {
		all = append(all, subject{"peer", peer(o.peer, o.body)})
	}
	return all, nil
}

// round runs a subject's clients for a while.
func (t *Table) round(ctx context.Context, o options, x subject, used func() usage, sink *sink) error {
	var clients []worker
	defer func() {
		for _, c := range clients {
			_ = c.Close()
		}
	}()
	for range o.clients {
		c, err := x.client(ctx)
		if err != nil {
			return err
		}
		clients = append(clients, c)
	}
	var done, failed atomic.Int64
	took := make([][]time.Duration, len(clients))
	var first atomic.Pointer[error]
	before, mails, begin := used(), sink.count(), time.Now()
	end := begin.Add(o.length)
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				n, asked := serial.Add(1), time.Now()
				if err := c.do(ctx, n); err != nil {
					first.CompareAndSwap(nil, &err)
					failed.Add(1)
					continue
				}
				took[i] = append(took[i], time.Since(asked))
				done.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() == 0 {
		if e := first.Load(); e != nil {
			return *e
		}
		return ctx.Err()
	}
	seconds, answers := time.Since(begin).Seconds(), slices.Sorted(slices.Values(slices.Concat(took...)))
	t.add(x.name, Round{Rate: float64(done.Load()) / seconds, Failed: failed.Load(),
		P99:   float64(answers[len(answers)*99/100].Microseconds()) / 1000,
		Mails: float64(sink.count()-mails) / seconds, CPU: used().since(before, done.Load())})
	return ctx.Err()
}

// serial numbers requests, so that members take turns.
var serial atomic.Int64
