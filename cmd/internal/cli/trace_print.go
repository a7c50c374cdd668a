package cli

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
)

const traceTime = "2006-01-02 15:04:05"

// print writes the chain from what readers see down to the hashes.
func (t *trace) print(out io.Writer) {
	fmt.Fprintf(out, "%s %s, day %s\n\n", t.Source, t.Feed, t.Day)
	t.printReaders(out)
	t.printLedger(out)
	t.printArchive(out)
	if len(t.Faults) == 0 {
		return
	}
	fmt.Fprintln(out, "\nThe chain does not hold:")
	for _, f := range t.Faults {
		fmt.Fprintln(out, "  "+f)
	}
}

func (t *trace) printReaders(out io.Writer) {
	if t.Readers == nil {
		fmt.Fprintln(out, "Readers see nothing: no load of this day is published.")
		return
	}
	r := t.Readers
	fmt.Fprintf(out, "Readers see %s rows in %s, of load %d", count(r.Rows), r.View, r.LoadID)
	if r.AnsweredBy != r.LoadID {
		fmt.Fprintf(out, ", which replayed load %d", r.AnsweredBy)
	}
	fmt.Fprintln(out)
	var names []string
	for name := range r.Controls {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(out, "  %s = %d\n", name, r.Controls[name])
	}
}

func (t *trace) printLedger(out io.Writer) {
	if len(t.Ledger) == 0 {
		fmt.Fprintln(out, "\nThe ledger has no load of this day.")
		return
	}
	fmt.Fprintln(out, "\nLedger (* is what readers see)")
	seen := plan.Current(t.Ledger, t.Slice)
	rows := make([]table.Row, len(t.Ledger))
	for i := range t.Ledger {
		l, mark := &t.Ledger[i], " "
		if l == seen {
			mark = "*"
		}
		rows[i] = table.Row{
			mark, l.LoadID, l.FinishedAt.Format(traceTime), l.Status, l.Rows, l.Rejects, l.ContentHash, l.Reason,
		}
	}
	printTable(out, table.Row{"", "load", "finished (UTC)", "status", "rows", "rejects", "content hash", "reason"}, rows)
}

func (t *trace) printArchive(out io.Writer) {
	fmt.Fprintln(out)
	if t.Archive == "" {
		fmt.Fprintln(out, "No archive is configured: the chain ends at the ledger.")
		return
	}
	if len(t.Loads) == 0 {
		fmt.Fprintf(out, "The archive at %s holds nothing of this day: the chain ends at the ledger.\n", t.Archive)
		return
	}
	fmt.Fprintf(out, "Archive %s\n", t.Archive)
	if t.Readers != nil && t.answers() == nil {
		fmt.Fprintf(out, "  (load %d, which readers see, is not in it)\n", t.Readers.AnsweredBy)
	}
	for _, l := range t.Loads {
		t.printLoad(out, l)
	}
}

func (t *trace) printLoad(out io.Writer, l *tracedLoad) {
	m, mark := l.Manifest, " "
	if t.Readers != nil && m.LoadID() == t.Readers.AnsweredBy {
		mark = "*"
	}
	fmt.Fprintf(out, "%s load %d: %s, pulled %s, %s\n", mark, m.LoadID(), m.Load.Status,
		m.Load.StartedAt.Format(traceTime), plural(len(m.Exchanges), "answer"))
	for i, x := range m.Exchanges {
		fmt.Fprintf(out, "    GET %s\n      status %d, %s, %s bytes, answered %s\n      %s (%s bytes)\n      sha256 of the answer %s\n      %s\n",
			request(x), x.Status, contentType(x), count(uint64(x.Bytes)), x.AnsweredAt.Format(time.RFC3339), //nolint:gosec // a size
			l.Objects[i].Key, count(uint64(x.ObjectBytes)), x.SHA256, verdict(l.Objects[i])) //nolint:gosec // a size
	}
}

// request writes a request for people: with its brackets and commas.
func request(x archive.Exchange) string {
	if len(x.Query) == 0 {
		return x.Path
	}
	text, err := url.QueryUnescape(x.Query.Encode())
	if err != nil || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' }) {
		text = x.Query.Encode()
	}
	return x.Path + "?" + text
}

func contentType(x archive.Exchange) string {
	if t := x.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "no content type"
}

func verdict(o tracedObject) string {
	if o.Fault != "" {
		return "NOT VERIFIED: " + o.Fault
	}
	return "verified: the archived bytes have this hash"
}
