package bigfixtest

import (
	"math"
	"time"
)

// The computer groups that the simulator knows, beside the token's own, which
// holds all servers.
const (
	GroupEurope   = 5 // two fifths of the servers
	GroupAmericas = 6 // a quarter of them, none of Europe's
	// GroupWithout is a group for which license usage is not calculated.
	GroupWithout = 7
)

const (
	workdayActive = 0.97 // of the installed products are used on a working day
	vacancy       = 12   // one part in so many of a server's place in the rack stands empty
	dayEpoch      = 18262
)

// estate is an invented data centre: slots, in each of which one server
// follows another, and products installed in slots. All of it is computed from
// the seed when it is asked for.
type estate struct {
	seed  uint64
	slots int
	lines []line
}

// newEstate makes one whose working days have about that many rows.
func newEstate(seed uint64, rows int) *estate {
	e := &estate{seed: seed, lines: lines()}
	perSlot := 0.0
	for _, l := range e.lines {
		share := l.share
		if l.product.bundle != 0 {
			share /= 2
		}
		perSlot += share
	}
	perSlot *= workdayActive * (1 - 1.0/vacancy)
	e.slots = max(1, int(math.Round(float64(rows)/perSlot)))
	return e
}

// usage is one row: what a product used of a metric on a server.
type usage struct {
	line            *line
	server          server
	quantity, cores int64
}

type server struct {
	id                        int64
	name, serial              []byte // reused from row to row
	kind                      int64  // 0 physical, 1 virtual without VM manager data, 2 public cloud
	vendor, model             string
	processors, cores, perCPU int64
}

// each calls yield for every row of a day, ordered by product, metric, bundle
// and server, until it returns false. The row is reused. group 0 is everything;
// revision tells apart the versions of a restated day. Servers are described
// only where describe is set, because names cost more than numbers.
func (e *estate) each(day int, group int64, revision int, order []int, describe bool, yield func(*usage) bool) {
	var u usage
	when := calendar(day)
	for _, i := range order {
		l := &e.lines[i]
		installed := threshold(l.share)
		active := threshold(workdayActive)
		if when.weekend {
			active = threshold(l.weekend)
		}
		for slot := range e.slots {
			h := mix(e.seed^uint64(l.id)<<32, uint64(slot)) //nolint:gosec // a hash
			if h > installed || !l.here(h) || !inGroup(group, e.seed, slot) {
				continue
			}
			today := mix(h, uint64(day)) //nolint:gosec // a hash
			if today > active {
				continue
			}
			generation, ok := e.occupied(slot, day)
			if !ok || !e.fill(&u, l, slot, generation, when.load, h, today, revision) {
				continue
			}
			if describe {
				e.describe(&u.server, slot, generation)
			}
			if !yield(&u) {
				return
			}
		}
	}
}

// here tells whether a product that is in a bundle on half of its servers is
// counted on this line there.
func (l *line) here(h uint64) bool {
	return l.product.bundle == 0 || (h&1 == 1) == (l.bundle.id != 0)
}

// fill computes the row's numbers; false when the revision dropped it.
func (e *estate) fill(u *usage, l *line, slot, generation int, load float64, h, today uint64, revision int) bool {
	u.line = l
	e.size(&u.server, slot, generation)
	cores := u.server.cores
	if !l.fullCap {
		part := (0.3 + 0.4*fraction(h>>8)) * load * (0.9 + 0.2*fraction(today>>8))
		cores = min(cores, max(1, int64(math.Round(part*float64(cores)))))
	}
	if revision > 0 {
		switch change := mix(today^uint64(l.metric.id), uint64(revision)) % 100; { //nolint:gosec // a hash
		case change == 0:
			return false
		case change < 10:
			cores++ // a correction found one core more
		}
	}
	u.cores, u.quantity = cores, cores
	if l.rule == pvu {
		u.quantity = cores * u.server.perCPU
	}
	return true
}

