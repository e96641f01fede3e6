package uplift

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/sinks/format"
)

// horizon is that of the shop's pack, within which outcomes count.
const horizon = 20 * 24 * time.Hour

// shop is a line with a holdout, and what it publishes.
type shop struct {
	t      *testing.T
	pack   *pack.Pack
	line   *line.Line
	due    map[int64][]byte
	render format.Renderer
	by     *alert.Renderer
	raised []pipeline.Entry
	found  collection
}

func newShop(t *testing.T, salt string) *shop {
	t.Helper()
	const text = "name: trial\nversion: 1\nhorizon: 20d\nactivity: [view, order]\nfriction: {tick: 0}\n" +
		"raise: {regular: watch}\nsignals: {done: {types: [order]}}\nconverts: done\n"
	k, err := pack.Load("trial.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{
		t: t, pack: k, by: alert.NewRenderer(k), due: map[int64][]byte{},
		render: format.Renderer{Alerts: "alerts", Holdout: "holdout", Audience: "audience"},
		found:  collection{converts: true, since: math.MinInt64, stories: map[subject]*story{}},
	}
	s.line = line.New(&line.Config{
		Format: profile.Format, CacheCustomers: 100_000, Settings: pipeline.Settings{
			Rules:   decode.Rules,
			Holdout: pipeline.Holdout{Share: pipeline.ShareOf(0.1), Salt: salt, EpochMillis: 365 * pipeline.DayMillis},
		},
	}, &pipeline.Standing{}, &line.History{Packs: []*pack.Pack{k}})
	return s
}

// put folds a log, in the order of time.
func (s *shop) put(records []pipeline.Record) {
	s.t.Helper()
	slices.SortStableFunc(records, func(a, b pipeline.Record) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	for i := range records {
		records[i].Offset = s.line.Next() + int64(i)
	}
	b, idle := s.line.NewBatch(), s.line.NewBatch()
	b.Fetched.Records, b.Fetched.Next = records, s.line.Next()+int64(len(records))
	b.Decode()
	if _, _, ok := s.line.ApplyControls(s.pack); !ok {
		s.t.Fatal("a control record waits")
	}
	for len(b.Events) > 0 || s.line.Sweeping() {
		part := b
		if s.line.AtEdge() || len(b.Events) == 0 {
			idle.Empty(s.line.Next())
			part = idle
		}
		want := s.line.Wanted(part)
		want.Profiles, want.Due = make([][]byte, len(want.Keys)), want.Due[:0]
		for _, bucket := range want.Buckets {
			want.Due = append(want.Due, s.due[bucket])
		}
		if err := s.line.Loaded(); err != nil {
			s.t.Fatal(err)
		}
		s.publish(s.line.Fold(part))
	}
}

// publish notes what a commit appends to the store, and collects its alerts as a report does.
func (s *shop) publish(staged *line.Staged) {
	s.t.Helper()
	for _, d := range staged.Commit.Due {
		s.due[d.Bucket] = append(s.due[d.Bucket], d.Entries...)
	}
	for _, b := range staged.Commit.Outbox {
		e := pipeline.MustReadEntry(b)
		if e.Kind != pipeline.EntryAlert {
			continue
		}
		if e.Alert.Assigned.Epoch != 0 {
			s.raised = append(s.raised, e)
		}
		e.By = s.by
		out, _ := s.render.Render(nil, &e, nil)
		if err := s.found.take(out.Value, out.Topic == "holdout"); err != nil {
			s.t.Fatal(err)
		}
	}
}

func event(customer, kind string, at int64) pipeline.Record {
	return pipeline.Record{
		Timestamp: at,
		Value:     fmt.Appendf(nil, `{"customer":%q,"type":%q,"time":%d}`, customer, kind, at),
	}
}

// season is what becomes of customers who fall silent: of those who are raised, so many order within the
// horizon, by their arm. Others only look in, before or instead.
func season(t *testing.T, seed uint64, orders map[alert.Arm]float64) *Report {
	t.Helper()
	r, s := rand.New(rand.NewPCG(seed, 39)), newShop(t, fmt.Sprint("season ", seed))
	begin := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	at := func(days float64) int64 { return begin + int64(days*pipeline.DayMillis) }
	const customers = 800
	var log []pipeline.Record
	for c := range customers {
		first := r.Float64()
		log = append(log, event(fmt.Sprint("c", c), "view", at(first)), event(fmt.Sprint("c", c), "view", at(first+1)))
	}
	day := 0.0
	for ; len(s.raised) < customers && day < 40; day++ {
		s.put(append(log, event("clock", "tick", at(day))))
		log = nil
	}
	for i := range s.raised {
		e := &s.raised[i]
		name, raised := string(e.Alert.Customer), float64(e.Alert.At-begin)/pipeline.DayMillis
		left := raised + 20 - day
		if r.Float64() < 0.3 {
			log = append(log, event(name, "view", at(day+left*0.4*r.Float64())))
		}
		if r.Float64() < orders[e.Alert.Assigned.Arm] {
			log = append(log, event(name, "order", at(day+left*(0.5+0.4*r.Float64()))))
		}
	}
	for end := day + 25; day < end; day++ {
		log = append(log, event("clock", "tick", at(day)))
	}
	s.put(log)
	w, _ := s.line.Watermark()
	return s.found.report(w, horizon.Milliseconds(), 0.05)
}

// TestPlantedEffect: over seasons of the real line, an effect of ten points is in the interval as often as it should be,
// and where there is none, hardly any is found.
func TestPlantedEffect(t *testing.T) {
	const seeds = 50
	covered, found, apart := 0, 0, 0
	for seed := range uint64(seeds) {
		with := season(t, seed, map[alert.Arm]float64{alert.Treated: 0.3, alert.HeldOut: 0.2})
		without := season(t, seeds+seed, map[alert.Arm]float64{alert.Treated: 0.25, alert.HeldOut: 0.25})
		for _, r := range []*Report{with, without} {
			c := r.Comparisons
			if r.Misplaced != 0 || len(c) != 1 || c[0].Waiting != 0 || c[0].Outcome != "converted" ||
				c[0].Treated.Customers+c[0].HeldOut.Customers < 790 || c[0].Difference == nil {
				t.Fatalf("seed %d: %+v", seed, r)
			}
			if !r.Arms.OK {
				apart++
			}
		}
		if d := with.Comparisons[0].Difference; d.Low <= 0.1 && 0.1 <= d.High {
			covered++
		}
		if without.Comparisons[0].Verdict == Effect {
			found++
		}
	}
	t.Logf("of %d seeds the planted effect is covered in %d; without one, %d are significant; %d not as drawn", seeds,
		covered, found, apart)
	if covered < 45 || found > 5 || apart > 1 {
		t.Errorf("covered %d, want at least 45; significant without an effect %d, want at most 5", covered, found)
	}
}
