package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// maxRejects is where a load gives up collecting rejects: an answer with so
// many unreadable rows is not the documented thing.
const maxRejects = 100_000

// progressStep is how many records pass between two words to the observer.
const progressStep = 5_000

// tally is what one pull brought.
type tally struct {
	answer extract.Answer
	totals schema.Totals
	hash   string
	notes  []string // what an operator should know
	extra  extraFields
}

// says reports whether the pull brought what the load holds.
func (t tally) says(l *schema.Load) bool {
	return t.hash == l.ContentHash && t.totals.Rows == l.Rows && t.totals.Rejects == l.Rejects
}

// sink turns records into rows: normalises, hashes, counts, and hands them to
// the load if there is one.
type sink struct {
	into   Load // nil while only the hash is wanted
	totals schema.Totals
	hash   schema.ContentHash
	extra  extraFields
	row    func(rec *extract.Record) error
	// unreadable counts dates that became NULL, of a kind that has them.
	unreadable func() uint64
}

func newSink(src Source, into Load) *sink {
	s := &sink{into: into, unreadable: func() uint64 { return 0 }}
	switch src.Kind {
	case schema.KindBigFix:
		s.row = s.licenseUsage(normalise.NewLicenseUsage())
	case schema.KindNexthink:
		n := normalise.NewMetering(normalise.MeteringOptions{
			Location: src.Location, DateLayout: src.DateLayout, DecimalComma: src.DecimalComma,
		})
		s.row, s.unreadable = s.meteringDetail(n), n.UnreadableDates
	default:
		panic("BUG: source of unknown kind " + src.Kind)
	}
	return s
}

func (s *sink) licenseUsage(n *normalise.LicenseUsage) func(*extract.Record) error {
	var row schema.LicenseUsage
	var total func(*extract.Record) error // of the stream that most loads do not have
	return func(rec *extract.Record) error {
		s.extra.add(rec.Extra)
		if rec.Stream == extract.LicenseTotals {
			if total == nil {
				total = s.licenseTotal(normalise.NewLicenseTotals())
			}
			return total(rec)
		}
		if err := n.Row(rec, &row); err != nil {
			return s.reject(rec, err)
		}
		s.hash.LicenseUsage(&row)
		s.totals.LicenseUsage(&row)
		if s.into == nil {
			return nil
		}
		return inWarehouse(s.into.LicenseUsage(&row))
	}
}

func (s *sink) licenseTotal(n *normalise.LicenseTotals) func(*extract.Record) error {
	var row schema.LicenseTotal
	return func(rec *extract.Record) error {
		if err := n.Row(rec, &row); err != nil {
			return s.reject(rec, err)
		}
		s.hash.LicenseTotal(&row)
		s.totals.LicenseTotal(&row)
		if s.into == nil {
			return nil
		}
		return inWarehouse(s.into.LicenseTotal(&row))
	}
}

func (s *sink) meteringDetail(n *normalise.Metering) func(*extract.Record) error {
	var row schema.MeteringDetail
	return func(rec *extract.Record) error {
		if err := n.Row(rec, &row); err != nil {
			return s.reject(rec, err)
		}
		s.hash.MeteringDetail(&row)
		s.totals.MeteringDetail(&row)
		if s.into == nil {
			return nil
		}
		return inWarehouse(s.into.MeteringDetail(&row))
	}
}

func (s *sink) reject(rec *extract.Record, err error) error {
	var r *normalise.Reject
	if !errors.As(err, &r) {
		return err // a conflict: the whole answer is in doubt
	}
	s.totals.Rejects++
	if s.totals.Rejects > maxRejects {
		return fmt.Errorf("more than %d rows of the answer cannot be read, the last because of: %w", maxRejects, err)
	}
	if s.into == nil {
		return nil
	}
	return inWarehouse(s.into.Reject(r.Row(rec)))
}

// arrivals tells the observer of records as they come. Those of a slice that is
// read a second time, because its answer broke off or from its recording, are
// told only as far as they are more than the first time.
type arrivals struct {
	observer Observer
	mu       sync.Mutex
	told     map[schema.Slice]uint64
}

func (a *arrivals) add(item plan.Item, soFar uint64) {
	a.mu.Lock()
	more := soFar - min(soFar, a.told[item.Slice])
	a.told[item.Slice] += more
	a.mu.Unlock()
	if more > 0 {
		a.observer.Rows(item, more)
	}
}

// pull has api ask for the slice through via and sends its rows into the load,
// or only hashes them when into is nil.
func (s *sourceRun) pull(ctx context.Context, api extract.Source, item plan.Item, via extract.Getter, into Load) (tally, error) {
	rows := newSink(s.src, into)
	var arrived uint64
	answer, err := api.Pull(ctx, via, extract.Request{Feed: item.Feed, Day: item.Day.String()},
		func(rec *extract.Record) error {
			if arrived++; arrived%progressStep == 0 {
				s.arrivals.add(item, arrived)
			}
			return rows.row(rec)
		})
	s.arrivals.add(item, arrived)
	got := tally{answer: answer, totals: rows.totals, hash: rows.hash.String(), notes: answer.Notes, extra: rows.extra}
	if n := rows.unreadable(); n > 0 {
		got.notes = append(got.notes, fmt.Sprintf("%d dates of the answer cannot be read; they are NULL, and their text is kept in the column extra", n))
	}
	if replay, ok := via.(*archive.Replayer); ok && err == nil {
		err = replay.Done()
	}
	return got, err
}
