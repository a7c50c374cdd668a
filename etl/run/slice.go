package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// pauses between pulls of a slice whose answer broke off.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
)

// warehouseRetries is how often a slice is pulled again because the warehouse
// was unreachable or busy. A block of rows whose answer was lost cannot be sent
// again, for it may be there; another load can, under an id of its own.
const warehouseRetries = 2

// bringIn pulls, inserts, verifies and guards one slice. The load that it
// returns is ready for the ledger in every case; err is why it must not be
// published.
func (s *sourceRun) bringIn(ctx context.Context, item plan.Item) (schema.Load, error) {
	load, err := s.attempt(ctx, item)
	requests, bytes := load.Requests, load.Bytes
	pause := firstPause
	for retry := 0; retry < s.retries(err); retry++ {
		s.runner.o.Logger.Warn("load tried again", zap.String("source", item.Source), zap.String("feed", item.Feed),
			zap.Stringer("day", item.Day), zap.String("error_class", string(classify(err))), zap.Error(err))
		if !after(ctx, pause) {
			break
		}
		pause = min(2*pause, maxPause)
		load, err = s.attempt(ctx, item)
		requests += load.Requests
		bytes += load.Bytes
	}
	load.Requests, load.Bytes = requests, bytes

	s.settle(item, &load, err)
	return load, err
}

// settle says in the ledger row what became of a load that ended with err.
func (s *sourceRun) settle(item plan.Item, load *schema.Load, err error) {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		load.Status, load.Reason = schema.Refused, refusal.Reason
	case err != nil:
		load.Status, load.Reason = schema.Failed, err.Error()
	default:
		if load.Status != schema.Unchanged {
			load.Status = schema.Published
		}
		load.Reason = s.runner.reason(item) + load.Reason
	}
}

// retries is how often a slice that ended like this may be pulled again in all.
func (s *sourceRun) retries(err error) int {
	switch {
	case classify(err) == class(extract.Interrupted):
		return s.src.MaxRetries
	case temporary(err):
		return warehouseRetries
	}
	return 0
}

// attempt is one load: one id, one pull (two decodings of it for a recheck).
func (s *sourceRun) attempt(ctx context.Context, item plan.Item) (schema.Load, error) {
	load := s.begin(item)
	err := s.number(ctx, item, &load)
	if err == nil {
		if from, archived := s.runner.o.Replays[item.Slice]; archived {
			err = s.replay(ctx, item, from, &load)
		} else {
			err = s.ask(ctx, item, &load)
		}
	}
	load.FinishedAt = s.moment(item)
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("given up: %w", stopOf(ctx))
	}
	return load, err
}

// begin makes the ledger row of a load that starts now.
func (s *sourceRun) begin(item plan.Item) schema.Load {
	o := s.runner.o
	started := s.moment(item)
	load := schema.Load{
		LoadID: schema.NewLoadID(started), RunID: s.runID, Slice: item.Slice, Kind: item.Kind,
		ContentHash: schema.NoContent, StartedAt: started, Host: o.Host, Version: o.Version,
	}
	if item.Published != nil {
		load.PreviousLoadID = item.Published.LoadID
	}
	return load
}

// number gives a load its place among the publications, before the source is
// asked: of two processes that load the same slice, readers shall see what was
// asked for last, whichever is published last. The version that was planned on
// may be news to a replica that is behind.
func (s *sourceRun) number(ctx context.Context, item plan.Item, load *schema.Load) error {
	seq, err := s.runner.o.Warehouse.NextSeq(ctx)
	if err != nil {
		return inWarehouse(err)
	}
	if item.Published != nil {
		seq = max(seq, item.Published.PublishedSeq+1)
	}
	load.PublishedSeq = seq
	return nil
}

// moment is the time that the ledger row of a load bears.
func (s *sourceRun) moment(item plan.Item) time.Time {
	return plan.Moment(item.Last, s.runner.o.Clock()).UTC()
}

