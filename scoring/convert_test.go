package scoring_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// converting is a pack with a value action that is activity, an order, and one that is none, a paid invoice.
func converting(t testing.TB, version string, more ...string) *pack.Pack {
	t.Helper()
	lines := append(scoringtest.Lapsing(), "converts: done")
	i := slices.Index(lines, "signals:")
	lines = slices.Insert(lines, i+1, "  done: {types: [buy, paid]}")
	return scoringtest.PackOf(t, version, append(lines, more...)...)
}

// told are a customer's decisions of lapse, in a line each with the days since its first raise.
func told(all []scoring.Decision) (lines []string) {
	raised := int64(0)
	for _, d := range all {
		if d.Kind != profile.Lapse {
			continue
		}
		if raised == 0 {
			raised = d.At
		}
		lines = append(lines, fmt.Sprintf(
			"%g: %d/%d %v", float64(d.At-raised)/scoringtest.Day, d.Episode, d.Sequence, d.Transition,
		))
	}
	return lines
}

// TestConverted: what a customer does after the raise of its first silence, in days after it, and what is said of it. The
// horizon is 30 days.
func TestConverted(t *testing.T) {
	k := converting(t, "1")
	first := scoringtest.DecidedLate(k, weekly(), 0, 300)
	at := first[0].At - scoringtest.Begin
	if first[0].Transition != scoring.Raised {
		t.Fatalf("%v", told(first))
	}
	late := at - scoringtest.Day
	for name, c := range map[string]struct {
		script string
		want   []string
	}{
		"an order": {"buy 5", []string{"0: 1/1 raised", "5: 1/2 recovered", "5: 1/3 converted"}},
		"a view, then orders": {
			"view 1, buy 2, buy 3", []string{"0: 1/1 raised", "1: 1/2 recovered", "2: 1/3 converted"},
		},
		"a view alone":          {"view 1", []string{"0: 1/1 raised", "1: 1/2 recovered"}},
		"in the last moment":    {"view 1, buy 10, buy 20, buy 30", []string{"0: 1/1 raised", "1: 1/2 recovered", "10: 1/3 converted"}},
		"exactly a horizon on":  {"view 1, paid 30", []string{"0: 1/1 raised", "1: 1/2 recovered", "30: 1/3 converted"}},
		"a ms too late":         {"view 1, paid 30+", []string{"0: 1/1 raised", "1: 1/2 recovered"}},
		"at the very raise":     {"view 1, paid 0", []string{"0: 1/1 raised", "1: 1/2 recovered"}},
		"a ms after it":         {"view 1, paid 0+", []string{"0: 1/1 raised", "1: 1/2 recovered", "1.1574074074074074e-08: 1/3 converted"}},
		"while it is silent":    {"paid 1, view 2", []string{"0: 1/1 raised", "1: 1/2 converted", "2: 1/3 recovered"}},
		"twice while it is":     {"paid 1, paid 2, buy 3", []string{"0: 1/1 raised", "1: 1/2 converted", "3: 1/3 recovered"}},
		"an order made before":  {"other 0, buy late, buy 1", []string{"0: 1/1 raised", "0: 1/2 corrected"}},
		"one that comes late":   {"view 4, paid 3", []string{"0: 1/1 raised", "4: 1/2 recovered", "3: 1/3 converted"}},
		"not of another kind":   {"unpaid 1, paid 2", []string{"0: 1/1 raised", "2: 1/2 converted"}},
		"an order after years":  {"view 1, paid 999, paid 2", []string{"0: 1/1 raised", "1: 1/2 recovered"}},
		"a trouble is no order": {"view 1, dispute 2", []string{"0: 1/1 raised", "1: 1/2 recovered"}},
	} {
		t.Run(name, func(t *testing.T) {
			events := weekly()
			for part := range strings.SplitSeq(c.script, ", ") {
				word, day, _ := strings.Cut(part, " ")
				ms := late
				if day != "late" {
					number, more := strings.CutSuffix(day, "+")
					ms = at + scoringtest.Must(strconv.ParseInt(number, 10, 64))*scoringtest.Day
					if more {
						ms++
					}
				}
				events = append(events, scoringtest.Happening{At: ms, Type: word})
			}
			got := told(scoringtest.DecidedLate(k, events, 0, 0))
			if diff := cmp.Diff(c.want, got[:min(len(got), len(c.want))]); diff != "" {
				t.Errorf("%v%s", got, diff)
			}
			if more := got[min(len(got), len(c.want)):]; slices.ContainsFunc(more, func(s string) bool {
				return strings.HasSuffix(s, "converted") && strings.Contains(s, ": 1/")
			}) {
				t.Errorf("then %v", more)
			}
		})
	}
}

// weekly are orders every week, the last of them at the beginning of the story.
func weekly() (events []scoringtest.Happening) {
	for week := int64(-12); week <= 0; week++ {
		events = append(events, scoringtest.Happening{At: 7 * week * scoringtest.Day, Type: "buy"})
	}
	return events
}

