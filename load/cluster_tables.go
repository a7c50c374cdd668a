package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/meterhouse/meterhouse/schema"
)

// checkEngines makes sure that a database that was made for a cluster is used as
// one, and one for a single server as that.
func (w *Warehouse) checkEngines(ctx context.Context) error {
	const doing = "looking at the tables"
	facts := schema.LicenseUsageTable().Name
	engines, err := w.texts(ctx, doing, tableEngineSQL(w.database, facts))
	if err != nil || len(engines) == 0 {
		return err
	}
	switch distributed := engines[0] == "Distributed"; {
	case distributed && w.cluster == nil:
		return &Error{
			Class: Schema, Doing: doing, Err: fmt.Errorf("database %q was made for a cluster", w.database),
			Hint: "set warehouse.cluster to its name",
		}
	case !distributed && w.cluster != nil:
		return &Error{
			Class: Schema, Doing: doing, Err: fmt.Errorf("database %q was made for a single server: %s has the engine %s", w.database, facts, engines[0]),
			Hint: "leave warehouse.cluster empty, or name another database in warehouse.url and load it anew",
		}
	}
	return nil
}

// absent names the tables and views that a server of the cluster lacks, as after
// one was added. A server that does not answer lacks nothing: what it misses is
// queued for it.
func (c *cluster) absent(ctx context.Context, w *Warehouse) (map[string]bool, error) {
	absent := map[string]bool{}
	if c == nil {
		return absent, nil
	}
	var mu sync.Mutex
	errs := c.onEach(func(n *node) error {
		have, err := w.objectsOf(ctx, n)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, object := range c.objects(w) {
			if !have[object] {
				absent[strings.TrimSuffix(object, localSuffix)] = true
			}
		}
		return nil
	})
	for _, err := range errs {
		if e := new(Error); errors.As(fail(err, "listing the tables"), &e) && !e.Temporary() {
			return nil, e
		}
	}
	return absent, nil
}

// objects are the tables and views that every server has.
func (c *cluster) objects(w *Warehouse) []string {
	var objects []string
	for _, m := range schema.Migrations() {
		if m.Set == schema.ViewsSet && !w.hasViews() {
			continue
		}
		objects = append(objects, m.Object())
		if sharded(m.Object()) {
			objects = append(objects, m.Object()+localSuffix)
		}
	}
	return objects
}

// objectsOf names the tables and views that a server has in the database.
func (w *Warehouse) objectsOf(ctx context.Context, n *node) (map[string]bool, error) {
	have := map[string]bool{}
	err := w.within(ctx, nodeTimeout, func(ctx context.Context) error {
		names, err := readTexts(ctx, n.admin, tableNamesSQL(w.database))
		for _, name := range names {
			have[name] = true
		}
		return err
	})
	return have, err
}

// haveDatabase tells whether every server that answers has the database.
func (c *cluster) haveDatabase(ctx context.Context, w *Warehouse) bool {
	var lacking atomic.Bool
	c.onEach(func(n *node) error {
		return w.within(ctx, nodeTimeout, func(ctx context.Context) error {
			var engine string
			err := n.admin.QueryRow(ctx, databaseEngineSQL(w.database)).Scan(&engine)
			if errors.Is(err, sql.ErrNoRows) {
				lacking.Store(true)
			}
			return err
		})
	})
	return !lacking.Load()
}