// snapshot reports whether the source shows only now.
func (s *sourceRun) snapshot() bool { return s.src.Kind == schema.KindNexthink }

// sameDay fails when a snapshot source has moved on to another day: what it
// answers now must not be filed under the day that was planned.
func (s *sourceRun) sameDay(item plan.Item) error {
	if !s.snapshot() {
		return nil
	}
	if today := schema.DayOf(s.runner.o.Clock(), s.src.Location); today != item.Day {
		return fmt.Errorf("%w: it is %s there, the slice is of %s", errDayChanged, today, item.Day)
	}
	return nil
}

// ready asks a source that can tell whether it has finished the day; behind the
// pull, with the state of before, also whether it still says the same.
func (s *sourceRun) ready(ctx context.Context, item plan.Item, before string) (state string, err error) {
	gate, ok := s.src.API.(extract.Gate)
	if !ok {
		return "", nil
	}
	state, notes, err := gate.Ready(ctx, extract.Request{Feed: item.Feed, Day: item.Day.String()}, before)
	for _, text := range notes {
		s.say(item, text)
	}
	return state, err //nolint:wrapcheck // the source's own error
}

// stillSo holds what a pull ended with, err, against what was true when it began:
// the source's day, and that the source had finished the one that was asked for.
func (s *sourceRun) stillSo(ctx context.Context, item plan.Item, before string, err error) error {
	if !publishable(err) {
		return err
	}
	if day := s.sameDay(item); day != nil {
		return day
	}
	if _, notReady := s.ready(ctx, item, before); notReady != nil {
		return notReady
	}
	return err
}

// ask fills the load from the source. What is answered is recorded where it may
// be needed a second time: for the archive, or to load a slice that turns out to
// say something new.
func (s *sourceRun) ask(ctx context.Context, item plan.Item, load *schema.Load) error {
	if err := s.sameDay(item); err != nil {
		return err
	}
	before, err := s.ready(ctx, item, "")
	if err != nil {
		return err
	}
	o := s.runner.o
	feed := s.src.Feeds[item.Feed]
	from := origin{api: s.src.API, header: schema.LoadHeader{
		LoadID: load.LoadID, Slice: item.Slice, Kind: item.Kind,
		ComputerGroup: feed.ComputerGroup, Target: feed.Target, RetrievedAt: load.StartedAt,
	}}
	live := s.src.API.Live()
	known := item.Published != nil || item.Refused != nil
	if !known && o.Archive == nil {
		return s.stillSo(ctx, item, before, s.insert(ctx, item, from, live, load))
	}
	recording, err := archive.NewRecording(archive.RecordingOptions{
		Dir: o.SpoolDir, Lenient: !known && o.ArchiveBestEffort, ReadOn: o.Archive != nil && s.snapshot(),
	})
	if err != nil {
		return &spoolError{err}
	}
	defer recording.Remove()
	if via := recording.Record(live); known {
		err = s.compare(ctx, item, from, via, func() extract.Getter { return recording.Replay() }, load)
	} else {
		err = s.insert(ctx, item, from, via, load)
	}
	if full := recording.Failed(); err != nil && full != nil {
		err = &spoolError{full}
	}
	return s.keep(ctx, item, from, load, recording, s.stillSo(ctx, item, before, err))
}

// origin is what the rows of a load come from.
type origin struct {
	api    extract.Source // reads the answers
	header schema.LoadHeader
}

// compare hashes what comes through first, which the warehouse may have already,
// and loads it from again only if it says something new.
func (s *sourceRun) compare(
	ctx context.Context, item plan.Item, from origin, first extract.Getter, again func() extract.Getter, load *schema.Load,
) error {
	got, err := s.pull(ctx, from.api, item, first, nil)
	s.note(item, load, got)
	if err != nil {
		return err
	}
	if item.Published != nil && got.says(item.Published) {
		load.Status = schema.Unchanged
		return nil
	}
	for _, away := range item.RolledBack {
		if got.says(away) {
			load.Status = schema.Unchanged
			load.Partial = item.Published.Partial // nobody has looked whether that is mended
			load.Reason = fmt.Sprintf("; the source still says what load %d says, which an operator rolled back from; load %d stays published",
				away.LoadID, item.Published.LoadID)
			return nil
		}
	}
	if refusal := s.refusedBefore(ctx, item, got); refusal != nil {
		load.LoadID = item.Refused.LoadID
		return refusal
	}
	return s.insert(ctx, item, from, again(), load)
}

