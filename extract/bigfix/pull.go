package bigfix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

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
	rows   *rows
	scan   *scanner
	answer extract.Answer
	// refused is what emit returned, to be passed on as it is.
	refused error
}

func (p *pull) run(ctx context.Context) error {
	pages := paging{limit: p.limit}
	for {
		response, err := p.ask(ctx)
		if err != nil {
			return err
		}
		got, err := p.read(response)
		if err != nil {
			return err
		}
		done, err := pages.add(got)
		switch {
		case errors.Is(err, errChanged):
			return p.fault(extract.Interrupted, err)
		case err != nil:
			return p.bad(err)
		}
		if done {
			return nil
		}
	}
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
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || len(configured) == 1 && configured[0] == "name" {
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
	response, err := p.via.Get(ctx, s.usageQuery(p.day, p.group, serverColumns, p.limit, p.answer.Records))
	var e *extract.Error
	switch {
	case err == nil:
		p.answer.Requests += response.Attempts
	case errors.As(err, &e):
		p.answer.Requests += e.Attempts
	}
	return response, err
}

// read hands the rows of one answer to emit.
func (p *pull) read(response *extract.Response) (page, error) {
	defer response.Body.Close()
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
	case errors.Is(err, errEndedEarly):
		// HCL's page on the REST API's performance: answers are streamed, and an
		// error after the stream began can only show as its early end.
		return got, p.fault(extract.Interrupted, fmt.Errorf("%w, after %d rows", err, p.answer.Records))
	}
	bad := p.bad(err)
	if got.rows == 0 {
		bad.Says = p.source.client.Text(p.scan.head())
	}
	return got, bad
}

func (p *pull) row(raw []byte) error {
	record, err := p.rows.decode(raw)
	if err != nil {
		return err
	}
	p.answer.Records++
	p.refused = p.emit(record)
	return p.refused
}

// bad is the error for an answer that is not the documented thing.
func (p *pull) bad(err error) *extract.Error { return p.fault(extract.BadAnswer, err) }

func (p *pull) fault(class extract.Class, err error) *extract.Error {
	return &extract.Error{Class: class, Doing: p.source.doing(p.day, p.group), Status: http.StatusOK, Err: err}
}
