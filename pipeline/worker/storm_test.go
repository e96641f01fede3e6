package worker_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
	"ebb/pipeline/worker"
	"ebb/scoring/pack"
)

// stormInputs is on how many logs TestStormInterleavings runs. The later half begins with history.
const stormInputs = 8

// stormInput is a log of cohorts whose customers come and leave together, and of others who go on.
func stormInput(t *testing.T, seed uint64) *input {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	type event struct {
		at       time.Time
		customer int
	}
	var events []event
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	add := func(days float64, customer int) {
		events = append(events, event{begin.Add(time.Duration(days * float64(24*time.Hour))).Truncate(time.Second), customer})
	}
	for cohort := range 3 {
		from := float64(cohort*4) + r.Float64()
		for c := range 8 {
			for day := range 4 {
				add(from+float64(day)+float64(r.IntN(2))/1440, cohort*10+c)
			}
			if r.IntN(3) == 0 { // comes back, perhaps in the hour in which it falls due
				add(from+4.5+3*r.Float64(), cohort*10+c)
			}
		}
	}
	for days := 0.0; days < 20; days += r.ExpFloat64() / 2 {
		add(days, 30+r.IntN(10))
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	var records []pipeline.Record
	for i, e := range events {
		at := e.at
		if r.IntN(20) == 0 {
			at = at.Add(-time.Duration(r.IntN(30)) * time.Hour)
		}
		v := fmt.Sprintf(`{"id":"e%d","customer":"c%d","type":"visit","time":%q}`, i, e.customer, at.Format(time.RFC3339))
		records = append(records, pipeline.Record{Offset: int64(i), Timestamp: at.UnixMilli(), Value: []byte(v)})
	}
	k, err := pack.Load("any", nil, pack.Overrides{Horizon: 2 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	in := &input{records: gaps(seed, records), pack: k, metrics: worker.NewMetrics(prometheus.NewRegistry())}
	in.end = in.records[len(records)-1].Offset + 1
	in.until = begin.Unix()/60 + 40*24*60
	if seed%2 == 1 {
		in.newer, in.turn = newerPack(t), in.records[len(records)/2].Offset
	}
	if seed >= stormInputs/2 {
		in.first = in.records[len(records)/4+r.IntN(len(records)/4)].Offset
	}
	return in
}

// TestStormInterleavings: which raises a storm holds depends on batches, so a disturbed run cannot be compared with another
// one. But what it has published and left is what a replay with its control records decides, from an empty store; and no
// alert has come twice, or of an episode that was not raised.
func TestStormInterleavings(t *testing.T) {
	var all []*input
	for seed := range uint64(stormInputs) {
		all = append(all, stormInput(t, seed))
	}
	storms, released, asked, silenced, rolledBack := 0, 0, 0, 0, 0
	for s := uint64(1); s <= 400; s++ {
		if *seed != 0 && s != *seed {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			in := *all[s%stormInputs]
			in.want = fold{recording: true, published: map[string][]string{}}
			trial := newTrial(&in, rand.New(rand.NewPCG(s, 0xebb)))
			trial.settings = settings(time.Hour)
			trial.settings.Storm, trial.settings.ReviewMillis = pipeline.StormTestRules, pipeline.HourMillis
			trial.asks = true
			run := &schedule{trial: trial}
			defer run.finish()
			err := decidedOnce(run)
			if err != nil {
				for _, step := range run.trail[max(0, len(run.trail)-200):] {
					t.Log(step)
				}
				t.Fatalf("seed %d: %v", s, err)
			}
			text := strings.Join(in.want.published["control/"], "\n")
			storms += strings.Count(text, `"storm_opened"`)
			released += strings.Count(text, `"reason":"storm"`)
			asked += strings.Count(text, `"last":true`)
			silenced += strings.Count(text, `"reason":"silence"`)
			rolledBack += min(run.rollbacks, 1)
		})
	}
	t.Logf(
		"%d storms, %d releases, %d as asked, %d of silences, %d trials with a rollback",
		storms,
		released,
		asked,
		silenced,
		rolledBack,
	)
	if *seed == 0 && (storms < 200 || released < 200 || asked < 20 || silenced < 30 || rolledBack < 50) {
		t.Error("the trials show too little")
	}
}

// silencedUntil lies in the middle of the log.
var silencedUntil = time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)

// decidedOnce runs a disturbed trial, then replays it from an empty store.
func decidedOnce(s *schedule) (err error) {
	in := s.input
	if s.chance(2) {
		s.note("a person asks for a silence")
		s.store.Ask(0, &pipeline.Asked{ID: "quiet", Kind: pipeline.AskSilence, By: "ann", Silence: pipeline.Silence{
			ID: "s1", Match: pipeline.Match{Kind: "lapse"}, Until: silencedUntil,
		}})
	}
	s.disturbed()
	if s.chance(3) {
		s.note("a person asks for its end")
		s.store.Ask(0, &pipeline.Asked{
			ID: "loud", Kind: pipeline.AskSilence, By: "ann", Silence: pipeline.Silence{ID: "s1", Ended: true},
		})
	}
	if s.chance(2) {
		s.note("a person asks")
		s.store.Ask(0, &pipeline.Asked{ID: "id", Kind: pipeline.AskRelease, Reason: "storm", By: "ann"})
	}
	if s.complete(); s.wrong != nil {
		return s.wrong
	}
	if err := s.kafka.settle(); err != nil {
		return err
	}
	text := strings.Join(in.want.published["control/"], "")
	for _, done := range []string{`"last":true`, `"asked":"quiet"`, `"asked":"loud"`} {
		if n := strings.Count(text, done); n > 1 {
			return fmt.Errorf("what was asked once is done %d times: %s", n, done)
		}
	}
	if err := raisedOnce(in.want.published); err != nil {
		return err
	}
	if in.want.state, err = s.left(); err != nil {
		return err
	}
	in.want.recording = false
	s.note("the store is emptied")
	s.store.Empty(0)
	if err := s.seedStore(0); err != nil {
		return err
	}
	if err := s.conclude(); err != nil {
		return fmt.Errorf("replayed: %w", err)
	}
	return nil
}

// raisedOnce refuses an alert that was published twice, or of an episode that was not raised.
func raisedOnce(published map[string][]string) error {
	seen, raised := map[string]bool{}, map[string]bool{}
	for key, values := range published {
		for _, v := range values {
			if !strings.HasPrefix(key, "alerts/") {
				continue
			}
			var a struct {
				ID         string
				EpisodeID  string `json:"episode_id"`
				Transition string
			}
			if err := json.Unmarshal([]byte(v), &a); err != nil {
				return fmt.Errorf("%s: %w", v, err)
			}
			raised[a.EpisodeID] = raised[a.EpisodeID] || a.Transition == "raised"
			if seen[a.ID] || !raised[a.EpisodeID] {
				return fmt.Errorf("twice, or never raised: %s", v)
			}
			seen[a.ID] = true
		}
	}
	return nil
}
