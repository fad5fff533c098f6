package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of the order writer.
const (
	maxOrderBatch  = 64 // inserted by one transaction
	orderBatchTime = 10 * time.Second
	mysqlWriters   = 2 // transactions at once; one waits for the disk while the next is sent
)

var errStoreClosed = errors.New("the store is closed")

// orderWriter inserts the orders that are added at the same time together: a
// writer takes what waits, inserts it in one transaction and answers each caller
// after the commit. An order alone is inserted at once.
type orderWriter struct {
	store   *Store
	backlog *backlog
	limit   int // of writers at once

	mu      sync.Mutex
	closed  bool
	waiting []*pendingOrder
	writers int
	done    sync.WaitGroup
}

// pendingOrder is an order whose caller waits.
type pendingOrder struct {
	ctx    context.Context //nolint:containedctx // of the caller, who may leave
	args   []any
	result chan error // takes one
}

// add inserts a row and returns once it is committed. If ctx ends before, the
// row may be inserted all the same.
func (w *orderWriter) add(ctx context.Context, args []any) error {
	if err := w.store.available(ctx); err != nil {
		return err
	}
	p := &pendingOrder{ctx: ctx, args: args, result: make(chan error, 1)}
	if err := w.enqueue(p); err != nil {
		return err
	}
	w.backlog.join()
	select {
	case err := <-p.result:
		w.backlog.leave(err == nil)
		return err
	case <-ctx.Done():
		w.backlog.leave(false)
		return ctx.Err()
	}
}

// enqueue lets p wait, and starts a writer if one more may run.
func (w *orderWriter) enqueue(p *pendingOrder) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errStoreClosed
	}
	w.waiting = append(w.waiting, p)
	if w.writers < w.limit {
		w.writers++
		w.done.Go(w.run)
	}
	return nil
}

// run writes batches until nothing waits.
func (w *orderWriter) run() {
	for w.more() {
		w.writeBatch()
	}
}

// more reports whether orders wait; else the writer counts as ended.
func (w *orderWriter) more() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) > 0 {
		return true
	}
	w.writers--
	return false
}

// take removes up to a batch of those that wait.
func (w *orderWriter) take() []*pendingOrder {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), maxOrderBatch)
	if w.store.mysql {
		n, _ = insertOf(n)
	}
	batch := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	return batch
}

// writeBatch waits for a connection first, and then takes what waits.
func (w *orderWriter) writeBatch() {
	ctx, cancel := context.WithTimeout(context.Background(), orderBatchTime)
	defer cancel()
	release, err := w.store.acquire(ctx, w.store.writeQueue)
	if err != nil {
		answer(w.take(), err)
		return
	}
	defer release()
	batch := stillWaiting(w.take())
	if len(batch) == 0 {
		return
	}
	if w.store.mysql || len(batch) == 1 {
		w.store.insertInPackets(ctx, batch)
		return
	}
	w.store.insertInTx(ctx, batch)
}

// stillWaiting drops the orders whose callers left.
func stillWaiting(batch []*pendingOrder) []*pendingOrder {
	kept := batch[:0]
	for _, p := range batch {
		if p.ctx.Err() == nil {
			kept = append(kept, p)
		}
	}
	return kept
}

func answer(batch []*pendingOrder, err error) {
	for _, p := range batch {
		p.result <- err
	}
}

// close lets the writers finish.
func (w *orderWriter) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.done.Wait()
}

// An INSERT of several rows is one transaction, sent in one packet.
const (
	insertOrder = `
INSERT INTO mails (id, template, reason, purpose, member_id, addressed, group_id, token_hash,
	created_at, expires_at, options, state, due_at, outcome)
VALUES `
	orderRow    = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	orderRows2  = orderRow + `, ` + orderRow
	orderRows4  = orderRows2 + `, ` + orderRows2
	orderRows8  = orderRows4 + `, ` + orderRows4
	orderRows16 = orderRows8 + `, ` + orderRows8
	orderRows32 = orderRows16 + `, ` + orderRows16

	addOrder    statement = insertOrder + orderRow
	addOrders2  statement = insertOrder + orderRows2
	addOrders4  statement = insertOrder + orderRows4
	addOrders8  statement = insertOrder + orderRows8
	addOrders16 statement = insertOrder + orderRows16
	addOrders32 statement = insertOrder + orderRows32
)

// insertOf returns the statement that inserts most of n orders, and how many. Few
// sizes keep the number of prepared statements small.
func insertOf(n int) (int, statement) {
	switch {
	case n >= 32:
		return 32, addOrders32
	case n >= 16:
		return 16, addOrders16
	case n >= 8:
		return 8, addOrders8
	case n >= 4:
		return 4, addOrders4
	case n >= 2:
		return 2, addOrders2
	default:
		return n, addOrder
	}
}

// insertInPackets inserts a batch by statements of several rows. If one row is refused, each goes by itself, so
// that only its own caller learns of it. What was sent twice, since the answer
// was lost, is found to be there: AddOrder sees to that.
func (s *Store) insertInPackets(ctx context.Context, batch []*pendingOrder) {
	for len(batch) > 0 {
		n, q := insertOf(len(batch))
		some := batch[:n]
		batch = batch[n:]
		err := s.insertRows(ctx, q, some)
		if err == nil || n == 1 || unavailable(scrub(err)) {
			answer(some, err)
			continue
		}
		for _, p := range some {
			p.result <- s.insertRows(ctx, addOrder, []*pendingOrder{p})
		}
	}
}

func (s *Store) insertRows(ctx context.Context, q statement, batch []*pendingOrder) error {
	args := make([]any, 0, len(batch)*len(batch[0].args))
	for _, p := range batch {
		args = append(args, p.args...)
	}
	return retry(ctx, func() error {
		s.trace(string(q))
		s.failpoint("before-commit")
		_, err := s.execNow(ctx, q, args)
		if disconnected(err) && ctx.Err() == nil {
			_, err = s.execNow(ctx, q, args)
		}
		s.failpoint("after-batch")
		return err
	})
}

// insertInTx inserts a batch in one transaction, which on SQLite costs no packets. A row that is refused leaves
// the others alone.
func (s *Store) insertInTx(ctx context.Context, batch []*pendingOrder) {
	refused, err := s.insertTogether(ctx, batch)
	for i, p := range batch {
		if err != nil {
			p.result <- err
			continue
		}
		p.result <- refused[i]
	}
}

func (s *Store) insertTogether(ctx context.Context, batch []*pendingOrder) (refused []error, err error) {
	st, err := s.stmt(ctx, s.write, addOrder)
	if err != nil {
		return nil, err
	}
	t, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	refused = make([]error, len(batch))
	insert := t.StmtContext(ctx, st)
	defer insert.Close()
	for i, p := range batch {
		if refused[i] = p.ctx.Err(); refused[i] != nil {
			continue // the lock took longer than the caller could wait
		}
		s.trace(string(addOrder))
		_, refused[i] = insert.ExecContext(context.WithoutCancel(ctx), p.args...) // as execKept does
		if refused[i] != nil && !constraint(refused[i]) {
			return nil, rollback(t, outOfTime(ctx, refused[i]))
		}
	}
	s.trace("COMMIT")
	s.failpoint("before-commit")
	err = outOfTime(ctx, t.Commit())
	s.failpoint("after-batch")
	return refused, err
}
