package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/schema"
)

// The account that both simulators know.
const (
	simulatedUser     = "meterhouse"
	simulatedPassword = "demo-password-of-the-simulated-portal"
	simulatedToken    = "7adc3efb175e2bc0f4484bdd2efca54a8fa04623" //nolint:gosec // the simulator's, as on HCL's page
)

// simulatedMark begins a configuration that a simulation wrote and may write again.
const simulatedMark = "# Written for simulated sources; the next simulation in this folder writes it again.\n"

// estateOptions describe the simulated servers.
type estateOptions struct {
	dir           string // configuration, secrets and CA files are written here
	bigfixAddr    string
	nexthinkAddr  string
	rows, devices int
	now           func() time.Time
	start         schema.Day // of the bigfix source
}

// estate is both simulators, serving, with a configuration that reaches them.
type estate struct {
	bigfix     *bigfixtest.Server
	nexthink   *nexthinktest.Server
	configFile string
}

// startEstate starts the simulators and writes into o.dir what a user of real
// servers would have there.
func startEstate(ctx context.Context, o estateOptions) (_ *estate, err error) {
	e := &estate{configFile: filepath.Join(o.dir, "meterhouse.yaml")}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	e.bigfix, err = bigfixtest.Start(ctx, bigfixtest.Options{
		Seed: 1, Rows: o.rows, First: "2024-01-01", Token: simulatedToken,
		Now:  func() time.Time { return o.now().UTC() }, // its time zone, as the configuration has it
		User: simulatedUser, Password: simulatedPassword, Addr: o.bigfixAddr, NightlyImport: true,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the simulated BigFix Inventory on %s: %w", o.bigfixAddr, err)
	}
	portal := nexthinktest.New(nexthinktest.Options{
		Seed: 1, Devices: o.devices, User: simulatedUser, Password: simulatedPassword, Now: o.now,
	})
	e.nexthink, err = portal.Start(o.nexthinkAddr)
	if err != nil {
		return nil, fmt.Errorf("starting the simulated Nexthink Portal on %s: %w", o.nexthinkAddr, err)
	}
	// The configuration comes last: who sees it finds the rest in place.
	for _, file := range []struct{ name, content string }{
		{"bigfix_token", simulatedToken + "\n"},
		{"bigfix_ca.pem", string(e.bigfix.CAPEM)},
		{"nexthink_password", simulatedPassword + "\n"},
		{"nexthink_ca.pem", string(e.nexthink.CAPEM)},
		{"meterhouse.yaml", e.config(o)},
	} {
		if err := os.WriteFile(filepath.Join(o.dir, file.name), []byte(file.content), 0o600); err != nil {
			return nil, fmt.Errorf("writing the configuration of the simulated sources: %w", err)
		}
	}
	return e, nil
}

func (e *estate) close() {
	var errs []error
	if e.bigfix != nil {
		errs = append(errs, e.bigfix.Close())
	}
	if e.nexthink != nil {
		errs = append(errs, e.nexthink.Close())
	}
	_ = errors.Join(errs...) // nothing is lost with a simulator
}

// config is a configuration file for the estate, with the embedded warehouse
// beside it. Three metering targets stand for what companies really meter.
func (e *estate) config(o estateOptions) string {
	var b strings.Builder
	b.WriteString(simulatedMark)
	fmt.Fprintf(&b, `warehouse:
  url: embedded:./data
archive:
  url: file:./archive
sources:
  - name: bigfix-demo
    kind: bigfix
    url: %s
    token_file: bigfix_token
    tls: {ca_file: bigfix_ca.pem}
    start: %s
    server_columns: [name, type, hardware_vendor, hardware_model, cores, pvu_per_core]
  - name: nexthink-demo
    kind: nexthink
    url: %s
    user: %s
    password_file: nexthink_password
    tls: {ca_file: nexthink_ca.pem}
    targets:
`, e.bigfix.URL, o.start, e.nexthink.URL, simulatedUser)
	for _, t := range []struct {
		name, program, path string
		metric              int
	}{
		{"visio-lausanne", "8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9", "Europe, Switzerland, Lausanne", 0},
		{"autocad-europe", "e5d4c3b2-a190-4f8e-9d7c-6b5a49382751", "Europe", 2},
		{"acrobat-americas", "0f1e2d3c-4b5a-4697-8877-665544332261", "Americas", 3},
	} {
		fmt.Fprintf(&b, `      - name: %s
        metric: %s
        program: %s
        hierarchy: %s
        path: [%s]
        lists: [installed, underusage]
        window_days: 30
`, t.name, nexthinktest.Metrics()[t.metric].UID, t.program, nexthinktest.LocationHierarchy, t.path)
	}
	return b.String()
}