// refusedBefore gives the reason to refuse what was pulled where the same was
// refused before and is still stored: one load is all that an operator needs to
// look at and to accept. nil where it is new, or where the guards let it pass now.
func (s *sourceRun) refusedBefore(ctx context.Context, item plan.Item, got tally) *Refusal {
	if item.Refused == nil || !got.says(item.Refused) {
		return nil
	}
	refusal := s.src.Guards.Check(s.history.extend(item), got.totals)
	if refusal == nil {
		return nil
	}
	// A warehouse that cannot tell will not take the rows either.
	if stored := StillStored(ctx, s.runner.o.Warehouse, *item.Refused) == nil; !stored {
		return nil
	}
	refusal.Reason += fmt.Sprintf("; the same as load %d of %s UTC, which stands for it", item.Refused.LoadID,
		schema.LoadTime(item.Refused.LoadID).UTC().Format(time.DateTime))
	return refusal
}

// insert sends the slice's rows under the load's id and has them verified and
// judged. The rows stay invisible.
func (s *sourceRun) insert(ctx context.Context, item plan.Item, from origin, via extract.Getter, load *schema.Load) error {
	r := s.runner
	into, err := r.o.Warehouse.Begin(ctx, from.header)
	if err != nil {
		return inWarehouse(err)
	}
	defer into.Abort() // without effect once it is finished
	got, err := s.pull(ctx, from.api, item, via, into)
	s.note(item, load, got)
	if err != nil {
		return err
	}
	if err := into.Finish(ctx); err != nil {
		return inWarehouse(err)
	}
	if err := r.o.Warehouse.Verify(ctx, item.Kind, load.LoadID, got.totals); err != nil {
		return inWarehouse(err)
	}
	if refusal := s.src.Guards.Check(s.history.extend(item), got.totals); refusal != nil {
		return refusal
	}
	s.history.add(item, got.totals.Rows)
	return nil
}

// note puts what a pull brought into the ledger row, and passes on, once, what
// an operator should know. The decoding of a spool adds neither requests nor
// bytes, and takes no mark away: it may know less than the pull itself.
func (s *sourceRun) note(item plan.Item, load *schema.Load, got tally) {
	load.Rows, load.Rejects, load.ContentHash = got.totals.Rows, got.totals.Rejects, got.hash
	load.Requests = max(load.Requests, uint64(got.answer.Requests)) //nolint:gosec // a count
	load.Bytes = max(load.Bytes, uint64(got.answer.Bytes))          //nolint:gosec // a count
	if !got.answer.AsOf.IsZero() {
		load.SourceAsOf.V, load.SourceAsOf.Valid = got.answer.AsOf.UTC(), true
	}
	if got.answer.Partial != "" {
		load.Partial = got.answer.Partial
		s.say(item, "published days are marked as partial: "+load.Partial)
	}
	for _, text := range got.notes {
		s.say(item, text)
	}
	if text := got.extra.note(); text != "" {
		s.say(item, text, zap.Uint64("values", got.extra.values))
	}
}

// say tells the log and the observer of a note, unless the run has done so already.
func (s *sourceRun) say(item plan.Item, text string, more ...zap.Field) {
	if _, said := s.notes.LoadOrStore(text, true); said {
		return
	}
	s.runner.o.Logger.Warn("note", append([]zap.Field{
		zap.String("source", s.src.Name), zap.String("feed", item.Feed), zap.String("note", text),
	}, more...)...)
	s.runner.o.Observer.Note(item, text)
}
