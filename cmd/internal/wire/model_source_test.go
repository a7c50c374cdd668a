package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// contents is what a source says of a slice: quantities by key, and how many rows
// it has beside them that nobody can read.
type contents struct {
	rows    map[int64]int64
	rejects int
}

func (c contents) equal(d contents) bool { return maps.Equal(c.rows, d.rows) && c.rejects == d.rejects }

// sabotage is what goes wrong while a source answers.
type sabotage string

// What can go wrong. None of it may show in anything that readers see.
const (
	none      sabotage = ""
	refuses   sabotage = "refuses"    // no answer at all
	breaksOff sabotage = "breaks off" // after half of the rows
	contra    sabotage = "disagrees"  // two rows of the same key and different values
	panics    sabotage = "panics"     // a mistake in the decoder
)

// sabotages are what can befall a kind of source; half of the time nothing does.
func sabotages(kind string) []sabotage {
	if kind == schema.KindNexthink { // whose devices may have the same name
		return []sabotage{none, none, none, refuses, breaksOff, panics}
	}
	return []sabotage{none, none, none, refuses, breaksOff, panics, contra}
}

// scripted is a source that says what a test tells it to. Its answers are text, a
// line per row, so that a recording of them can stand for the source.
type scripted struct {
	kind  string
	says  map[string]contents // by feed and day; of a source without history by feed
	fails map[string]sabotage // likewise
}

func (s *scripted) key(req extract.Request) string {
	if s.kind == schema.KindNexthink {
		return req.Feed
	}
	return req.Feed + " " + req.Day
}

// Live is the source itself.
func (s *scripted) Live() extract.Getter { return s }

// Check finds nothing.
func (s *scripted) Check(context.Context) ([]extract.Finding, error) { return nil, nil }

// Get answers for the slice that the path names.
func (s *scripted) Get(_ context.Context, q extract.Query) (*extract.Response, error) {
	c, fault := s.says[q.Path], s.fails[q.Path]
	var text strings.Builder
	for i, key := range slices.Sorted(maps.Keys(c.rows)) {
		if fault == breaksOff && i >= len(c.rows)/2 {
			break
		}
		fmt.Fprintln(&text, key, c.rows[key])
	}
	switch fault {
	case refuses:
		return nil, &extract.Error{Class: extract.BadAnswer, Doing: "asking", Says: "no"}
	case breaksOff, panics:
		fmt.Fprintln(&text, fault)
	case contra:
		fmt.Fprintln(&text, "1000 1\n1000 2")
	case none:
		for range c.rejects {
			fmt.Fprintln(&text, "? ?")
		}
	}
	return &extract.Response{Status: http.StatusOK, Attempts: 1, Body: io.NopCloser(strings.NewReader(text.String()))}, nil
}

// Pull reads the lines of an answer.
func (s *scripted) Pull(ctx context.Context, via extract.Getter, req extract.Request, emit func(*extract.Record) error) (extract.Answer, error) {
	response, err := via.Get(ctx, extract.Query{Path: s.key(req)})
	if err != nil {
		return extract.Answer{}, err
	}
	defer response.Body.Close()
	answer := extract.Answer{Requests: response.Attempts}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		key, quantity, _ := strings.Cut(lines.Text(), " ")
		switch sabotage(lines.Text()) {
		case breaksOff:
			return answer, &extract.Error{Class: extract.Interrupted, Doing: "reading the answer", Err: io.ErrUnexpectedEOF}
		case panics:
			panic("a mistake in a decoder")
		}
		answer.Records++
		answer.Bytes += int64(len(lines.Bytes()))
		if err := emit(s.record(answer.Records, key, quantity)); err != nil {
			return answer, err
		}
	}
	// What was not read to its end cannot be kept.
	_, err = io.Copy(io.Discard, response.Body)
	return answer, err
}

func (s *scripted) record(ordinal uint64, key, quantity string) *extract.Record {
	number := func(text string) extract.Value {
		if _, err := strconv.Atoi(text); err != nil {
			return extract.Value{Kind: extract.Text, Bytes: []byte(text)} // a reject
		}
		return extract.Value{Kind: extract.Number, Bytes: []byte(text)}
	}
	r := &extract.Record{Ordinal: ordinal, Raw: []byte(key + " " + quantity)}
	if s.kind == schema.KindNexthink {
		r.Values = make([]extract.Value, extract.MeteringColumns)
		r.Values[extract.MeteringDevice] = extract.Value{Kind: extract.Text, Bytes: []byte(key)}
		r.Values[extract.MeteringAvgUsage] = number(quantity)
		return r
	}
	r.Values = make([]extract.Value, extract.LicenseColumns)
	for _, column := range []int{extract.LicenseMetricID, extract.LicenseServerID, extract.LicenseHWMCores} {
		r.Values[column] = number("1")
	}
	r.Values[extract.LicenseProductID], r.Values[extract.LicenseHWMQuantity] = number(key), number(quantity)
	return r
}

// request names a slice to a source.
func request(s schema.Slice) extract.Request {
	return extract.Request{Feed: s.Feed, Day: s.Day.String()}
}
