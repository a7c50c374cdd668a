package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) traceCommand() *cobra.Command {
	var (
		only   filters
		day    dayFlag
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "trace --source NAME --day DAY",
		Short: "Show where a day's numbers come from, down to the hash of the source's answer",
		Long: `Prints the chain behind what readers see of one day: the rows and sums of the view,
the loads in the ledger, and for each archived load its requests, and the hash of
each answer, which is computed anew from the archived bytes. Whatever does not hold
together is said at the end, and makes the exit code 3.`,
		Example: "  meterhouse trace --source bfi-emea --feed default --day 2026-11-20",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if only.source == "" || !day.set {
				return usagef("trace needs --source and --day\nSee '%s --help'.", cmd.CommandPath())
			}
			cfg, log, err := a.loadConfig(config.LoadForArchive, false)
			if err != nil {
				return err
			}
			feeds := wire.Feeds(cfg.Sources)
			if err := (&filters{source: only.source}).check(feeds); err != nil {
				return err
			}
			if only.feed == "" {
				if only.feed, err = onlyFeed(feeds, only.source); err != nil {
					return err
				}
			}
			s, done, err := a.connect(cmd.Context(), cfg, log, migrateWish(cmd, cfg))
			if err != nil {
				return err
			}
			defer done()
			if err := s.openArchive(); err != nil {
				return err
			}
			t, err := s.trace(cmd.Context(), schema.Slice{Source: only.source, Feed: only.feed, Day: day.day})
			if err != nil {
				return err
			}
			if len(t.Ledger)+len(t.Loads) == 0 { // a feed may be gone from the configuration, but not from everywhere
				if err := only.check(feeds); err != nil {
					return err
				}
			}
			return t.show(cmd, asJSON)
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&day, "day", "the day")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// onlyFeed is the feed of a source that has one.
func onlyFeed(feeds []plan.Feed, source string) (string, error) {
	var names []string
	for _, f := range feeds {
		if f.Source == source {
			names = append(names, f.Feed)
		}
	}
	if len(names) != 1 {
		return "", usagef("source %q has several feeds; name one with --feed: %s", source, joined(names))
	}
	return names[0], nil
}

// trace is the chain behind one slice.
type trace struct {
	schema.Slice
	// Readers is what readers see, nil when nothing is published.
	Readers *tracedReaders `json:"readers"`
	Ledger  []schema.Load  `json:"ledger"`
	// Archive is where the archive is, "" for none.
	Archive string        `json:"archive"`
	Loads   []*tracedLoad `json:"archived_loads"`
	// Faults are the places where the chain does not hold.
	Faults []string `json:"faults"`
}

type tracedReaders struct {
	load.Seen
	// LoadID is the load that the ledger publishes, AnsweredBy the one whose
	// answers it was made of: another one if it was replayed.
	LoadID     uint64 `json:"load_id,string"`
	AnsweredBy uint64 `json:"answered_by,string"`
}

type tracedLoad struct {
	Manifest *archive.Manifest `json:"manifest"`
	Objects  []tracedObject    `json:"objects"`
}

type tracedObject struct {
	Key string `json:"key"`
	// Fault is what is wrong with the archived bytes, "" when their hashes are
	// those of the manifest.
	Fault string `json:"fault"`
}

func (s *session) trace(ctx context.Context, slice schema.Slice) (*trace, error) {
	t := &trace{Slice: slice, Loads: []*tracedLoad{}, Faults: []string{}}
	var err error
	t.Ledger, err = s.warehouse.Ledger(ctx, load.LedgerQuery{Source: slice.Source, Feeds: []string{slice.Feed}, From: slice.Day, To: slice.Day})
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	slices.SortStableFunc(t.Ledger, func(x, y schema.Load) int {
		return cmp.Or(x.FinishedAt.Compare(y.FinishedAt), cmp.Compare(x.PublishedSeq, y.PublishedSeq)) // of one second, as they replaced each other
	})
	if p := plan.Current(t.Ledger, slice); p != nil {
		seen, err := s.warehouse.Seen(ctx, p.Kind, slice)
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it read
		}
		t.Readers = &tracedReaders{seen, p.LoadID, run.Answered(t.Ledger, p.LoadID)}
		t.holdReaders(p)
	}
	if s.archive == nil {
		return t, nil
	}
	t.Archive = s.archive.Where()
	return t, t.readArchive(ctx, s.archive)
}

// holdReaders holds what readers see against the ledger.
func (t *trace) holdReaders(p *schema.Load) {
	if t.Readers.Rows != p.Rows {
		t.fault("readers see %d rows, and the ledger says that load %d has %d", t.Readers.Rows, p.LoadID, p.Rows)
	}
	for _, id := range t.Readers.LoadIDs {
		if id != p.LoadID {
			t.fault("readers see rows of load %d, and the ledger publishes load %d", id, p.LoadID)
		}
	}
}

func (t *trace) readArchive(ctx context.Context, arch *archive.Archive) error {
	for e, err := range arch.Entries(ctx, t.Source, t.Feed) {
		if err != nil {
			return err //nolint:wrapcheck // says what it listed
		}
		if e.Slice != t.Slice {
			continue
		}
		if !e.Complete() {
			faults, err := arch.Verify(ctx, e, time.Now())
			for _, f := range faults {
				t.fault("%s", f.Error())
			}
			if err != nil {
				return err //nolint:wrapcheck // says what it read
			}
			continue
		}
		if err := t.readLoad(ctx, arch, e); err != nil {
			return err
		}
	}
	if m := t.answers(); m != nil {
		t.holdManifest(m)
	}
	return nil
}

func (t *trace) readLoad(ctx context.Context, arch *archive.Archive, e archive.Entry) error {
	m, err := arch.Manifest(ctx, e.Slice, e.LoadID)
	var bad *archive.Fault
	if errors.As(err, &bad) {
		t.fault("%s", bad.Error())
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // says what it read
	}
	l := &tracedLoad{Manifest: m}
	for _, x := range m.Exchanges {
		f, err := arch.VerifyObject(ctx, m, x)
		if err != nil {
			return err //nolint:wrapcheck // says what it read
		}
		o := tracedObject{Key: m.Key(x.Object)}
		if f != nil {
			o.Fault = f.What
			t.fault("%s", f.Error())
		}
		l.Objects = append(l.Objects, o)
	}
	t.Loads = append(t.Loads, l)
	return nil
}

// answers is the manifest of what readers see, nil when it is not archived.
func (t *trace) answers() *archive.Manifest {
	if t.Readers == nil {
		return nil
	}
	for _, l := range t.Loads {
		if l.Manifest.LoadID() == t.Readers.AnsweredBy {
			return l.Manifest
		}
	}
	return nil
}

// holdManifest holds the manifest of what readers see against the ledger row of
// the same load.
func (t *trace) holdManifest(m *archive.Manifest) {
	for _, row := range t.Ledger {
		if row.LoadID == m.LoadID() && (row.ContentHash != m.Load.ContentHash || row.Rows != m.Load.Rows) {
			t.fault("the manifest of load %d says %d rows and content hash %s, and the ledger says %d and %s",
				row.LoadID, m.Load.Rows, m.Load.ContentHash, row.Rows, row.ContentHash)
			return
		}
	}
}

func (t *trace) fault(format string, args ...any) {
	t.Faults = append(t.Faults, fmt.Sprintf(format, args...))
}

func (t *trace) show(cmd *cobra.Command, asJSON bool) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), t); err != nil {
			return err
		}
	} else {
		t.print(cmd.OutOrStdout())
	}
	if len(t.Faults) > 0 {
		return errIncomplete
	}
	return nil
}
