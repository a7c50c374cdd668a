package load

import (
	"context"
	"errors"
	"fmt"
)

// lane is the way of a load's rows to one server: rows are collected in columns
// and sent in blocks by a goroutine of its own.
type lane struct {
	to      taker
	facts   queue
	totals  queue // of bigfix
	rejects queue
	full    chan *block       // blocks to send
	stopped chan struct{}     // closed when the sender has returned
	err     error             // why the sender stopped; read it only after stopped
	sent    map[string]uint64 // rows by table; as err
}

// queue recycles the blocks of one table.
type queue struct {
	make    func() *block
	made    int
	current *block
	free    chan *block
}

func newQueue(newBlock func() *block) queue {
	return queue{make: newBlock, free: make(chan *block, blocksPerTable)}
}

func newLane(to taker) *lane {
	return &lane{
		to:   to,
		full: make(chan *block, maxTables*blocksPerTable), stopped: make(chan struct{}),
		sent: map[string]uint64{},
	}
}

// end hands over what is left and tells the sender that there is no more.
func (l *lane) end() {
	for _, q := range []*queue{&l.facts, &l.totals, &l.rejects} {
		if q.current != nil && q.current.rows > 0 {
			l.full <- q.current // there is room for all blocks that exist
		}
	}
	close(l.full)
}

// room gives a block that takes one more row, after handing a full one to the sender.
func (l *lane) room(q *queue) (*block, error) {
	if q.current != nil && q.current.rows < q.current.capacity {
		return q.current, nil
	}
	if q.current != nil {
		select {
		case l.full <- q.current:
			q.current = nil
		case <-l.stopped:
			return nil, l.err
		}
	}
	if q.made < blocksPerTable {
		q.made++
		q.current = q.make()
		q.current.free = q.free
		return q.current, nil
	}
	select {
	case q.current = <-q.free:
		return q.current, nil
	case <-l.stopped:
		return nil, l.err
	}
}

// send inserts blocks until there are no more, one fails, or ctx is cancelled.
// Its failure stops the other lanes of the load.
func (l *lane) send(ctx context.Context, w *Warehouse, loadID uint64, stopAll context.CancelCauseFunc) {
	defer close(l.stopped)
	in := newInserter(w, l.to)
	for {
		select {
		case b, more := <-l.full:
			if !more {
				return
			}
			err := w.within(ctx, w.readTimeout, func(ctx context.Context) error { return in.insert(ctx, b) })
			if err != nil {
				l.err = w.hint(stopped(ctx, err, fmt.Sprintf("inserting %d rows of load %d into %s%s", b.rows, loadID, b.table, l.to)))
				stopAll(l.err)
				return
			}
			l.sent[b.table] += uint64(b.rows) //nolint:gosec // a count
			b.reset()
			b.free <- b // there is room for all blocks that exist
		case <-ctx.Done():
			l.err = stopped(ctx, ctx.Err(), fmt.Sprintf("inserting load %d", loadID))
			return
		}
	}
}

// stopped says why a sender gave up: the driver failed, another lane did, or ctx
// ended. In the latter cases the driver's own words are noise.
func stopped(ctx context.Context, err error, doing string) error {
	var other *Error
	if errors.As(context.Cause(ctx), &other) {
		return other
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Class: Cancelled, Doing: doing, Err: context.Cause(ctx)}
	}
	return fail(err, doing)
}

// number and text choose the shard of a row, the same one on every day, so that
// the days of a server or device lie together.
func (l *Load) number(key uint64) *lane {
	const golden = 0x9e3779b97f4a7c15 // spreads consecutive numbers
	return l.lanes[(key*golden>>32)%uint64(len(l.lanes))]
}

func (l *Load) text(key string) *lane {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3 // FNV-1a
	hash := uint64(offset)
	for i := range len(key) {
		hash = (hash ^ uint64(key[i])) * prime
	}
	return l.number(hash)
}
