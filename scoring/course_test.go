package scoring_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// courseLines are a pack's, whose lapses open early and change their play; with the steps of its plays and the end by a
// horizon, or without.
func courseLines(steps, churned bool) []string {
	later := ""
	if steps {
		later = ", steps: [{after: 36h, action: a_letter, intent: content, owner: o, respond_within: 1d}, " +
			"{after: 9d, action: an_offer, intent: offer, owner: p, respond_within: 2d}, " +
			"{after: 400d, action: never, intent: none}]"
	}
	lines := []string{
		"friction: {slip: 1}",
		"raise: {otherwise: watch}",
		"playbooks:",
		"  - {when: {reason: overdue, tier: [watch, at_risk]}, mid: {id: write, intent: content, owner: o, respond_within: 1d" + later + "}}",
		"  - {when: {kind: lapse, tier: critical}, mid: {id: rest, intent: offer, owner: o, respond_within: 3d" +
			strings.Replace(later, "36h", "37h", 1) + "}}",
	}
	if churned {
		lines = append(lines, "churned: true")
	}
	return lines
}

// courseText is a decision in words.
func courseText(k *pack.Pack, d *scoring.Decision) string {
	play := "nothing"
	if d.Play != 0 {
		p := k.Play(d.Play)
		play = strings.TrimSpace(fmt.Sprint(p.ID, " ", p.At(d.Step).Action))
	}
	return fmt.Sprintf("day %.2f: %v %v, %d.%d, %s", float64(d.At-scoringtest.Begin)/scoringtest.Day, d.Transition, d.Tier,
		d.Episode, d.Sequence, play)
}

// clocked is a decision, and the newest event time at which it was made.
type clocked struct {
	scoring.Decision
	clock int64
}

// clockedDecisions are the decisions on a customer of a pack whose events come in some order, until an instant.
func clockedDecisions(k *pack.Pack, events []scoringtest.Happening, until int64) (all []clocked) {
	s, pop, clock := scoring.NewScorer(k), profile.Population{}, int64(0)
	c := profile.Customer{Profile: &profile.Profile{}}
	note := func(decisions []scoring.Decision, at int64) {
		for _, d := range decisions {
			d.Score.Values = nil
			all = append(all, clocked{d, at})
		}
	}
	wake := func(until int64) {
		for c.Armed != 0 && c.Armed <= until/60_000 {
			minute := c.Armed
			note(s.Wake(&c), minute*60_000)
		}
	}
	for _, e := range events {
		at := scoringtest.Begin + e.At
		clock = max(clock, at)
		wake(clock)
		note(s.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: k.Signal([]byte(e.Type))}), clock)
		wake(clock)
	}
	wake(until)
	return all
}

func courses(k *pack.Pack, all []scoring.Decision) (text []string) {
	for i := range all {
		text = append(text, courseText(k, &all[i]))
	}
	return text
}

func buying(days ...int64) (events []scoringtest.Happening) {
	for _, day := range days {
		events = append(events, scoringtest.Happening{At: day * scoringtest.Day, Type: "buy"})
	}
	return events
}

