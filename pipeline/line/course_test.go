package line

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
)

// goingOn is a pack whose lapses go on by themselves: two steps, and an end.
func goingOn(t testing.TB, horizon time.Duration) *pack.Pack {
	t.Helper()
	const text = "name: trial\nversion: 1\nhorizon: 20d\nactivity: ['*']\nfriction: {failed: 1}\nraise: {otherwise: watch}\n" +
		"churned: true\nplaybooks: [{when: {kind: lapse}, mid: {id: write, intent: content, owner: o, respond_within: 1d, " +
		"steps: [{after: 5h, action: a, intent: none}, {after: 1d, action: b, intent: none}]}}]\n"
	k, err := pack.Load(
		"trial.yaml",
		func(string) ([]byte, error) { return []byte(text), nil },
		pack.Overrides{Horizon: horizon},
	)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestCourseWhateverTheBatches: with steps, ends and sources that fall silent each customer's alerts are the same to the
// byte, and so is all state at the end, for any batches, restarts and sweeps between them.
func TestCourseWhateverTheBatches(t *testing.T) {
	seen := map[scoring.Transition]int{}
	for how := range numCuts {
		records := sourceRecords(rand.New(rand.NewPCG(uint64(how), 7)), how)
		run := func(rng *rand.Rand) (map[string][]string, *shelf) {
			s := newGuarded(t)
			s.pack = goingOn(t, 2*24*time.Hour)
			s.restart()
			for rest := slices.Clone(records); len(rest) > 0; {
				n := len(rest)
				if rng != nil {
					if n = min(n, 1+rng.IntN(400)); rng.IntN(4) == 0 {
						s.restart()
					}
				}
				s.put(t, rest[:n])
				if rest = rest[n:]; rng != nil && rng.IntN(3) == 0 {
					s.sweepOnce(t)
				}
			}
			s.settle(t)
			alerts := map[string][]string{}
			for _, b := range s.outbox {
				if e := pipeline.MustReadEntry(b); e.Kind == pipeline.EntryAlert {
					alerts[string(e.Key)] = append(alerts[string(e.Key)], alertText(&e))
					seen[e.Alert.Transition]++
				}
			}
			return alerts, s
		}
		want, whole := run(nil)
		for seed := range uint64(3) {
			got, part := run(rand.New(rand.NewPCG(seed, 3)))
			if diff := cmp.Diff(want, got) + cmp.Diff(whole.profiles, part.profiles); diff != "" {
				t.Fatalf("cut %d, seed %d: %.2000s", how, seed, diff)
			}
		}
	}
	if seen[scoring.Reminded] < 500 || seen[scoring.Churned] < 100 {
		t.Errorf("%v: the logs show too little", seen)
	}
}

// TestFrozenCourse: the time of steps and ends stands still while the customer's source is stalled: each comes at its time
// after the raise, and later by as much as was frozen since, in no minute in which the source is out.
func TestFrozenCourse(t *testing.T) {
	after := map[uint8]int64{2: 5 * 60, 3: 24 * 60}
	checked, frozen := 0, 0
	for how := range numCuts {
		s, known := newGuarded(t), frozenAt{}
		s.pack = goingOn(t, 2*24*time.Hour)
		s.restart()
		type raise struct {
			minute, frozen int64
			source         uint8
		}
		raised := map[string]raise{}
		for _, r := range sourceRecords(rand.New(rand.NewPCG(uint64(how), 2)), how) {
			from, began, seen := s.Line.meta.Clock.Minute(), s.Line.meta.Clock.Started, len(s.outbox)
			before := s.left(t)
			s.put(t, []pipeline.Record{r})
			if began {
				known.note(s, from, s.Line.meta.Clock.Minute())
			}
			s.settle(t)
			for _, b := range s.outbox[seen:] {
				e := pipeline.MustReadEntry(b)
				if e.Kind != pipeline.EntryAlert {
					continue
				}
				if e.Offset >= 0 { // an event's own deadlines may lie ahead of the watermark
					delete(raised, string(e.Key))
					continue
				}
				minute := e.Alert.At / pipeline.MinuteMillis
				switch key := string(e.Key); e.Alert.Transition {
				case scoring.Raised:
					source := before[key].Source.Number
					raised[key] = raise{minute, known[source][minute][0], source}
				case scoring.Reminded, scoring.Churned:
					from, ok := raised[key]
					if !ok {
						continue
					}
					at := known[from.source][minute]
					due := after[e.Alert.Step]
					if e.Alert.Transition == scoring.Churned {
						due = 2 * 24 * 60
					}
					if late := at[0] - from.frozen; at[1] != 0 || minute != from.minute+due+late {
						t.Fatalf("%s: %v %d at %d, raised at %d, %d frozen since, out: %d", e.Key, e.Alert.Transition, e.Alert.Step,
							minute, from.minute, late, at[1])
					} else if checked++; late > 0 {
						frozen++
					}
				default:
				}
				if e.Alert.Transition.Ends() {
					delete(raised, string(e.Key))
				}
			}
		}
	}
	if checked < 500 || frozen < 10 {
		t.Errorf("%d checked, %d of them after a stall", checked, frozen)
	}
}
