package schema_test

import (
	"database/sql"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/schema"
)

// TestNewLoadID sorts by time, and does not repeat within one millisecond.
func TestNewLoadID(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 31, 6, 0, 0, 0, time.UTC)
	seen := map[uint64]bool{}
	for range 100 {
		id := schema.NewLoadID(at)
		require.Equal(t, uint64(at.UnixMilli()), id>>22)
		require.Less(t, id, schema.NewLoadID(at.Add(time.Millisecond)))
		seen[id] = true
	}
	require.Greater(t, len(seen), 98, "22 random bits")
}

func TestStatusPublishes(t *testing.T) {
	t.Parallel()
	for status, want := range map[schema.Status]bool{
		schema.Published: true, schema.Accepted: true, schema.RolledBack: true,
		schema.Unchanged: false, schema.Refused: false, schema.Failed: false,
	} {
		require.Equal(t, want, status.Publishes(), status)
	}
}

func TestFactTable(t *testing.T) {
	t.Parallel()
	bigfix, ok := schema.FactTable(schema.KindBigFix)
	require.True(t, ok)
	require.Equal(t, schema.LicenseUsageTable(), bigfix)
	nexthink, ok := schema.FactTable(schema.KindNexthink)
	require.True(t, ok)
	require.Equal(t, schema.MeteringDetailsTable(), nexthink)
	_, ok = schema.FactTable("flexera")
	require.False(t, ok)
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

func licenseRow() schema.LicenseUsage {
	return schema.LicenseUsage{
		ProductID: 24, ProductName: "IBM Db2", MetricID: 3, MetricCodeName: "PVU_FULL_CAP", ServerID: 19,
		Server: schema.Server{Name: "LENOVO"}, HWMQuantity: 8800, HWMCores: 88,
	}
}

func totalRow() schema.LicenseTotal {
	return schema.LicenseTotal{ProductID: 24, ProductName: "IBM Db2", MetricID: 3, MetricCodeName: "PVU_FULL_CAP", HWMQuantity: some[int64](8800)}
}

func meteringRow() schema.MeteringDetail {
	return schema.MeteringDetail{
		Device: "PC1", AvgUsageSeconds: some(1.5), LastActivity: some(time.Unix(1, 0)),
		Binaries: []string{"a.exe"}, BinariesUsed: []sql.Null[bool]{some(true)}, Ordinal: 1,
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	var license, metering schema.Totals
	row := licenseRow()
	license.LicenseUsage(&row)
	row.HWMQuantity, row.HWMCores = 200, 2
	license.LicenseUsage(&row)
	require.Equal(t, schema.Totals{Rows: 2, Controls: [2]int64{9000, 90}}, license)

	total := totalRow()
	license.LicenseTotal(&total)
	license.LicenseTotal(&schema.LicenseTotal{})
	require.Equal(t, schema.Totals{
		Rows: 2, Controls: [2]int64{9000, 90}, LicenseTotals: schema.Counts{Rows: 2, Controls: [2]int64{8800, 1}},
	}, license)

	detail := meteringRow()
	metering.MeteringDetail(&detail)
	metering.MeteringDetail(&schema.MeteringDetail{})
	require.Equal(t, schema.Totals{Rows: 2, Controls: [2]int64{1, 1}}, metering)
}

func licenseHash(rows ...schema.LicenseUsage) string {
	var h schema.ContentHash
	for i := range rows {
		h.LicenseUsage(&rows[i])
	}
	return h.String()
}

func totalHash(r schema.LicenseTotal) string {
	var h schema.ContentHash
	h.LicenseTotal(&r)
	return h.String()
}

func meteringHash(rows ...schema.MeteringDetail) string {
	var h schema.ContentHash
	for i := range rows {
		h.MeteringDetail(&rows[i])
	}
	return h.String()
}

// TestContentHashOrder is the same in every order, and counts repetitions.
func TestContentHashOrder(t *testing.T) {
	t.Parallel()
	rows := make([]schema.LicenseUsage, 100)
	for i := range rows {
		rows[i] = licenseRow()
		rows[i].ServerID = int64(i)
	}
	want := licenseHash(rows...)
	require.Len(t, want, 32)
	for range 5 {
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		require.Equal(t, want, licenseHash(rows...))
	}
	require.NotEqual(t, want, licenseHash(append(rows, rows[0])...))
	require.Equal(t, schema.NoContent, licenseHash())
}

// TestContentHashIsStable holds the hash to a value: the ledger keeps hashes for
// years and compares them with new ones.
func TestContentHashIsStable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "260b3fcd339d15332d0a6a7badcc9d0b", licenseHash(licenseRow()))
	require.Equal(t, "5b79464793a5404f28dd4492893c22bc", meteringHash(meteringRow()))
	require.Equal(t, "d4ea34b83919ca18d618cf04b1bc59cc", totalHash(totalRow()))
}

