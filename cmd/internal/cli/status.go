package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) statusCommand() *cobra.Command {
	var (
		only     filters
		from, to dayFlag
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Coverage by source, feed and day; freshness; last errors",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from.set && to.set && to.day < from.day {
				return usagef("--to %s is before --from %s", to.day, from.day)
			}
			cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
			if err != nil {
				return err
			}
			if err := only.check(wire.Feeds(cfg.Sources)); err != nil {
				return err
			}
			s, done, err := a.connect(cmd.Context(), cfg, log, migrateWish(cmd, cfg))
			if err != nil {
				return err
			}
			defer done()
			in, err := s.planInput(cmd.Context(), time.Now())
			if err != nil {
				return err
			}
			feeds := coverage(in, only, from, to)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), feeds)
			}
			printStatus(cmd.OutOrStdout(), feeds)
			return nil
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&from, "from", "first day (default: the source's start, or the first day in the ledger)")
	cmd.Flags().Var(&to, "to", "last day (default: the last day that is due)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every day")
	return cmd
}

// feedStatus is one feed of `status`.
type feedStatus struct {
	Source string             `json:"source"`
	Kind   string             `json:"kind"`
	Feed   string             `json:"feed"`
	From   schema.Day         `json:"from"`
	To     schema.Day         `json:"to"`
	States map[plan.State]int `json:"states"` // days by state
	// LastDay is the newest published day, LastPublished when it was published (UTC).
	LastDay       *schema.Day `json:"last_published_day"`
	LastPublished *time.Time  `json:"last_published_at"`
	Rows          uint64      `json:"last_published_rows"`
	// Partial counts the published days that are known to be incomplete at the
	// source; PartialDay is the newest of them and PartialReason why.
	Partial       int         `json:"days_partial"`
	PartialDay    *schema.Day `json:"last_partial_day,omitempty"`
	PartialReason string      `json:"last_partial_reason,omitempty"`
	// LastError is the newest refusal or failure that no later load of its day has mended.
	LastError    string      `json:"last_error,omitempty"`
	LastErrorDay *schema.Day `json:"last_error_day,omitempty"`
	// Hosts are the machines that have loaded the feed lately: one, as a rule.
	Hosts []string        `json:"hosts"`
	Days  []plan.DayState `json:"days"`
}

// lately is how far back status looks for the machines that load a feed: one that
// was moved shall not be named for ever.
const lately = 36 * time.Hour

// coverage asks the same function as the plan for the state of every day.
func coverage(in plan.Input, only filters, from, to dayFlag) []*feedStatus {
	var out []*feedStatus
	for _, f := range in.Feeds {
		if (only.source != "" && f.Source != only.source) || (only.feed != "" && f.Feed != only.feed) {
			continue
		}
		first, last := span(in, f)
		if from.set {
			first = from.day
		}
		if to.set {
			last = to.day
		}
		one := plan.Input{Feeds: []plan.Feed{f}, Ledger: in.Ledger, Now: in.Now}
		s := &feedStatus{Source: f.Source, Kind: f.Kind, Feed: f.Feed, From: first, To: last, States: map[plan.State]int{}}
		s.Hosts = plan.Hosts(in.Ledger, f.Source, f.Feed, in.Now.Add(-lately))
		for _, d := range plan.Coverage(one, first, last) {
			s.add(d)
		}
		out = append(out, s)
	}
	return out
}

// span is the range of days that matter for a feed without being told.
func span(in plan.Input, f plan.Feed) (first, last schema.Day) {
	last = schema.DayOf(in.Now, f.Location)
	if f.History {
		last-- // today has not ended
	}
	first = last
	if f.HasStart {
		first = min(first, f.Start)
	}
	for _, l := range in.Ledger {
		if l.Source == f.Source && l.Feed == f.Feed {
			first = min(first, l.Day)
		}
	}
	return first, last
}

func (s *feedStatus) add(d plan.DayState) {
	s.Days = append(s.Days, d)
	s.States[d.State]++
	if p := d.Published; p != nil {
		s.LastDay, s.LastPublished, s.Rows = &p.Day, &p.FinishedAt, p.Rows
	}
	if why := d.Partial(); why != "" {
		s.Partial++
		s.PartialDay, s.PartialReason = &d.Published.Day, why
	}
	if l := d.Last; l != nil && (l.Status == schema.Failed || l.Status == schema.Refused) {
		s.LastError, s.LastErrorDay = string(l.Status)+": "+l.Reason, &l.Day
	}
}

func printStatus(out io.Writer, feeds []*feedStatus) {
	rows := make([]table.Row, len(feeds))
	for i, f := range feeds {
		published := fmt.Sprint(f.States[plan.StatePublished] + f.States[plan.StateProvisional])
		var doubts []string
		if n := f.States[plan.StateProvisional]; n > 0 {
			doubts = append(doubts, fmt.Sprintf("%d provisional", n))
		}
		if f.Partial > 0 {
			doubts = append(doubts, fmt.Sprintf("%d partial", f.Partial))
		}
		if len(doubts) > 0 {
			published += " (" + joined(doubts) + ")"
		}
		newest := "never"
		if f.LastDay != nil {
			newest = f.LastDay.String()
		}
		rows[i] = table.Row{
			f.Source + " " + f.Feed, fmt.Sprintf("%s to %s", f.From, f.To), published, gaps(f.States), newest,
		}
	}
	printTable(out, table.Row{"feed", "days", "published", "not published", "newest"}, rows)
	for _, f := range feeds {
		if f.Partial > 0 {
			fmt.Fprintf(out, "\n%s %s, day %s is partial: %s\n", f.Source, f.Feed, f.PartialDay, f.PartialReason)
		}
		if len(f.Hosts) > 1 {
			fmt.Fprintf(out, "\n%s %s: loaded by several machines, of which one is enough: %s\n", f.Source, f.Feed, strings.Join(f.Hosts, ", "))
		}
		if f.LastError != "" {
			fmt.Fprintf(out, "\n%s %s, day %s: %s\n", f.Source, f.Feed, f.LastErrorDay, f.LastError)
		}
	}
}

// gaps counts the days that readers do not see, by state.
func gaps(states map[plan.State]int) string {
	var parts []string
	for _, s := range []plan.State{plan.StateMissing, plan.StateFailed, plan.StateRefused, plan.StateOutOfReach} {
		if n := states[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(s), "_", " ")))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}
