package backtest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

const horizonDays = 40

func shopPack(t testing.TB) *pack.Pack {
	t.Helper()
	pack, err := pack.Load("any", nil, pack.Overrides{
		Activity: []string{"buy"}, Friction: map[string]float64{"fail": 1}, Horizon: horizonDays * 24 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// waitingPack is shopPack for customers with trouble alone.
func waitingPack(t testing.TB) *pack.Pack {
	t.Helper()
	const text = "name: waits\nversion: 1\nhorizon: 40d\nactivity: [buy]\nfriction: {fail: 1}\nraise: {regular: watch}\n" +
		"signals: {failed: {types: [fail]}}\neligible: {signal: failed}\n"
	pack, err := pack.Load("waits.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// happened is an event of a drawn log.
type happened struct {
	customer string
	kind     string
	at       int64
}

// value is the event's money.
func (h *happened) value() float64 { return float64(h.at % 5) }

const start = 1_600_000_000_000

// drawLog draws a log over about two years, in order of time.
func drawLog(t *rapid.T) []happened {
	var log []happened
	for c := range rapid.IntRange(2, 12).Draw(t, "customers") {
		at := int64(start) + rapid.Int64Range(0, 300*millisPerDay).Draw(t, "first")
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			kind := rapid.SampledFrom([]string{"buy", "buy", "buy", "fail", "other"}).Draw(t, "kind")
			log = append(log, happened{fmt.Sprint("c", c), kind, at})
			at += rapid.Int64Range(1, rapid.SampledFrom([]int64{2, 5, 20, 90, 300}).Draw(t, "pace")*millisPerDay).Draw(t, "gap")
		}
	}
	slices.SortStableFunc(log, func(a, b happened) int { return int(a.at - b.at) })
	return log
}

func run(pack *pack.Pack, log []happened, dates []time.Time, end int64) *Report {
	e := New(Config{Pack: pack, Active: 2 * pack.Horizon, Dates: dates, End: time.UnixMilli(end)})
	for i := range log {
		e.Observe(&Event{Key: []byte(log[i].customer), Type: []byte(log[i].kind), Time: log[i].at, Value: log[i].value()})
	}
	return e.Finish()
}

// TestScoredAtDates: the customers scored at a date, their scores, and who churned are those of one look at the whole
// log per customer.
func TestScoredAtDates(t *testing.T) {
	pack := shopPack(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		last := log[len(log)-1].at
		var dates []time.Time
		for _, after := range rapid.SliceOfNDistinct(
			rapid.Int64Range(1, max(1, (last-start)/millisPerDay)),
			1,
			3,
			rapid.ID[int64],
		).Draw(
			t,
			"dates",
		) {
			dates = append(dates, time.UnixMilli(start+after*millisPerDay).UTC())
		}
		slices.SortFunc(dates, time.Time.Compare)
		report := run(pack, log, dates, last)
		done := slices.DeleteFunc(slices.Clone(dates), func(at time.Time) bool {
			return at.UnixMilli()+horizonDays*millisPerDay > (last/millisPerDay+1)*millisPerDay
		})
		if len(report.Dates) != len(done) {
			t.Fatalf("%d dates measured, want %d", len(report.Dates), len(done))
		}
		for i, at := range done {
			want, scorer := map[string]Scored{}, scoring.NewScorer(pack)
			var pop profile.Population
			profiles := map[string]*profile.Profile{}
			active, after := map[string]bool{}, map[string]bool{}
			for _, h := range log {
				switch ms := at.UnixMilli(); {
				case h.at <= ms:
					if profiles[h.customer] == nil {
						profiles[h.customer] = &profile.Profile{}
					}
					scorer.Observe(
						&profile.Customer{Profile: profiles[h.customer]},
						&pop,
						&scoring.Observation{Time: h.at, Signal: pack.Signal([]byte(h.kind))},
					)
					active[h.customer] = active[h.customer] || h.kind == "buy" && h.at > ms-2*horizonDays*millisPerDay
				case h.at <= ms+horizonDays*millisPerDay:
					after[h.customer] = after[h.customer] || h.kind == "buy"
				}
			}
			for name, p := range profiles {
				if active[name] {
					s := scorer.Eval.Score(&profile.Customer{Profile: p}, at.UnixMilli())
					want[name] = Scored{name, s.Sum(), !after[name]}
				}
			}
			got := map[string]Scored{}
			for s := range report.Dates[i].Scored() {
				got[s.Key] = s
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("at %v (-want +got):\n%s", at, diff)
			}
			compareRFM(t, report.Dates[i].snapshot, log)
		}
	})
}

func TestCounts(t *testing.T) {
	pack := shopPack(t)
	e := New(Config{Pack: pack, Active: pack.Horizon, End: time.UnixMilli(start + 100*millisPerDay)})
	for _, ev := range []Event{
		{Type: []byte("buy"), Time: start, ID: 5},
		{Type: []byte("buy"), Time: start + 1, ID: 5},
		{Type: []byte("look"), Time: start + 3*millisPerDay},
		{Type: []byte("buy"), Time: start + 1},
	} {
		ev.Key = []byte("c")
		e.Observe(&ev)
	}
	want := Counts{Events: 4, Customers: 1, Active: 1, Unnamed: 1, Duplicates: 1, Late: 1}
	if diff := gocmp.Diff(want, e.Finish().Counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMemory: an event of a known customer allocates nothing.
func TestMemory(t *testing.T) {
	pack := shopPack(t)
	e := New(Config{Pack: pack, Active: pack.Horizon, End: time.UnixMilli(start + 100*millisPerDay)})
	ev := Event{Key: []byte("c"), Type: []byte("buy"), Time: start}
	e.Observe(&ev)
	if n := testing.AllocsPerRun(5000, func() {
		ev.Time += 3_600_000
		ev.ID++
		e.Observe(&ev)
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func TestFigureJSON(t *testing.T) {
	for f, want := range map[Figure]string{0.12345678: "0.123457", -1e-9: "0", Figure(math.Inf(1)): "null", 3: "3"} {
		if b, err := f.MarshalJSON(); err != nil || string(b) != want {
			t.Errorf("%v: %s, %v, want %s", float64(f), b, err, want)
		}
	}
}

// BenchmarkEngine is the cost of an event without reading it: 100,000 events of 5,000 customers over two years.
func BenchmarkEngine(b *testing.B) {
	pack := shopPack(b)
	var log []happened
	for i := range 100_000 {
		c := i * 7919 % 5000
		if i < 60_000 || c%3 > 0 {
			log = append(log, happened{fmt.Sprint("c", c), "buy", start + int64(i)*630_000})
		}
	}
	dates := []time.Time{time.UnixMilli(start + 400*millisPerDay)}
	b.ReportAllocs()
	for b.Loop() {
		run(pack, log, dates, start+600*millisPerDay)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(log)), "ns/event")
}

// TestNothingOfLater: the state at a date, probabilities included, does not depend on what comes after it.
func TestNothingOfLater(t *testing.T) {
	pack := shopPack(t)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		at := start + rapid.Int64Range(0, 800).Draw(t, "day")*millisPerDay
		dates := []time.Time{time.UnixMilli(at)}
		known := func(log []happened) (model.Curve, []float64) {
			e := New(Config{Pack: pack, Active: 2 * pack.Horizon, Dates: dates, End: dates[0]})
			for _, h := range log {
				if h.at > at {
					break
				}
				e.Observe(&Event{Key: []byte(h.customer), Type: []byte(h.kind), Time: h.at})
			}
			e.advance(at)
			return e.curve, e.snapshots[0].scores()
		}
		e := New(Config{Pack: pack, Active: 2 * pack.Horizon, Dates: dates, End: dates[0]})
		for _, h := range append(log, happened{"c0", "other", at + 1000*millisPerDay}) {
			e.Observe(&Event{Key: []byte(h.customer), Type: []byte(h.kind), Time: h.at})
		}
		curve, scores := known(log)
		if diff := gocmp.Diff(scores, e.snapshots[0].scores()); diff != "" || curve != e.snapshots[0].curve {
			t.Fatalf("scores (-cut at the date +whole log):\n%s\n%+v, %+v", diff, curve, e.snapshots[0].curve)
		}
	})
}
