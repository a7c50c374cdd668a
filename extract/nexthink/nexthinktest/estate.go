package nexthinktest

import (
	"fmt"
	"time"
)

// window is the look-back of every metric, in days: Nexthink's default.
const window = 30

// underusage is the rule of every metric: less than this many seconds a day on
// average is under-use.
const underusage = 60

// estate is a company's devices. Nothing of it is stored: every fact about a
// device on a day is computed from the seed, so that any number of devices
// costs no memory and every day can be asked for again.
type estate struct {
	seed    uint64
	devices int
	sites   []site
	weights int // of all sites together
}

func newEstate(seed uint64, devices int) *estate {
	e := &estate{seed: seed, devices: devices, sites: sites()}
	for _, s := range e.sites {
		e.weights += s.weight
	}
	return e
}

// detail is one row of an answer.
type detail struct {
	device, entity string
	// usage and executions are averages per day in hundredths.
	usage, executions uint64
	firstDay          int
	lastDay, lastTime int // day and second of the last activity; 0, 0 for none
	program           *Program
	used              []bool // per binary of the program
}

// dayOf counts the days since 1970-01-01 of the date that t has in its zone.
func dayOf(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// date is the inverse of dayOf, at the given second of the day.
func date(day, second int) time.Time {
	return time.Unix(int64(day)*86400+int64(second), 0).UTC()
}

// draw is a number that depends on nothing but the seed and what it is for.
func (e *estate) draw(of ...int) uint64 {
	h := e.seed
	for _, v := range of {
		h = (h ^ uint64(v)) * 0x9E3779B97F4A7C15 //nolint:gosec // bits, not a quantity
		h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
		h = (h ^ h>>27) * 0x94D049BB133111EB
		h ^= h >> 31
	}
	return h
}

// below is a draw from 0 to n-1.
func (e *estate) below(n int, of ...int) int {
	return int(e.draw(of...)>>1) % n
}

// What draws are for.
const (
	forSite = iota
	forLife
	forPhase
	forGap
	forPackage
	forFirstDay
	forHabit
	forDay
	forSeconds
	forTime
	forBinary
)

// device is one desk's device as it stands on a day.
type device struct {
	id    int // of this piece of hardware, not of the desk
	site  *site
	since int // the day on which it came
}

// device says what stands on a desk on a day. A device is replaced after one to
// three years, and the desk is empty for some days in between.
func (e *estate) device(desk, day int) (device, bool) {
	life := 400 + e.below(700, forLife, desk)
	since := day + e.below(life, forPhase, desk)
	generation, age := since/life, since%life
	gap := e.below(12, forGap, desk, generation)
	if age < gap {
		return device{}, false
	}
	at, i := e.below(e.weights, forSite, desk), 0
	for at >= e.sites[i].weight {
		at -= e.sites[i].weight
		i++
	}
	return device{id: desk + generation*e.devices, site: &e.sites[i], since: day - age + gap}, true
}

// measure fills d with what a program did on a device in the days before day.
// It tells whether the package is there at all.
func (e *estate) measure(d *detail, dev device, program int, p *Program, day int) bool {
	if e.below(1000, forPackage, dev.id, program) >= p.share {
		return false
	}
	first := dev.since
	if when := e.below(2000, forFirstDay, dev.id, program); when < 600 { // not from the beginning
		first += when / 3
	}
	if first > day {
		return false
	}
	*d = detail{
		device: fmt.Sprintf("%s-W%06d", dev.site.code, dev.id), entity: dev.site.entity(),
		firstDay: first, program: p, used: d.used[:0],
	}
	var seconds, executions uint64
	for on := max(first, day-window); on < day; on++ {
		if s := e.secondsOn(dev, program, on); s > 0 {
			seconds += s
			executions += 1 + s/3600
			d.lastDay, d.lastTime = on, 7*3600+e.below(11*3600, forTime, dev.id, program, on)
		}
	}
	d.usage = perDay(seconds)
	d.executions = perDay(executions)
	for i := range p.binaries {
		often := i == 0 || e.below(3, forBinary, dev.id, program, i) == 0
		d.used = append(d.used, seconds > 0 && often)
	}
	return true
}

// perDay is a sum's average over the window in hundredths.
func perDay(sum uint64) uint64 { return (sum*100 + window/2) / window }

// isUnderused applies the metrics' rule.
func (d *detail) isUnderused() bool { return d.usage < underusage*100 }

// secondsOn is how long a program ran on a device on one day. A fifth of the
// users never start it, another fifth hardly ever, the others on most working days.
func (e *estate) secondsOn(dev device, program, day int) uint64 {
	habit := e.draw(forHabit, dev.id, program)
	var chance uint64 // in percent
	switch kind := habit % 10; {
	case kind < 2:
		return 0
	case kind < 4:
		chance = 4
	default:
		chance = 30 + habit/10%65
	}
	if weekday := date(day, 0).Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		chance /= 12
	}
	if e.draw(forDay, dev.id, program, day)%100 >= chance {
		return 0
	}
	longest := 120 + habit/1000%9000
	return 20 + e.draw(forSeconds, dev.id, program, day)%longest
}
