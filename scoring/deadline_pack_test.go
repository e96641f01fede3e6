package scoring_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
)

// TestPackDeadlines: with every shipped pack, whatever the customer's history, the next thing that happens without a
// further event happens at the first minute at which it may: by brute force over every hour before it and over the minute
// before, whatever features, factors, stages and kinds do meanwhile.
func TestPackDeadlines(t *testing.T) {
	for _, name := range scoring.Shipped() {
		t.Run(name, func(t *testing.T) {
			pack := must(scoring.Load(name, nil, scoring.Overrides{}))
			rapid.Check(t, func(t *rapid.T) {
				w := newWalk(pack)
				for range rapid.IntRange(1, 25).Draw(t, "events") {
					w.event(t)
					w.check(t)
				}
			})
		})
	}
}

// walk is one customer on its way through a pack.
type walk struct {
	scorer, judge *scoring.Scorer
	customer      scoring.Customer
	pop           scoring.Population
	types         []string
	now           int64
}

func newWalk(pack *scoring.Pack) *walk {
	w := &walk{scorer: scoring.NewScorer(pack), judge: scoring.NewScorer(pack), types: pack.EventTypes(), now: begin}
	w.customer.Profile = &scoring.Profile{}
	return w
}

// event draws the next event, up to a month later or somewhat late.
func (w *walk) event(t *rapid.T) {
	w.now += rapid.Int64Range(0, 30*day).Draw(t, "later")
	if rapid.IntRange(0, 3).Draw(t, "soon") > 0 {
		w.now -= w.now % (6 * 3_600_000)
	}
	at := w.now - rapid.SampledFrom([]int64{0, 0, 0, day / 2, 3 * day}).Draw(t, "late")
	pack := w.scorer.Pack
	var properties []scoring.PropertyValue
	for range pack.Properties() {
		v := scoring.PropertyValue{Kind: scoring.PropertyKind(rapid.IntRange(0, 4).Draw(t, "kind"))}
		switch v.Kind {
		case scoring.PropertyNumber:
			v.Number = rapid.SampledFrom([]int64{0, 1000, 2000, 4500, 6000, 40_000, 90_000}).Draw(t, "number")
		case scoring.PropertyText:
			v.Hash = rapid.Uint64Range(1, 20).Draw(t, "text")
		case scoring.PropertyBool:
			v.Number = rapid.Int64Range(0, 1).Draw(t, "bool")
		default:
		}
		properties = append(properties, v)
	}
	w.observe(at, rapid.SampledFrom(w.types).Draw(t, "type"), properties, rapid.Int64Range(-500, 50_000).Draw(t, "value"))
}

// observe has the customer's silence take its effect, then an event.
func (w *walk) observe(at int64, eventType string, properties []scoring.PropertyValue, value int64) {
	for w.customer.Armed != 0 && w.customer.Armed <= at/60_000 {
		w.scorer.Wake(&w.customer)
	}
	w.scorer.Observe(&w.customer, &w.pop, &scoring.Observation{
		Time: at, Signal: w.scorer.Pack.Signal([]byte(eventType), properties...), Properties: properties, HasValue: true, Value: value,
	})
}

// check wakes a copy of the customer until something happens, judges when by brute force, and returns what did: nil, nothing
// ever does.
func (w *walk) check(t rapid.TB) *scoring.Decision {
	t.Helper()
	const hour = 60
	profile := *w.customer.Profile
	c := scoring.Customer{Profile: &profile, Features: slices.Clone(w.customer.Features)}
	still := scoring.Customer{Profile: new(scoring.Profile), Features: slices.Clone(c.Features)}
	*still.Profile = profile
	begin := profile.At/60_000 + 1
	expires := w.judge.Expires(&still)
	for looks := 0; profile.Armed != 0; looks++ {
		if looks > 2000 {
			t.Fatalf("looked at %d times, at minute %d: %+v", looks, profile.Armed, profile)
		}
		minute := profile.Armed
		decisions := w.scorer.Wake(&c)
		if profile.Armed != 0 && profile.Armed < minute {
			t.Fatalf("armed for minute %d after %d", profile.Armed, minute)
		}
		if len(decisions) == 0 {
			continue
		}
		lapse := decisions[len(decisions)-1].Kind == scoring.Lapse
		if !lapse && expires != minute {
			t.Fatalf("%v %v in minute %d, it expires in %d", decisions[0].Kind, decisions[0].Transition, minute, expires)
		}
		if expires != 0 && expires < minute {
			t.Fatalf("%v in minute %d, though something expires in %d", decisions[0].Transition, minute, expires)
		}
		if lapse && expires != minute && (!w.judge.Reaches(&still, minute) || minute > begin && w.judge.Reaches(&still, minute-1)) {
			t.Fatalf("%v in minute %d: reached then %v, the minute before %v", decisions[0].Transition, minute,
				w.judge.Reaches(&still, minute), w.judge.Reaches(&still, minute-1))
		}
		w.quiet(t, &still, begin, minute-1)
		return &decisions[len(decisions)-1]
	}
	if expires != 0 {
		t.Fatalf("never looked at, though something expires in minute %d", expires)
	}
	w.quiet(t, &still, begin, min(w.judge.LastMinute(&still), begin+800*24*hour))
	return nil
}

// quiet holds that a lapse would not have been decided at any hour of a span.
func (w *walk) quiet(t rapid.TB, c *scoring.Customer, from, to int64) {
	t.Helper()
	const hour = 60
	for minute := from; minute <= to; minute += hour - minute%hour {
		if w.judge.Reaches(c, minute) {
			t.Fatalf("by brute force in minute %d already, of %d to %d: %+v", minute, from, to, c.Profile)
		}
	}
}