// TestCourse: the steps of a lapse's play fall due in order, from the raise or from the escalation that chose the play,
// until the customer is back or the horizon is over; then nothing more is raised before the customer comes again.
func TestCourse(t *testing.T) {
	k := scoringtest.PackOf(t, "1", courseLines(true, true)...)
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   []string
	}{
		"silence": {buying(0, 7, 14, 21, 28, 35), []string{
			"day 58.37: raised watch, 1.1, write",
			"day 59.87: reminded watch, 1.2, write a_letter",
			"day 67.37: reminded watch, 1.3, write an_offer",
			"day 75.08: escalated at_risk, 1.4, write an_offer", // the play goes on by its steps alone
			"day 88.37: churned at_risk, 1.5, nothing",          // and it is not raised again
		}},
		"a return before the second step": {buying(0, 7, 14, 21, 28, 35, 60), []string{
			"day 58.37: raised watch, 1.1, write",
			"day 59.87: reminded watch, 1.2, write a_letter",
			"day 60.00: recovered healthy, 1.3, nothing",
			"day 84.65: raised watch, 2.1, write",
			"day 86.15: reminded watch, 2.2, write a_letter",
			"day 93.65: reminded watch, 2.3, write an_offer",
			"day 105.83: escalated at_risk, 2.4, write an_offer",
			"day 114.65: churned at_risk, 2.5, nothing",
		}},
		"a return after the end": {buying(0, 7, 14, 21, 28, 35, 100), []string{
			"day 58.37: raised watch, 1.1, write",
			"day 59.87: reminded watch, 1.2, write a_letter",
			"day 67.37: reminded watch, 1.3, write an_offer",
			"day 75.08: escalated at_risk, 1.4, write an_offer",
			"day 88.37: churned at_risk, 1.5, nothing",
			"day 116.00: raised watch, 2.1, write",
			"day 117.50: reminded watch, 2.2, write a_letter",
			"day 125.00: reminded watch, 2.3, write an_offer",
			"day 138.19: escalated at_risk, 2.4, write an_offer",
			"day 146.00: churned at_risk, 2.5, nothing",
		}},
		"trouble is no activity": {
			append(buying(0, 7, 14, 21, 28, 35), scoringtest.Happening{At: 65 * scoringtest.Day, Type: "slip"}), []string{
				"day 58.37: raised watch, 1.1, write",
				"day 59.87: reminded watch, 1.2, write a_letter",
				"day 67.37: reminded watch, 1.3, write an_offer",
				"day 67.39: escalated at_risk, 1.4, write an_offer",
				"day 88.37: churned at_risk, 1.5, nothing",
			},
		},
	} {
		if diff := cmp.Diff(c.want, courses(k, scoringtest.Decided(k, c.events, 400))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// oracleCourse is what the decisions of a pack without steps and end lead to where it has them, found by going through
// every minute.
func oracleCourse(k *pack.Pack, base []clocked, until int64) (want []string) {
	note := func(d clocked, shift uint32) { d.Sequence += shift; want = append(want, courseText(k, &d.Decision)) }
	for i := 0; i < len(base); {
		raise := base[i]
		if raise.Transition != scoring.Raised {
			panic("no raise: " + courseText(k, &raise.Decision))
		}
		end := i + 1 // of the episode's decisions
		for end < len(base) && base[end].Transition != scoring.Raised {
			end++
		}
		step, begun, shift, open, last := uint8(1), raise.At, uint32(0), true, raise
		note(raise, 0)
		horizon := k.Horizon.Milliseconds()
		stop := until
		if end < len(base) {
			stop = base[end].clock
		}
		next := i + 1
		for minute := raise.At/60_000 + 1; open && minute*60_000 <= stop+60_000; minute++ {
			at := minute * 60_000
			// what an event before this minute has done, and what happens at it
			for next < end && (base[next].clock < at || base[next].At == at && base[next].Transition == scoring.Escalated && at < raise.At+horizon) {
				d := base[next]
				if d.Transition == scoring.Escalated && k.Play(d.Play).Mark != k.Play(last.Play).Mark {
					step, begun = 1, d.At
				}
				open = !d.Transition.Ends()
				if !d.Transition.Ends() {
					d.Step, last = step, d
				}
				note(d, shift)
				next++
			}
			if !open || at > until {
				break
			}
			if at >= raise.At+horizon {
				want = append(
					want,
					fmt.Sprintf("day %.2f: churned, %d", float64(at-scoringtest.Begin)/scoringtest.Day, raise.Episode),
				)
				open = false
				break
			}
			if steps := k.Play(last.Play).Steps; int(step) <= len(steps) && at >= begun+steps[step-1].After {
				step++
				shift++
				want = append(want, fmt.Sprintf("day %.2f: reminded, %d, %s %s", float64(at-scoringtest.Begin)/scoringtest.Day,
					raise.Episode, k.Play(last.Play).ID, steps[step-2].Action))
			}
		}
		i = end
	}
	return want
}

// TestCourseAgainstEveryMinute: on random histories, late events included, all of it is as one finds by going through
// every minute: whatever else is decided is as without steps.
func TestCourseAgainstEveryMinute(t *testing.T) {
	k := scoringtest.PackOf(t, "1", courseLines(true, true)...)
	bare := scoringtest.PackOf(t, "1", courseLines(false, false)...)
	seen := map[scoring.Transition]int{}
	rapid.Check(t, func(t *rapid.T) {
		var events []scoringtest.Happening
		at, every := int64(0), rapid.Int64Range(1, 30*24).Draw(t, "hours between")
		for range rapid.IntRange(3, 25).Draw(t, "events") {
			at += rapid.Int64Range(1, 2*every*60).Draw(t, "minutes")*60_000 + rapid.Int64Range(0, 59_999).Draw(t, "ms")
			if rapid.IntRange(0, 5).Draw(t, "a pause") == 0 {
				at += rapid.Int64Range(1, 90).Draw(t, "days") * scoringtest.Day
			}
			e := scoringtest.Happening{At: at, Type: rapid.SampledFrom([]string{"buy", "buy", "view", "slip"}).Draw(t, "type")}
			if rapid.IntRange(0, 7).Draw(t, "late") == 0 {
				e.At = max(0, at-rapid.Int64Range(1, 40*24*60).Draw(t, "by")*60_000)
			}
			events = append(events, e)
		}
		last := int64(0)
		for _, e := range events {
			last = max(last, e.At)
		}
		until := scoringtest.Begin + last + 300*scoringtest.Day
		got := clockedDecisions(k, events, until)
		var text []string
		for i := range got {
			d := &got[i].Decision
			seen[d.Transition]++
			switch day := float64(d.At-scoringtest.Begin) / scoringtest.Day; d.Transition {
			case scoring.Churned:
				text = append(text, fmt.Sprintf("day %.2f: churned, %d", day, d.Episode))
			case scoring.Reminded:
				text = append(
					text,
					fmt.Sprintf("day %.2f: reminded, %d, %s %s", day, d.Episode, k.Play(d.Play).ID, k.Play(d.Play).At(d.Step).Action),
				)
			default:
				text = append(text, courseText(k, d))
			}
		}
		want := oracleCourse(k, clockedDecisions(bare, events, until), until)
		if diff := cmp.Diff(want, text); diff != "" {
			t.Fatal(diff)
		}
	})
	for _, n := range []scoring.Transition{scoring.Reminded, scoring.Churned, scoring.Recovered, scoring.Escalated} {
		if seen[n] < 20 {
			t.Errorf("%d %v: the histories show too little", seen[n], n)
		}
	}
}

// TestCourseInOrder: whatever happens, a step comes only within an open lapse, in order and once, and nothing after its
// end; and the state can be stored at any time.
func TestCourseInOrder(t *testing.T) {
	packs := []*pack.Pack{
		scoringtest.PackOf(t, "1", courseLines(true, true)...), scoringtest.PackOf(t, "2", courseLines(true, false)...),
		scoringtest.PackOf(t, "3", courseLines(false, true)...), scoringtest.PackOf(t, "4", courseLines(false, false)...),
	}
	rapid.Check(t, func(t *rapid.T) {
		scorers := make([]*scoring.Scorer, len(packs))
		for i, k := range packs {
			scorers[i] = scoring.NewScorer(k)
		}
		at := rapid.IntRange(0, len(packs)-1).Draw(t, "pack")
		c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
		now, open, step, play, sequence := scoringtest.Begin, false, uint8(0), profile.PlayMark(0), uint32(0)
		check := func(all []scoring.Decision) {
			for i := range all {
				d := &all[i]
				k := packs[at]
				switch d.Transition {
				case scoring.Raised:
					if open || d.Sequence != 1 {
						t.Fatalf("%s while one is open", courseText(k, d))
					}
					open, step, play = true, d.Step, k.Play(d.Play).Mark
				case scoring.Escalated:
					if mark := k.Play(d.Play).Mark; mark != play {
						step, play = 1, mark
					}
				case scoring.Reminded:
					if d.Step <= step || d.Step < 2 || k.Play(d.Play).Mark != play {
						t.Fatalf("%s after step %d", courseText(k, d), step)
					}
					step = d.Step
				default:
					open = false
				}
				if !open && !d.Transition.Ends() || d.Sequence != 1 && d.Sequence != sequence+1 {
					t.Fatalf("%s: after the end, or after %d", courseText(k, d), sequence)
				}
				sequence = d.Sequence
			}
			if !scoringtest.Readable(c.Profile) {
				t.Fatalf("%+v is not read back", *c.Profile)
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			now += rapid.Int64Range(1, 40*24*60).Draw(t, "minutes") * 60_000
			for c.Armed != 0 && c.Armed <= now/60_000 {
				check(scorers[at].Wake(&c))
			}
			if rapid.IntRange(0, 9).Draw(t, "another pack") == 0 {
				to := rapid.IntRange(0, len(packs)-1).Draw(t, "which")
				if to != at {
					scorers[to].After(scorers[at])
					m := scoring.NewMigration(scorers[at], scorers[to])
					check(m.Leave(&c, now))
					m.Enter(&c, now)
					at = to
				}
			}
			check(scorers[at].Observe(&c, &pop, &scoring.Observation{
				Time:   now - rapid.SampledFrom([]int64{0, 0, 0, 1, 20}).Draw(t, "late")*scoringtest.Day,
				Signal: packs[at].Signal([]byte(rapid.SampledFrom([]string{"buy", "buy", "slip", "other"}).Draw(t, "type"))),
			}))
		}
	})
}

// TestHeldHasNoCourse: of a raise that did not go out nothing follows, and its release begins anew.
func TestHeldHasNoCourse(t *testing.T) {
	k := scoringtest.PackOf(t, "1", courseLines(true, true)...)
	s := scoring.NewScorer(k)
	c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	for week := range int64(6) {
		s.Observe(
			&c,
			&pop,
			&scoring.Observation{Time: scoringtest.Begin + week*7*scoringtest.Day, Signal: k.Signal([]byte("buy"))},
		)
	}
	var held []string
	until := int64(0)
	for c.Armed != 0 && (until == 0 || c.Armed < until) {
		all := s.Wake(&c)
		if held = append(held, courses(k, all)...); len(all) > 0 && until == 0 {
			c.Withheld, until = 1<<profile.Lapse, c.Lapse.Opened/60_000+50*1440
		}
	}
	if slices.ContainsFunc(
		held,
		func(d string) bool { return strings.Contains(d, "reminded") || strings.Contains(d, "churned") },
	) {
		t.Errorf("of a raise that is held: %v", held)
	}
	released := courses(k, s.Release(&c, profile.Lapse, until))
	c.Withheld = 0
	for c.Armed != 0 {
		released = append(released, courses(k, s.Wake(&c))...)
	}
	want := []string{
		"day 108.37: raised critical, 1.1, rest",
		"day 109.91: reminded critical, 1.2, rest a_letter",
		"day 117.37: reminded critical, 1.3, rest an_offer",
		"day 138.37: churned critical, 1.4, nothing",
	}
	if diff := cmp.Diff(want, released); diff != "" {
		t.Error(diff)
	}
}

// TestWithdrawnRaise: a raise that is held and turns out wrong, for its customer's source was stalled, leaves a state that
// can be stored, without a play or a course; and the customer is waited for anew.
func TestWithdrawnRaise(t *testing.T) {
	k := scoringtest.PackOf(t, "1", courseLines(true, true)...)
	s := scoring.NewScorer(k)
	c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	for week := range int64(6) {
		s.Observe(
			&c,
			&pop,
			&scoring.Observation{Time: scoringtest.Begin + week*7*scoringtest.Day, Signal: k.Signal([]byte("buy"))},
		)
	}
	for !c.Lapse.Open() {
		s.Wake(&c)
	}
	c.Withheld = 1 << profile.Lapse
	c.Thaw(20 * 1440)
	if all := s.Release(&c, profile.Lapse, c.At/60_000+1440); len(all) > 0 || c.Lapse.Open() {
		t.Fatalf("released: %v", courses(k, all))
	}
	if !scoringtest.Readable(c.Profile) || c.Armed == 0 {
		t.Errorf("armed for %d, and read back: %v; %+v", c.Armed, scoringtest.Readable(c.Profile), *c.Profile)
	}
}
