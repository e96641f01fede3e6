package scoring_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestPackDeadlines: with every shipped pack and any history of a customer, the next transition without a further event
// happens at the first possible minute. It is checked by brute force over every hour before it and over the minute
// before, with all changes of features, factors, stages and kinds meanwhile.
func TestPackDeadlines(t *testing.T) {
	packs := map[string]*pack.Pack{"value": byValue(t)}
	for _, name := range pack.Shipped() {
		packs[name] = scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
	}
	for name, pack := range packs {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := scoringtest.NewWalk(pack)
				for range rapid.IntRange(1, 25).Draw(t, "events") {
					w.Event(t)
					checkDeadline(t, w)
				}
			})
		})
	}
}

// byValue is a pack in which a value that falls takes the opening of a lapse to an earlier tier, and to a later one.
func byValue(t *testing.T) *pack.Pack {
	t.Helper()
	return scoringtest.PackOf(
		t, "1",
		"signals: {buy: {types: [buy]}, fail: {types: [fail]}}",
		"friction: {fail: 2}",
		"features: {spent: {kind: sum, of: buy, within: 60d}}",
		"value: {feature: spent, high: 60000, mid: 20000}",
		"raise: {regular: at_risk, high: at_risk, mid: watch, otherwise: critical}",
		"stages: {new: 20d, dormant: 40d, tiers: {dormant: {watch: 50, at_risk: 55, critical: 85}}}",
	)
}

// checkDeadline wakes a copy of the customer until something happens, checks the time by brute force, and returns what
// happened; nil: nothing ever does.
func checkDeadline(t rapid.TB, w *scoringtest.Walk) *scoring.Decision {
	t.Helper()
	const hour = 60
	state := *w.Customer.Profile
	c := profile.Customer{Profile: &state, Features: slices.Clone(w.Customer.Features)}
	still := profile.Customer{Profile: new(profile.Profile), Features: slices.Clone(c.Features)}
	*still.Profile = state
	begin := state.At/60_000 + 1
	expires := w.Judge.Expires(&still)
	for looks := 0; state.Armed != 0; looks++ {
		if looks > 2000 {
			t.Fatalf("looked at %d times, at minute %d: %+v", looks, state.Armed, state)
		}
		minute := state.Armed
		decisions := w.Scorer.Wake(&c)
		if state.Armed != 0 && state.Armed < minute {
			t.Fatalf("armed for minute %d after %d", state.Armed, minute)
		}
		if len(decisions) == 0 {
			continue
		}
		lapse := decisions[len(decisions)-1].Kind == profile.Lapse
		if !lapse && expires != minute {
			t.Fatalf("%v %v in minute %d, it expires in %d", decisions[0].Kind, decisions[0].Transition, minute, expires)
		}
		if expires != 0 && expires < minute {
			t.Fatalf("%v in minute %d, though something expires in %d", decisions[0].Transition, minute, expires)
		}
		if d := &decisions[len(decisions)-1]; d.Transition == scoring.Reminded {
			after := w.Judge.Pack.Play(d.Play).Steps[d.Step-2].After / 60_000
			if due := int64(still.Course.Play) + after; minute != max(due, begin) && still.Course.Play != 0 {
				t.Fatalf("step %d in minute %d, it is due in %d", d.Step, minute, due)
			}
		} else if lapse && expires != minute &&
			(!w.Judge.Reaches(&still, minute) || minute > begin && w.Judge.Reaches(&still, minute-1)) {
			t.Fatalf("%v in minute %d: reached then %v, the minute before %v", decisions[0].Transition, minute,
				w.Judge.Reaches(&still, minute), w.Judge.Reaches(&still, minute-1))
		}
		quiet(t, w, &still, begin, minute-1)
		return &decisions[len(decisions)-1]
	}
	if expires != 0 {
		t.Fatalf("never looked at, though something expires in minute %d", expires)
	}
	quiet(t, w, &still, begin, min(lastMinute(w.Judge.Pack, still.Profile), begin+800*24*hour))
	return nil
}

// quiet checks that a lapse would not have been decided at any hour of a span.
func quiet(t rapid.TB, w *scoringtest.Walk, c *profile.Customer, from, to int64) {
	t.Helper()
	const hour = 60
	for minute := from; minute <= to; minute += hour - minute%hour {
		if w.Judge.Reaches(c, minute) {
			t.Fatalf("by brute force in minute %d already, of %d to %d: %+v", minute, from, to, c.Profile)
		}
	}
}

// lastMinute is the last minute at which p is looked at.
func lastMinute(pack *pack.Pack, p *profile.Profile) int64 {
	const most, horizons = 3650, 20 // days
	days := math.Ceil(horizons * pack.Horizon.Hours() / 24)
	return p.Last/60_000 + int64(max(most, days))*1440
}