// occupied says which server, counted from 0, stands in a slot on a day; ok is
// false while the slot is between two.
func (e *estate) occupied(slot, day int) (generation int, ok bool) {
	h := mix(e.seed^0x51075, uint64(slot)) //nolint:gosec // a hash
	life := 300 + int(h%900)
	at := day - dayEpoch + 40*life + int(h>>32%1200)
	return at / life % 64, at%life >= life/vacancy
}

// size sets what the numbers of a row depend on.
func (e *estate) size(s *server, slot, generation int) {
	s.id = int64(slot)*64 + int64(generation) + 17
	h := mix(e.seed^0x51e, uint64(s.id)) //nolint:gosec // a hash
	switch pick := h % 100; {
	case pick < 30:
		s.kind, s.processors = 0, 1<<(h>>8%3)
		s.cores = s.processors * (4 + 4*int64(h>>16%4))
		s.perCPU = []int64{70, 100, 120}[h>>24%3]
	case pick < 75:
		s.kind, s.processors, s.cores, s.perCPU = 1, 1, 2<<(h>>8%3), 120 // the default for a VM that no VM manager describes
	default:
		s.kind, s.processors, s.cores, s.perCPU = 2, 1, 2<<(h>>8%4), 70
	}
}

// describe sets names and hardware.
func (e *estate) describe(s *server, slot, generation int) {
	h := mix(e.seed^0xde5c, uint64(s.id)) //nolint:gosec // a hash
	s.serial, s.name = s.serial[:0], s.name[:0]
	switch s.kind {
	case 0:
		brand := []struct{ vendor, model, prefix string }{
			{"LENOVO", "ThinkSystem SR650", "LENOVO "},
			{"Dell Inc.", "PowerEdge R740", "DELL "},
			{"HPE", "ProLiant DL380 Gen10", "HPE "},
			{"IBM", "9009-42A", "IBM "},
		}[h%4]
		s.vendor, s.model = brand.vendor, brand.model
		s.serial = appendHex(s.serial, h>>8, 7)
		s.name = append(append(append(s.name, brand.prefix...), s.serial...), ".corp.example"...)
	case 1:
		s.vendor, s.model = "-", "-"
		s.name = appendHex(append(s.name, "TLM_VM_"...), uint64(slot), 6) //nolint:gosec // a label
		s.name = appendHex(s.name, h>>32<<8|uint64(generation&0xff), 10)
		s.serial = append(s.serial, s.name...)
	default:
		s.vendor, s.model = "Amazon EC2", []string{"m6i.xlarge", "r6i.2xlarge", "c6i.large"}[h%3]
		s.serial = appendHex(append(s.serial, "i-0"...), h, 16)
		s.name = append(s.name, s.serial...)
	}
}

// appendHex appends the lowest digits of v.
func appendHex(b []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, "0123456789ABCDEF"[v>>shift&0xf])
	}
	return b
}

func inGroup(group int64, seed uint64, slot int) bool {
	place := mix(seed^0x6709, uint64(slot)) % 100 //nolint:gosec // a hash
	switch group {
	case GroupEurope:
		return place < 40
	case GroupAmericas:
		return place >= 40 && place < 65
	default:
		return true
	}
}

// weather of a day: how busy it is.
type weather struct {
	weekend bool
	load    float64
}

func calendar(day int) weather {
	date := time.Unix(int64(day)*86400, 0).UTC()
	w := weather{load: 1}
	switch date.Weekday() {
	case time.Saturday, time.Sunday:
		w.weekend, w.load = true, 0.6
	case time.Tuesday, time.Wednesday, time.Thursday:
		w.load = 1.15
	}
	if date.AddDate(0, 0, 3).Month() != date.Month() { // the books are closed
		w.load *= 1.3
	}
	return w
}

// mix hashes two numbers; the multipliers are those of splitmix64.
func mix(a, b uint64) uint64 {
	x := a + b*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// threshold is the hash below which a share of all hashes lies.
func threshold(share float64) uint64 {
	if share >= 1 {
		return math.MaxUint64
	}
	return uint64(share * math.MaxUint64)
}

// fraction turns the lower bits of a hash into a number from 0 to 1.
func fraction(h uint64) float64 { return float64(h%4096) / 4095 }
