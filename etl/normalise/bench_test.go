package normalise_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// estate is one record, reused as a decoder reuses it, that becomes one server
// after the other.
type estate struct {
	servers int
	record  *extract.Record
	next    int
}

func newEstate(tb testing.TB, servers int) *estate {
	tb.Helper()
	return &estate{servers: servers, record: record(tb, 1, `{"product_id":24,"product_name":"IBM InfoSphere QualityStage",
		"product_family_guid":"1b7c8d1e-0000-4000-8000-000000000001","metric_id":4,"metric_code_name":"PVU_SUB_CAP",
		"bundle_id":0,"bundle_name":null,"bundle_guid":null,"server_id":100000,"hwm_quantity":8800,"hwm_cores":88,
		"server":{"name":"srv-000000.example.com","type":0,"hardware_serial_number":"SN000000","hardware_vendor":"LENOVO",
		"hardware_model":"ThinkSystem SR650","total_processors":2,"cores":88,"pvu_per_core":100,"active_computers":1}}`,
		licenseColumns())}
}

func (e *estate) row() *extract.Record {
	n := e.next % e.servers
	e.next++
	for digit := 5; digit >= 0; digit-- {
		c := byte('0' + n%10)
		e.record.Values[extract.LicenseServerID].Bytes[digit] = c
		e.record.Values[extract.LicenseServerName].Bytes[len("srv-")+digit] = c
		e.record.Values[extract.LicenseServerSerialNumber].Bytes[len("SN")+digit] = c
		n /= 10
	}
	e.record.Ordinal++
	return e.record
}

// TestLicenseUsageAllocatesNothing holds what keeps memory flat and the garbage
// collector idle: a row whose names were seen before costs no allocation.
func TestLicenseUsageAllocatesNothing(t *testing.T) {
	n, servers := normalise.NewLicenseUsage(), newEstate(t, 20)
	var row schema.LicenseUsage
	allocs := testing.AllocsPerRun(2000, func() {
		if err := n.Row(servers.row(), &row); err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, allocs) // the average over the runs, rounded down
}

func BenchmarkLicenseUsage(b *testing.B) {
	for _, size := range []int{100, 10_000, 200_000} {
		b.Run(fmt.Sprintf("servers=%d", size), func(b *testing.B) {
			n, servers := normalise.NewLicenseUsage(), newEstate(b, size)
			var row schema.LicenseUsage
			b.ReportAllocs()
			for b.Loop() {
				if err := n.Row(servers.row(), &row); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkMetering(b *testing.B) {
	n := normalise.NewMetering(normalise.MeteringOptions{Location: time.UTC})
	rec := record(b, 1, `{"device":"PC-001","entity":"Lausanne","avg_usage":1834.5,"avg_executions":2,"first_seen":"2025-01-05",
		"last_activity":"2026-03-04T16:20:11+01:00","binaries":["visio.exe","winproj.exe"]}`, meteringColumns())
	var row schema.MeteringDetail
	b.ReportAllocs()
	for b.Loop() {
		if err := n.Row(rec, &row); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