// TestConvertedTellsTheEpisode: a conversion has the identity of its episode and the tier of the moment, and is no longer
// about anything to do.
func TestConvertedTellsTheEpisode(t *testing.T) {
	k := converting(t, "1")
	raised := scoringtest.Decided(k, weekly(), 300)[0]
	order := scoringtest.Happening{At: raised.At - scoringtest.Begin + 5*scoringtest.Day, Type: "buy"}
	all := scoringtest.Decided(k, append(weekly(), order), 0)
	d := all[len(all)-1]
	same := d.Since == raised.Since && d.Episode == raised.Episode && d.Opened == raised.At
	over := d.Transition.Ends() && d.Expires == 0 && d.Floor(k) == 0
	if d.Transition != scoring.Converted || !same || !over || d.Tier != d.Previous || d.Tier >= raised.Tier {
		t.Errorf("%+v of %+v", d, raised)
	}
}

// TestConvertedAfterAPackChange: the newer pack's value action counts, and none where it has none.
func TestConvertedAfterAPackChange(t *testing.T) {
	with := converting(t, "1")
	without := scoringtest.PackOf(t, "2", append(scoringtest.Lapsing(), "raise: {otherwise: watch}")...)
	for _, c := range []struct {
		from, to *pack.Pack
		want     []string
	}{
		{with, converting(t, "2", "overdue: 0.6"), []string{"recovered", "converted"}},
		{with, without, []string{"recovered"}},
		{without, with, []string{"recovered"}},
	} {
		from, to := scoring.NewScorer(c.from), scoring.NewScorer(c.to)
		customer, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
		buy := func(s *scoring.Scorer, ms int64) []scoring.Decision {
			return s.Observe(&customer, &pop, &scoring.Observation{
				Time: scoringtest.Begin + ms, Signal: s.Pack.Signal([]byte("buy")),
			})
		}
		for _, e := range weekly() {
			buy(from, e.At)
		}
		var raised int64
		for customer.Lapse.Number == 0 {
			for _, d := range from.Wake(&customer) {
				raised = d.At - scoringtest.Begin
			}
		}
		scoring.NewMigration(from, to).Enter(&customer, scoringtest.Begin+raised+scoringtest.Day)
		var got []string
		for _, d := range buy(to, raised+scoringtest.Day) {
			got = append(got, d.Transition.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || customer.Awaited != (profile.Awaited{}) {
			t.Errorf("%s to %s: awaits %+v%s", c.from.Version, c.to.Version, customer.Awaited, diff)
		}
	}
}

// TestConversions: on any log an episode converts once at most, after its raise and within a horizon, with its identity
// and the next sequence; with exactly those orders that a look at the whole log finds; and the state is read back.
func TestConversions(t *testing.T) {
	k := converting(t, "1")
	horizon := k.Horizon.Milliseconds()
	rapid.Check(t, func(t *rapid.T) {
		s, c, pop := scoring.NewScorer(k), profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
		var raised scoring.Decision // the newest
		converted, sequence := true, uint32(0)
		conversions := func(all []scoring.Decision) (n int) {
			for i, d := range all {
				if d.Kind != profile.Lapse {
					continue
				}
				if d.Transition == scoring.Raised {
					raised, converted, sequence = d, false, 0
				}
				if sequence++; d.Sequence != sequence || d.Episode != raised.Episode || d.Since != raised.Since {
					t.Fatalf("%+v of %+v, want sequence %d", d, raised, sequence)
				}
				if d.Transition == scoring.Converted {
					if converted || d.At <= raised.At || d.At > raised.At+horizon {
						t.Fatalf("%+v of %+v, converted %v", d, raised, converted)
					}
					converted = true
					n++
				} else if n > 0 && d.Kind == profile.Lapse {
					t.Fatalf("%v after a conversion by the same event", all[i].Transition)
				}
			}
			return n
		}
		now := int64(scoringtest.Begin)
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now += rapid.SampledFrom([]int64{0, 1, 60_000, scoringtest.Day, 9 * scoringtest.Day, 40 * scoringtest.Day, 80 * scoringtest.Day}).
				Draw(t, "later")
			at := now - rapid.SampledFrom([]int64{0, 0, 0, scoringtest.Day, 30 * scoringtest.Day}).Draw(t, "late")
			for c.Armed != 0 && c.Armed <= now/60_000 {
				if conversions(s.Wake(&c)) > 0 {
					t.Fatal("a deadline converts")
				}
			}
			name := rapid.SampledFrom([]string{"buy", "view", "paid", "view", "ticket", "leave"}).Draw(t, "type")
			due := !converted && raised.At != 0 && (name == "buy" || name == "paid") && at > raised.At &&
				at <= raised.At+horizon &&
				c.Awaited.RaisedAt != 0 // an event beyond the horizon has not been seen yet
			got := conversions(s.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: k.Signal([]byte(name))}))
			if got == 1 != due {
				t.Fatalf("%s at %d: %d conversions of the raise at %d", name, at, got, raised.At)
			}
			if !scoringtest.Readable(c.Profile) {
				t.Fatalf("%+v is not read back", c.Awaited)
			}
		}
	})
}
