package bigfix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

// pull is one Pull on its way.
type pull struct {
	source *Source
	via    extract.Getter
	day    string
	group  int64
	limit  int // rows to ask for at a time; 0 for all at once
	emit   func(*extract.Record) error
	scan   *scanner
	answer extract.Answer
	// refused is what emit returned, to be passed on as it is.
	refused error

	// Of the list that is being read:

	list  list
	rows  *rows
	pages paging
}

// newPull makes one that asks via for at most limit rows at a time.
func (s *Source) newPull(via extract.Getter, day string, group int64, limit int, emit func(*extract.Record) error) *pull {
	return &pull{source: s, via: via, day: day, group: group, limit: limit, emit: emit, scan: newScanner()}
}

// begin turns to the next list.
func (p *pull) begin(l list) {
	p.list, p.rows, p.pages = l, newRows(l), paging{limit: p.limit}
}

// all reads one list after the other to its end.
func (p *pull) all(ctx context.Context) error {
	for _, l := range p.source.lists() {
		p.begin(l)
		for done := false; !done; {
			got, err := p.page(ctx)
			if err != nil {
				return err
			}
			done, err = p.pages.add(got)
			switch {
			case errors.Is(err, errChanged):
				return p.fault(extract.Interrupted, err)
			case err != nil:
				return p.bad(err)
			}
		}
	}
	return nil
}

// page asks for the next page and hands its rows to emit.
func (p *pull) page(ctx context.Context) (page, error) {
	response, err := p.ask(ctx)
	if err != nil {
		return page{}, err
	}
	return p.read(response)
}

// ask sends the query for the next page. Where the server refuses the
// configured server columns, the name alone is asked for, now and from then on.
func (p *pull) ask(ctx context.Context) (*extract.Response, error) {
	s := p.source
	nameOnly := []string{"name"}
	if s.nameOnly.Load() {
		return p.get(ctx, nameOnly)
	}
	configured := s.o.ServerColumns
	response, err := p.get(ctx, configured)
	var refused *extract.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest ||
		p.list.stream != extract.Facts || len(configured) == 1 && configured[0] == "name" {
		return response, err
	}
	response, err = p.get(ctx, nameOnly)
	var again *extract.Error
	switch {
	case errors.As(err, &again) && again.Status == http.StatusBadRequest:
		return nil, refused // it was not the columns
	case err != nil:
		return nil, err
	}
	if s.nameOnly.CompareAndSwap(false, true) {
		p.answer.Notes = append(p.answer.Notes, fmt.Sprintf(
			"the server refuses the server_columns %s (it says %q); only the server's name is asked for",
			strings.Join(configured, ", "), refused.Says))
	}
	return response, nil
}

// get sends one query and counts its requests.
func (p *pull) get(ctx context.Context, serverColumns []string) (*extract.Response, error) {
	s := p.source
	response, err := p.via.Get(ctx, s.query(p.list, p.day, p.group, serverColumns, p.limit, p.rows.record.Ordinal))
	var e *extract.Error
	switch {
	case err == nil:
		p.answer.Requests += response.Attempts
	case errors.As(err, &e):
		p.answer.Requests += e.Attempts
		if hint := totalsHint(e.Status); p.list.stream == extract.LicenseTotals && hint != "" {
			e.Hint = hint
		}
	}
	return response, err
}

// read hands the rows of one answer to emit.
func (p *pull) read(response *extract.Response) (page, error) {
	defer response.Body.Close()
	if err := p.served(response.Header); err != nil {
		return page{}, p.bad(err)
	}
	p.scan.reset(response.Body)
	got, err := readAnswer(p.scan, p.row)
	p.answer.Bytes += p.scan.read
	var e *extract.Error
	switch {
	case err == nil:
		return got, nil
	case p.refused != nil:
		return got, p.refused
	case errors.As(err, &e):
		return got, e
	case errors.Is(err, errOverlap):
		return got, p.fault(extract.Interrupted, err)
	case errors.Is(err, errEndedEarly):
		// HCL's page on the REST API's performance: answers are streamed, and an
		// error after the stream began can only show as its early end.
		return got, p.fault(extract.Interrupted, fmt.Errorf("%w, after %d rows", err, p.rows.record.Ordinal))
	}
	bad := p.bad(err)
	if got.rows == 0 {
		bad.Says = p.source.client.Text(p.scan.head())
	}
	return got, bad
}

// served holds what was asked for against what the server says it answered:
// IBM's and HCL's pages on license_usage name the headers startdate, enddate and
// computerGroupId for it. A header that is not there, or no date, says nothing.
func (p *pull) served(header http.Header) error {
	for _, name := range p.list.days {
		date := header.Get(name)
		date = date[:min(len(date), len(time.DateOnly))]
		if _, err := time.Parse(time.DateOnly, date); err == nil && date != p.day {
			return fmt.Errorf("the answer is for another day: its header %s is %q", name, date)
		}
	}
	group, err := strconv.ParseInt(header.Get("computerGroupId"), 10, 64)
	if err == nil && p.group != 0 && group != p.group {
		return fmt.Errorf("the answer is for computer group %d", group)
	}
	return nil
}

func (p *pull) row(raw []byte) error {
	record, err := p.rows.decode(raw)
	if err != nil {
		return err
	}
	if err := p.pages.row(record, p.list.key); err != nil {
		return err
	}
	p.answer.Records++
	p.refused = p.emit(record)
	return p.refused
}

// bad is the error for an answer that is not the documented thing.
func (p *pull) bad(err error) *extract.Error { return p.fault(extract.BadAnswer, err) }

func (p *pull) fault(class extract.Class, err error) *extract.Error {
	return &extract.Error{Class: class, Doing: p.source.doing(p.list, p.day, p.group), Status: http.StatusOK, Err: err}
}
