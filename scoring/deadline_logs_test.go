//go:build reference

package scoring_test

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// For each log with each pack.
const (
	logCustomers = 30 // followed
	logChecks    = 30 // moments at which a deadline is checked
)

// logHorizons are those of the public logs, in days.
var logHorizons = map[string]int64{
	"cdnow":         90,
	"online_retail": 90,
	"bitcoin_otc":   180,
	"mathoverflow":  90,
	"email_eu":      30,
}

// TestLogDeadlines: the property of TestPackDeadlines holds for customers of the five public logs, with every shipped
// pack. A log's own types are its activity and friction. The pack's signals, which no public log contains, are added to
// it, so that features, factors, floors and stages take part.
func TestLogDeadlines(t *testing.T) {
	for name := range sets {
		rows := readLog(t, filepath.Join(shared(t), "data", name+".csv.gz"))
		customers := followed(rows)
		for _, packName := range pack.Shipped() {
			t.Run(name+"/"+packName, func(t *testing.T) {
				t.Parallel()
				f := &following{pack: logPack(t, name, packName), r: rand.New(rand.NewPCG(1, 7)), found: map[string]int{}}
				events := 0
				for _, own := range customers {
					events += len(own)
				}
				f.every = max(1, events/logChecks)
				for _, own := range customers {
					f.follow(t, own)
				}
				t.Logf("%d moments of %d customers: %v", f.checks, len(customers), f.found)
				if f.checks < logChecks || f.found["lapse raised"] == 0 {
					t.Errorf("%d moments, %v: too little happened", f.checks, f.found)
				}
				if len(f.pack.Model.Factors) > 0 && (f.found["factors"] == 0 || f.found["expired"] == 0) {
					t.Errorf("%v: the pack was hardly at work", f.found)
				}
			})
		}
	}
}

// logPack is a shipped pack whose activity is the log's, and whose friction is the log's and its own.
func logPack(t *testing.T, log, name string) *pack.Pack {
	t.Helper()
	o := sets[log]
	o.Friction = maps.Clone(o.Friction)
	maps.Copy(o.Friction, scoringtest.Must(pack.Load(name, nil, pack.Overrides{})).Friction)
	maps.DeleteFunc(o.Friction, func(eventType string, _ float64) bool { return slices.Contains(o.Activity, eventType) })
	o.Horizon = time.Duration(logHorizons[log]) * 24 * time.Hour
	return scoringtest.Must(pack.Load(name, nil, o))
}

// followed are the events of some customers of a log, customer by customer: drawn evenly from all who have ten events
// or more.
func followed(rows []row) [][]row {
	own := map[string][]row{}
	for _, r := range rows {
		own[r.customer] = append(own[r.customer], r)
	}
	maps.DeleteFunc(own, func(_ string, events []row) bool { return len(events) < 10 })
	names := slices.Sorted(maps.Keys(own))
	var all [][]row
	for i := range logCustomers {
		all = append(all, own[names[i*len(names)/logCustomers]])
	}
	return all
}

// following is a pack in the course of a log.
type following struct {
	pack   *pack.Pack
	r      *rand.Rand
	pop    profile.Population
	every  int // one of so many events is followed by a check
	checks int
	found  map[string]int
}

// follow takes one customer through its events, with signals of the pack in between.
func (f *following) follow(t *testing.T, own []row) {
	t.Helper()
	w := scoringtest.NewWalk(f.pack)
	w.Pop = f.pop // learnt from the customers before
	for i, e := range own {
		w.Observe(e.ms, e.kind, nil, 1000)
		next := e.ms + 60*scoringtest.Day
		if i+1 < len(own) {
			next = own[i+1].ms
		}
		for range f.r.IntN(3) {
			at := e.ms + f.r.Int64N(max(1, next-e.ms))
			if f.r.IntN(8) == 0 {
				at -= f.r.Int64N(3 * scoringtest.Day) // somewhat late
			}
			w.Observe(at, w.Types[f.r.IntN(len(w.Types))], f.properties(), f.r.Int64N(50_000))
		}
		if f.r.IntN(f.every) == 0 || i == len(own)-1 {
			f.check(t, w)
		}
	}
	f.pop = w.Pop
}

// check checks the deadline at a moment, and notes what took part.
func (f *following) check(t *testing.T, w *scoringtest.Walk) {
	t.Helper()
	f.checks++
	d := checkDeadline(t, w)
	switch {
	case d == nil:
		f.found["nothing"]++
		return
	case d.Kind == profile.Lapse:
		f.found["lapse "+d.Transition.String()]++
	default:
		f.found[d.Transition.String()]++
	}
	if d.Score.Factors != 0 {
		f.found["factors"]++
	}
}

// properties are those that the pack reads, of any kind.
func (f *following) properties() []feature.Property {
	all := make([]feature.Property, len(f.pack.Properties()))
	for i := range all {
		switch f.r.IntN(4) {
		case 0:
			all[i] = feature.Property{Kind: feature.PropertyText, Hash: f.r.Uint64N(20)}
		case 1:
			all[i] = feature.Property{Kind: feature.PropertyBool, Number: f.r.Int64N(2)}
		default:
			all[i] = feature.Property{Kind: feature.PropertyNumber, Number: 1000 * f.r.Int64N(12)}
		}
	}
	return all
}
