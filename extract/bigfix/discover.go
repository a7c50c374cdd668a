package bigfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"unicode"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	schemaPath  = "api/sam/v2/schemas/"
	schemaLimit = 16 << 20
)

// described is a schema that a server has, and the columns that we ask for.
type described struct {
	name    string
	columns []string
}

// Discover writes the server's schema of license_usage_per_server to out, then
// those of license_usage and of the `server` association where the configuration
// asks for more than the defaults of them. HCL's page on each endpoint says that
// its schema lists all columns; how is documented nowhere, so it is shown as it
// came and only searched for the names of columns.
func (s *Source) Discover(ctx context.Context, out io.Writer) ([]extract.Finding, error) {
	var schemas []described
	for _, l := range s.lists() {
		schemas = append(schemas, described{l.name, l.columns})
	}
	if !slices.Equal(s.o.ServerColumns, []string{"name"}) {
		schemas = append(schemas, described{"server", s.o.ServerColumns})
	}
	findings := []extract.Finding{s.version(ctx)}
	for _, d := range schemas {
		text, err := s.schema(ctx, d.name)
		if err != nil {
			return findings, err
		}
		if !bytes.HasSuffix(text, []byte("\n")) {
			text = append(text, '\n')
		}
		if _, err := out.Write(text); err != nil {
			return findings, fmt.Errorf("writing the schema of %s: %w", d.name, err)
		}
		named := words(text)
		for _, column := range d.columns {
			if !named[column] {
				findings = append(findings, extract.Finding{
					What: "columns", Warn: true,
					Says: fmt.Sprintf("%s is asked for, and schemas/%s.json does not name it", column, d.name),
				})
			}
		}
	}
	return findings, nil
}

func (s *Source) schema(ctx context.Context, name string) ([]byte, error) {
	query := extract.Query{
		Path: schemaPath + name + ".json", Accept: jsonType,
		Doing: fmt.Sprintf("asking %q for the schema of %s", s.o.Name, name),
	}
	response, err := s.client.Get(ctx, query)
	if err != nil {
		var e *extract.Error
		if errors.As(err, &e) && e.Status == http.StatusNotFound {
			e.Hint = "this server does not describe it, so it may not have it: " +
				"license_usage_per_server needs License Metric Tool 9.2.24 or BigFix Inventory 11.0.7.0"
		}
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(io.LimitReader(response.Body, schemaLimit))
}

// words are the words of a text, as names of columns are written.
func words(text []byte) map[string]bool {
	all := map[string]bool{}
	for _, word := range bytes.FieldsFunc(text, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		all[string(word)] = true
	}
	return all
}
