package load

import (
	"sync"
	"time"
)

// deaths remembers which servers were found dead, so that only the first load
// after that has to wait.
type deaths struct {
	mu    sync.Mutex
	found map[*node]death
}

// death is when a server was found dead first, and last.
type death struct{ first, last time.Time }

// pause notes that servers were found dead, and is how long to wait because of
// them. A server that was not looked at for a while may have lived meanwhile.
func (d *deaths) pause(away []*node, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found == nil {
		d.found = map[*node]death{}
	}
	var pause time.Duration
	for _, n := range away {
		known, ok := d.found[n]
		if !ok || now.Sub(known.last) > deadPause {
			known.first = now
		}
		known.last = now
		d.found[n] = known
		pause = max(pause, known.first.Add(deadPause).Sub(now))
	}
	return pause
}

// live notes that a server has answered.
func (d *deaths) live(n *node) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.found, n)
}

// recently tells whether a server was found dead a short time ago.
func (d *deaths) recently(n *node, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.found[n]
	return ok && now.Sub(known.last) < time.Minute
}
