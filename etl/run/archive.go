package run

import (
	"context"
	"errors"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// keep archives what was recorded for a load that ended with err, and returns
// what the load ends with now. It comes before the publication: what readers see
// is in the archive.
func (s *sourceRun) keep(
	ctx context.Context, item plan.Item, from origin, load *schema.Load, recording *archive.Recording, err error,
) error {
	o := s.runner.o
	if o.Archive == nil || !s.worthKeeping(item, recording, err) {
		return err
	}
	aerr := s.archive(ctx, item, from, load, recording, err)
	switch {
	case aerr == nil:
		return err
	case ctx.Err() != nil:
		return errors.Join(err, aerr) // interrupted
	case o.ArchiveBestEffort || !publishable(err):
		s.say(item, aerr.Error())
		load.Reason += "; not archived: " + aerr.Error()
		return err
	default:
		return &archiveError{aerr}
	}
}

// worthKeeping reports whether a load that ended with err is to be archived.
// Of a failed load that is what a source will not answer again: it may be that
// only this program could not read it, or that the warehouse was gone.
func (s *sourceRun) worthKeeping(item plan.Item, recording *archive.Recording, err error) bool {
	return publishable(err) || s.snapshot() && s.sameDay(item) == nil && recording.Whole() == nil
}

// publishable reports whether a load that ended with err is, or may yet be,
// published: a refused one can be accepted.
func publishable(err error) bool { return err == nil || classify(err) == classRefused }

// archive stores the recording. One that says the same as an archived load is
// not stored again: that load stands for it.
func (s *sourceRun) archive(
	ctx context.Context, item plan.Item, from origin, load *schema.Load, recording *archive.Recording, err error,
) error {
	a := s.runner.o.Archive
	if load.Status == schema.Unchanged || load.LoadID != from.header.LoadID {
		held, err := a.Holds(ctx, item.Slice, load.ContentHash)
		if err != nil || held {
			return err //nolint:wrapcheck // says what it read
		}
	}
	row := *load
	row.FinishedAt = s.moment(item)
	s.settle(item, &row, err)
	m := &archive.Manifest{Load: row, ComputerGroup: from.header.ComputerGroup}
	if load.SourceAsOf.Valid {
		m.SourceAsOf = &row.SourceAsOf.V
	}
	if item.Kind == schema.KindNexthink {
		m.Target = &from.header.Target
	}
	return a.Store(ctx, m, recording) //nolint:wrapcheck // says what it stored
}
