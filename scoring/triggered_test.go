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
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestTriggeredEpisodes: what opens, lifts, lowers and ends episodes of kinds other than lapse, with events in any
// order.
func TestTriggeredEpisodes(t *testing.T) {
	tests := []struct{ name, events, want string }{
		{"raised and recovered", "view 0, ticket 1, solved 2", `
			day 1: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 2: service_failure recovered 1.2, healthy after watch, settled`},
		{"the end of one of two is not the end", "view 0, ticket 1, dispute 2, decided 3, solved 4", `
			day 1: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 2: service_failure escalated 1.2, at_risk after watch, dispute_open
			day 3: service_failure deescalated 1.3, watch after at_risk, ticket_escalated
			day 4: service_failure recovered 1.4, healthy after watch, settled`},
		{"a lower one beside a higher is told, and ends unheard", "view 0, outage 1, ticket 2, solved 3, over 4", `
			day 1: service_failure raised 1.1, critical after healthy, incident
			day 2: service_failure escalated 1.2, critical after critical, ticket_escalated
			day 4: service_failure recovered 1.3, healthy after critical, settled`},
		{"the same again says nothing", "view 0, dispute 1, dispute 2, decided 3", `
			day 1: service_failure raised 1.1, at_risk after healthy, dispute_open
			day 3: service_failure recovered 1.2, healthy after at_risk, settled`},
		{"an end that came before its beginning", "view 0, final 2, paid 1", `
			day 2: involuntary raised 1.1, critical after healthy, payment_failed_finally
			day 32: involuntary expired 1.2, healthy after critical, ran_out`},
		{"a beginning that comes after its end", "view 0, paid 2, final 1", ``},
		{"of one time the end holds", "view 0, paid 2, final 2", ``},
		{"of one time the end holds, whichever comes first", "view 0, final 2, paid 2", `
			day 2: involuntary raised 1.1, critical after healthy, payment_failed_finally
			day 2: involuntary recovered 1.2, healthy after critical, paid`},
		{"late, after another's end", "view 0, ticket 5, solved 10, dispute 7", `
			day 5: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 10: service_failure recovered 1.2, healthy after watch, settled
			day 7: service_failure raised 2.1, at_risk after healthy, dispute_open
			day 37: service_failure expired 2.2, healthy after at_risk, ran_out`},
		{"no transition before the one before it", "view 0, ticket 5, outage 6, over 10, dispute 7, decided 8", `
			day 5: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 6: service_failure escalated 1.2, critical after watch, incident
			day 10: service_failure deescalated 1.3, watch after critical, ticket_escalated
			day 10: service_failure escalated 1.4, at_risk after watch, dispute_open
			day 10: service_failure deescalated 1.5, watch after at_risk, ticket_escalated
			day 37: service_failure expired 1.6, healthy after watch, ran_out`},
		{"expires after the newest opening", "view 0, ticket 1, ticket 20, wait 60", `
			day 1: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 50: service_failure expired 1.2, healthy after watch, ran_out`},
		{"a late one does not bring the end nearer", "view 0, ticket 20, ticket 5, wait 60", `
			day 20: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 50: service_failure expired 1.2, healthy after watch, ran_out`},
		{"an end between a late one and the newest", "view 0, ticket 20, ticket 5, solved 10, wait 60", `
			day 20: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 50: service_failure expired 1.2, healthy after watch, ran_out`},
		{"so late that it would have expired", "view 0, view 40, ticket 10", ``},
		{"just not so late", "view 0, view 40, ticket 10.5", `
			day 10.5: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 40.5: service_failure expired 1.2, healthy after watch, ran_out`},
		{"after it expired, and again", "view 0, ticket 1, wait 40, ticket 41, solved 42", `
			day 1: service_failure raised 1.1, watch after healthy, ticket_escalated
			day 31: service_failure expired 1.2, healthy after watch, ran_out
			day 41: service_failure raised 2.1, watch after healthy, ticket_escalated
			day 42: service_failure recovered 2.2, healthy after watch, settled`},
		{"a tier is of all kinds", "view 0, leave 1, final 2, paid 3, buy 4", `
			day 1: explicit raised 1.1, critical after healthy, cancellation_requested
			day 2: involuntary raised 1.1, critical after critical, payment_failed_finally
			day 3: involuntary recovered 1.2, critical after critical, paid
			day 4: explicit recovered 1.2, healthy after critical, stayed`},
		{"of who has done nothing else", "final 1, unpaid 2, paid 3", `
			day 1: involuntary raised 1.1, critical after , payment_failed_finally
			day 2: involuntary escalated 1.2, critical after critical, payment_failed
			day 3: involuntary recovered 1.3,  after critical, paid`},
	}
	pack := scoringtest.PackOf(t, "1", scoringtest.Troubles...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var events []scoringtest.Happening
			for i := int64(-60); i < 0 && strings.HasPrefix(tt.events, "view"); i++ {
				at := 3*i + i&1*2 // no clockwork: gaps of one day and five
				events = append(events, scoringtest.Happening{At: at * scoringtest.Day, Type: "view"})
			}
			for part := range strings.SplitSeq(tt.events, ", ") {
				word, day, _ := strings.Cut(part, " ")
				events = append(
					events,
					scoringtest.Happening{
						At:   scoringtest.At(scoringtest.Must(strconv.ParseFloat(day, 64))) - scoringtest.Begin,
						Type: word,
					},
				)
			}
			var told []string
			for _, d := range scoringtest.Decided(pack, events, 70) {
				if d.Kind != profile.Lapse {
					told = append(
						told,
						fmt.Sprintf(
							"day %v: %v %v %d.%d, %v after %v, %s",
							float64(d.At-scoringtest.Begin)/scoringtest.Day,
							d.Kind,
							d.Transition,
							d.Episode,
							d.Sequence,
							d.Tier,
							d.Previous,
							d.ReasonCodes(pack)[0],
						),
					)
				}
			}
			want := strings.ReplaceAll(strings.TrimSpace(tt.want), "\t", "")
			if diff := cmp.Diff(want, strings.Join(told, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTiersBesideLapses: the tiers in a lapse's alerts are those of the customer, including other open kinds.
func TestTiersBesideLapses(t *testing.T) {
	const signals = "signals: {ask: {types: [ask]}, tell: {types: [tell]}}"
	pack := scoringtest.PackOf(
		t,
		"1",
		signals,
		"kinds: {explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}, {signal: tell, floor: 90, code: "+
			"incident}], expires: 900d}}",
	)
	visits := func(more ...scoringtest.Happening) (events []scoringtest.Happening) {
		for i := range int64(10) {
			events = append(events, scoringtest.Happening{At: 6 * i * scoringtest.Day, Type: "buy"})
		}
		return append(events, more...)
	}
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   []string
	}{
		"raised beside a floor": {
			visits(scoringtest.Happening{At: 54*scoringtest.Day + 1, Type: "ask"}),
			[]string{"raised critical after at_risk"},
		},
		"a floor while it is open": {
			visits(
				scoringtest.Happening{At: 110 * scoringtest.Day, Type: "tell"},
				scoringtest.Happening{At: 111 * scoringtest.Day, Type: "buy"},
			),
			[]string{"raised at_risk after healthy", "recovered critical after critical"},
		},
		"a floor before it escalates": {
			visits(scoringtest.Happening{At: 110 * scoringtest.Day, Type: "tell"}),
			[]string{"raised at_risk after healthy", "escalated critical after critical"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range scoringtest.Decided(pack, c.events, 700) {
				if d.Kind == profile.Lapse && len(got) < len(c.want) {
					got = append(got, fmt.Sprintf("%v %v after %v", d.Transition, d.Tier, d.Previous))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecisionsHoldTheirOwn: one event's decisions about two kinds at two instants hold the features as of each.
func TestDecisionsHoldTheirOwn(t *testing.T) {
	pack := scoringtest.PackOf(
		t,
		"1",
		"signals: {ask: {types: [ask]}, tell: {types: [tell]}, both: {types: [both]}}",
		"features: {days: {kind: tenure}}",
		"kinds:",
		"  explicit: {opens: [{signal: ask, floor: 60, code: dispute_open}], closes: [both], expires: 90d}",
		"  service_failure: {opens: [{signal: tell, floor: 60, code: dispute_open}, {signal: both, floor: 90, code: "+
			"incident}], expires: 90d}",
	)
	all := scoringtest.Decided(pack, []scoringtest.Happening{
		{
			At:   0,
			Type: "buy",
		},
		{At: scoringtest.Day, Type: "ask"},
		{At: 5 * scoringtest.Day, Type: "tell"},
		{At: 3 * scoringtest.Day, Type: "both"},
	}, 0)
	var got []string
	for _, d := range all[max(0, len(all)-2):] {
		got = append(
			got,
			fmt.Sprintf(
				"%v %v on day %d: %d",
				d.Kind,
				d.Transition,
				(d.At-scoringtest.Begin)/scoringtest.Day,
				d.Score.Values[0].N/86_400,
			),
		)
	}
	diff := cmp.Diff([]string{"explicit recovered on day 3: 3", "service_failure escalated on day 5: 5"}, got)
	if diff != "" {
		t.Error(diff)
	}
}

// TestLowFloor: an open episode lifts to watch at least, however low its floor.
func TestLowFloor(t *testing.T) {
	pack := scoringtest.PackOf(t, "1", "signals:", "  ticket: {types: [ticket]}", "  solved: {types: [solved]}",
		"kinds:", "  service_failure: {opens: [{signal: ticket, floor: 5, code: ticket_escalated}], closes: [solved]}")
	got := scoringtest.Decided(pack, []scoringtest.Happening{{Type: "ticket"}, {At: scoringtest.Day, Type: "solved"}}, 0)
	if len(got) != 2 || got[0].Tier != profile.Watch || got[1].Previous != profile.Watch ||
		got[1].Tier != profile.TierNone {
		t.Errorf("%+v", got)
	}
}

// TestTriggeredTransitionsDoNotGoBack: no transition of an episode is earlier than the one before it, also not where it
// ends by itself and a younger event, within the lateness, comes first.
func TestTriggeredTransitionsDoNotGoBack(t *testing.T) {
	// floors low enough for a lapse beside them
	low := strings.NewReplacer("97.9", "45", "98,", "50,", "99,", "55,", "97,", "41,", "99.5", "56")
	pack := scoringtest.PackOf(t, "1", low.Replace(strings.Join(scoringtest.Lapsing(), "\n")))
	types := append(pack.EventTypes(), "view")
	ordered := func(t rapid.TB, events []scoringtest.Happening, lateness int64) (expired int) {
		var newest [profile.NumKinds]scoring.Decision
		for _, d := range scoringtest.DecidedLate(pack, events, lateness, 70) {
			if was := newest[d.Kind]; d.Kind != profile.Lapse && was.Episode == d.Episode && d.At < was.At {
				t.Fatalf(
					"%v %v %d.%d at %d, after %v at %d",
					d.Kind,
					d.Transition,
					d.Episode,
					d.Sequence,
					d.At,
					was.Transition,
					was.At,
				)
			}
			if newest[d.Kind] = d; d.Transition == scoring.Expired {
				expired++
			}
		}
		return expired
	}
	late := []scoringtest.Happening{
		{Type: "ticket"},
		{At: 1000, Type: "dispute"},
		{At: 30*scoringtest.Day + 300_000, Type: "decided"},
	}
	active := slices.Clone(late[:2])
	for d := range int64(29) {
		active = append(active, scoringtest.Happening{At: (d + 1) * scoringtest.Day, Type: "view"})
	}
	for name, events := range map[string][]scoringtest.Happening{"never active": late, "active": append(active, late[2])} {
		if n := ordered(t, events, 300_000); n != 1 {
			t.Errorf("%s: %d episodes ended by themselves", name, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var events []scoringtest.Happening
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			at := rapid.Int64Range(0, 4).Draw(t, "month")*30*scoringtest.Day + rapid.Int64Range(0, 10).Draw(t, "minute")*60_000
			events = append(events, scoringtest.Happening{At: at, Type: rapid.SampledFrom(types).Draw(t, "type")})
		}
		ordered(t, events, rapid.SampledFrom([]int64{0, 300_000, 40 * scoringtest.Day}).Draw(t, "lateness"))
	})
}