// TestContentHashSeesEveryField changes one field after the other.
func TestContentHashSeesEveryField(t *testing.T) {
	t.Parallel()
	row, server := reflect.TypeFor[schema.LicenseUsage](), reflect.TypeFor[schema.Server]()
	for i := range row.NumField() {
		if row.Field(i).Type == server {
			continue
		}
		r := licenseRow()
		change(t, reflect.ValueOf(&r).Elem().Field(i))
		require.NotEqual(t, licenseHash(licenseRow()), licenseHash(r), row.Field(i).Name)
	}
	for i := range server.NumField() {
		r := licenseRow()
		change(t, reflect.ValueOf(&r.Server).Elem().Field(i))
		require.NotEqual(t, licenseHash(licenseRow()), licenseHash(r), server.Field(i).Name)
	}
	total := reflect.TypeFor[schema.LicenseTotal]()
	for i := range total.NumField() {
		r := totalRow()
		field := reflect.ValueOf(&r).Elem().Field(i)
		if field.Kind() == reflect.Struct && field.FieldByName("Valid").Bool() {
			field = field.FieldByName("V")
		}
		change(t, field)
		require.NotEqual(t, totalHash(totalRow()), totalHash(r), total.Field(i).Name)
	}
	unknown := totalRow()
	unknown.HWMQuantity = sql.Null[int64]{}
	require.NotEqual(t, totalHash(totalRow()), totalHash(unknown), "no quantity")
	for name, change := range map[string]func(*schema.MeteringDetail){
		"device":            func(r *schema.MeteringDetail) { r.Device = "PC2" },
		"entity":            func(r *schema.MeteringDetail) { r.Entity = "E" },
		"usage":             func(r *schema.MeteringDetail) { r.AvgUsageSeconds.V = 2 },
		"no usage":          func(r *schema.MeteringDetail) { r.AvgUsageSeconds.Valid = false },
		"0 executions":      func(r *schema.MeteringDetail) { r.AvgExecutions.Valid = true },
		"first seen":        func(r *schema.MeteringDetail) { r.FirstSeen = some(time.Unix(2, 0)) },
		"never active":      func(r *schema.MeteringDetail) { r.LastActivity.Valid = false },
		"a binary":          func(r *schema.MeteringDetail) { r.Binaries[0] = "b.exe" },
		"no binary":         func(r *schema.MeteringDetail) { r.Binaries, r.BinariesUsed = nil, nil },
		"binary not used":   func(r *schema.MeteringDetail) { r.BinariesUsed[0].V = false },
		"binary cannot say": func(r *schema.MeteringDetail) { r.BinariesUsed[0].Valid = false },
		"extra":             func(r *schema.MeteringDetail) { r.Extra = "{}" },
	} {
		r := meteringRow()
		change(&r)
		require.NotEqual(t, meteringHash(meteringRow()), meteringHash(r), name)
	}
	moved := meteringRow()
	moved.Ordinal = 2
	require.Equal(t, meteringHash(meteringRow()), meteringHash(moved), "the order is not content")
}

// TestContentHashKeepsFieldsApart: text must not move from one field to the next unseen.
func TestContentHashKeepsFieldsApart(t *testing.T) {
	t.Parallel()
	require.NotEqual(t,
		licenseHash(schema.LicenseUsage{BundleName: "ab", BundleGUID: "c"}),
		licenseHash(schema.LicenseUsage{BundleName: "a", BundleGUID: "bc"}))
}

// change gives a field another value.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Struct:
		v.FieldByName("Valid").SetBool(true)
	default:
		t.Fatalf("a field of kind %s: teach this test to change it", v.Kind())
	}
}
