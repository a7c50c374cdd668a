package archive_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/schema"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	load := func(id uint64, status schema.Status, hash string) *archive.Manifest {
		return &archive.Manifest{Load: schema.Load{LoadID: id, Status: status, ContentHash: hash}}
	}
	f := func(name string, loads []*archive.Manifest, seen *archive.Seen, want uint64, fault string) {
		t.Helper()
		m, err := archive.Choose(loads, seen)
		if fault != "" {
			require.ErrorContains(t, err, fault, name)
			require.ErrorIs(t, err, archive.ErrNotArchived, name)
			return
		}
		require.NoError(t, err, name)
		require.Equal(t, want, m.LoadID(), name)
	}
	a, b := load(1, schema.Published, "aa"), load(2, schema.Published, "bb")
	refused, failed := load(3, schema.Refused, "cc"), load(4, schema.Failed, "aa")
	all := []*archive.Manifest{a, b, refused, failed}

	f("nothing archived", nil, nil, 0, "not in the archive")
	f("nothing published: the newest that could be read", all, nil, 2, "")
	f("nothing published, one was refused", []*archive.Manifest{refused, failed}, nil, 3, "")
	f("nothing published, all failed", []*archive.Manifest{failed, load(5, schema.Failed, "")}, nil, 5, "")
	f("readers see the newest", all, &archive.Seen{LoadID: 2, ContentHash: "bb"}, 2, "")
	f("readers see an older one, as after a rollback", all, &archive.Seen{LoadID: 1, ContentHash: "aa"}, 1, "")
	f("readers see an accepted one", all, &archive.Seen{LoadID: 3, ContentHash: "cc"}, 3, "")
	f("archived by a later pull that said the same", []*archive.Manifest{load(7, schema.Unchanged, "zz")},
		&archive.Seen{LoadID: 5, ContentHash: "zz"}, 7, "")
	f("a failed load with the same hash is not it", []*archive.Manifest{failed},
		&archive.Seen{LoadID: 9, ContentHash: "aa"}, 0, "the newest that is there is load 4")
	f("what readers see is not there", all, &archive.Seen{LoadID: 9, ContentHash: "ff"}, 0,
		"load 9, which readers see, is not in the archive; the newest that is there is load 4 of 0001-01-01 00:00:00, failed: name it with --load")
}
