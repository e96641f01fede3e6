package line

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// shareLog is a log whose only events are visits, and what an independent count needs of it.
type shareLog struct {
	pack    *pack.Pack
	horizon int64
	times   []int64                 // of all records, in order
	visits  map[string][]shareVisit // by customer
	probes  []shareProbe
}

// shareVisit is a customer's state after a visit.
type shareVisit struct {
	at int64
	profile.Profile
}

// shareProbe is a silence that was looked at, and what became of it.
type shareProbe struct {
	epoch, cell int64 // the former is that in which the outcome became known
	class       profile.Class
	silent      bool
}

// newShareLog is a log of some who come every day or two with pauses and in the end leave, of some who come seldom, and
// of many who come once.
func newShareLog(k *pack.Pack, rng *rand.Rand) (l *shareLog, records []pipeline.Record) {
	l = &shareLog{pack: k, horizon: k.Horizon.Milliseconds(), visits: map[string][]shareVisit{}}
	const begin, days = int64(1_700_000_000_000), 90
	type event struct {
		at   int64
		name string
	}
	var events []event
	for c := range 1000 {
		at := begin + rng.Int64N(60*pipeline.DayMillis)
		gap, leaves := 0.9, 0.01
		switch {
		case c < 250:
			at = begin + rng.Int64N(pipeline.DayMillis)
		case c < 450:
			gap, leaves = 7, 0.25
		default:
			gap, leaves = 10, 0.8
		}
		for at < begin+days*pipeline.DayMillis {
			events = append(events, event{at, fmt.Sprint("c", c)})
			if rng.Float64() < leaves {
				break
			}
			scale := gap
			if rng.IntN(15) == 0 {
				scale = 12
			}
			at += pipeline.MinuteMillis + int64(scale*rng.ExpFloat64()*float64(pipeline.DayMillis))
		}
	}
	slices.SortFunc(events, func(a, b event) int { return int(a.at - b.at) })
	var pop profile.Population
	profiles := map[string]*profile.Profile{}
	for i := range events {
		e := &events[i]
		if i > 0 && e.at <= events[i-1].at {
			e.at = events[i-1].at + 1
		}
		if profiles[e.name] == nil {
			profiles[e.name] = &profile.Profile{}
		}
		p := profiles[e.name]
		scoringtest.Observe(k, p, &pop, scoring.Observation{Time: e.at, Signal: k.Signal([]byte("visit"))})
		l.times, l.visits[e.name] = append(l.times, e.at), append(l.visits[e.name], shareVisit{e.at, *p})
		records = append(records, pipeline.Record{
			Timestamp: e.at,
			Value:     fmt.Appendf(nil, `{"id":"e%d","customer":%q,"type":"visit","time":%d}`, i, e.name, e.at),
		})
	}
	for name, visits := range l.visits {
		l.probe(name, visits)
	}
	return l, records
}

// probe notes a customer's silences at the instants drawn for it.
func (l *shareLog) probe(name string, visits []shareVisit) {
	draw := xxhash.Sum64(pipeline.AppendKey(nil, nil, []byte(name)))
	phase := int64(draw%uint64(l.horizon/pipeline.MinuteMillis)) * pipeline.MinuteMillis
	first := visits[0].at + ((phase-visits[0].at)%l.horizon+l.horizon)%l.horizon
	for start := first; ; start += l.horizon {
		end := start + l.horizon
		known, next := visits[0], slices.IndexFunc(visits, func(v shareVisit) bool { return v.at >= end })
		silent := true
		for _, v := range visits {
			switch {
			case v.at <= start:
				known = v
			case v.at <= end:
				silent = false
			}
		}
		when := end
		if next >= 0 { // its own event may show it before the watermark does, in the epoch of the record before
			when = min(end, l.before(visits[next].at))
		} else if end > l.times[len(l.times)-1] {
			return
		}
		if start-known.at > 2*l.horizon {
			continue
		}
		score := scoringtest.ScoreOf(l.pack, &known.Profile, start)
		class := profile.Occasional
		switch often := math.Exp(known.M) <= l.pack.Horizon.Hours()/24/5; {
		case known.Visits == 1:
			class = profile.OneTimer
		case known.Visits >= 5 && often:
			class = profile.Regular
		}
		cell := int64(min(max(math.Floor((score.Sum()+8)*4), 0), 63))
		l.probes = append(l.probes, shareProbe{l.epoch(when), cell, class, silent})
	}
}

// before is the time of the record before the one at a time.
func (l *shareLog) before(at int64) int64 {
	i, _ := slices.BinarySearch(l.times, at)
	return l.times[max(i-1, 0)]
}

// epoch is the number of the epoch of a time.
func (l *shareLog) epoch(at int64) int64 {
	return at / pipeline.MinuteMillis / l.pack.Model.EpochEnd(0)
}

