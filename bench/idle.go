package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// settle is how long a server may come to rest after the last request.
const settle = 3 * time.Second

// idle opens so many connections, asks once on each, and returns by how many MiB
// the server has grown while they are kept.
func (s *running) idle(ctx context.Context, n, members int) (float64, error) {
	pause(ctx, settle)
	before := residentKiB(s.pid())
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	open := s.clientOf("email=user%d@example.org", members)
	for i := range n {
		w, err := open(ctx)
		if err != nil {
			return 0, fmt.Errorf("idle client %d: %w", i, err)
		}
		held = append(held, w.(*httpClient).conn)
		if err := w.do(ctx, int64(i)); err != nil {
			return 0, fmt.Errorf("idle client %d: %w", i, err)
		}
	}
	pause(ctx, settle)
	return float64(residentKiB(s.pid())-before) / 1024, ctx.Err()
}

// deliveryLimit is how long deliver waits at most.
const deliveryLimit = 10 * time.Minute

// deliver waits until the sink has taken so many mails since the server began,
// and returns how many a second that were, from the first of them on.
func deliver(ctx context.Context, sink *sink, n int64) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	for sink.count() == 0 && ctx.Err() == nil {
		pause(ctx, time.Millisecond)
	}
	begin, had := time.Now(), sink.count()
	for sink.count() < n && ctx.Err() == nil {
		pause(ctx, time.Millisecond)
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("%d of %d mails delivered: %w", sink.count(), n, err)
	}
	return float64(n-had) / time.Since(begin).Seconds(), nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