// epochOf is the epoch in which an alert was decided.
func (l *shareLog) epochOf(e *pipeline.Entry, name string) int64 {
	at := e.Alert.Cause.Time
	if !e.Alert.Cause.Deadline {
		return l.epoch(l.before(at))
	}
	visits := l.visits[name]
	next := slices.IndexFunc(visits, func(v shareVisit) bool { return v.at > at })
	if next >= 0 { // where the watermark had not come as far, the customer's own event fired it
		at = min(at, l.before(visits[next].at))
	}
	return l.epoch(at)
}

// share counts the silences known before an epoch at a score, of a class or of all customers: how many there were, and
// the share of those that lasted. False: too few.
func (l *shareLog) share(epoch int64, score float64, of func(profile.Class) bool) (probes, share float64, ok bool) {
	var n, silent [64]float64
	total := 0.0
	for _, p := range l.probes {
		if p.epoch < epoch && of(p.class) {
			step := float64(l.pack.Model.EpochEnd(0)) / l.pack.Horizon.Minutes()
			weight := math.Exp(-float64(epoch-1-p.epoch) * step)
			total += weight
			if n[p.cell] += weight; p.silent {
				silent[p.cell] += weight
			}
		}
	}
	if total < 100 {
		return total, 0, false
	}
	type group struct{ x, p, n float64 }
	groups := []group{{}}
	for i := range n { // neighbouring cells together
		g := &groups[len(groups)-1]
		if g.n >= 30 {
			groups = append(groups, group{})
			g = &groups[len(groups)-1]
		}
		g.x, g.p, g.n = g.x+(float64(i)/4-7.875)*n[i], g.p+silent[i], g.n+n[i]
	}
	if last := len(groups) - 1; groups[last].n < 30 {
		to, rest := &groups[last-1], groups[last]
		to.x, to.p, to.n = to.x+rest.x, to.p+rest.p, to.n+rest.n
		groups = groups[:last]
	}
	for i := range groups {
		g := &groups[i]
		g.x, g.p = g.x/g.n, (g.p+0.5)/(g.n+1)
	}
	for i := 1; i < len(groups); { // and groups whose shares fall
		if a, b := groups[i-1], groups[i]; a.p >= b.p {
			n := a.n + b.n
			groups[i-1] = group{(a.x*a.n + b.x*b.n) / n, (a.p*a.n + b.p*b.n) / n, n}
			groups = slices.Delete(groups, i, i+1)
			i = max(i-1, 1)
			continue
		}
		i++
	}
	above := slices.IndexFunc(groups, func(g group) bool { return g.x >= score })
	switch {
	case above < 0:
		last := groups[len(groups)-1]
		return last.n, last.p, true
	case above == 0:
		return groups[0].n, groups[0].p, true
	}
	a, b := groups[above-1], groups[above]
	return a.n + b.n, a.p + (score-a.x)/(b.x-a.x)*(b.p-a.p), true
}

// TestShareAgainstTheRecords: what an alert says became of such silences is what an independent count of the log gives:
// of customers of its class, or of all where those are too few.
func TestShareAgainstTheRecords(t *testing.T) {
	k := anyOf(t, 8*24*time.Hour)
	byClass, byAll, none := [profile.NumClasses]int{}, 0, 0
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 16))
		l, records := newShareLog(k, rng)
		s := newShelf(t, k, 0, 0)
		for part := range slices.Chunk(records, 1+rng.IntN(200)) {
			s.put(t, part)
		}
		s.settle(t)
		for _, b := range s.outbox {
			e, err := pipeline.ReadEntry(b)
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != pipeline.EntryAlert {
				continue
			}
			d := &e.Alert.Decision
			_, customer := pipeline.SplitKey(e.Key)
			name := string(customer)
			class := profile.ClassOf(int(d.Score.Visits), math.Exp(d.Score.LnTypical) <= k.Horizon.Hours()/24/5)
			epoch, sum := l.epochOf(&e, name), d.Score.Sum()
			n, share, ofClass := l.share(epoch, sum, func(c profile.Class) bool { return c == class })
			ok := ofClass
			if !ofClass {
				n, share, ok = l.share(epoch, sum, func(profile.Class) bool { return true })
			}
			r := &d.Reading
			if r.OfClass != ofClass || r.Provisional() == ok || math.Abs(float64(r.Probes)-math.Floor(n)) > 1 ||
				ok && math.Abs(r.Probability(sum)-share) > 3e-6 { // points have six decimals
				t.Fatalf("%s of %s at %v: %+v reads %v; counted %v of %v, of its class %v",
					d.Transition, name, e.Alert.Cause.Time, r, r.Probability(sum), share, n, ofClass)
			}
			switch {
			case ofClass:
				byClass[class]++
			case ok:
				byAll++
			default:
				none++
			}
		}
	}
	if slices.Min(byClass[:]) < 20 || byAll < 10 || none < 10 {
		t.Errorf("compared %v by class, %d by all, %d without; too few of one of them", byClass, byAll, none)
	}
}
