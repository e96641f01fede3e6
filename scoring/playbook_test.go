package scoring_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// stepwise is a pack whose playbook changes with the tier.
func stepwise(t *testing.T, version, late string) *pack.Pack {
	t.Helper()
	return scoringtest.PackOf(
		t, version,
		"friction: {slip: 1}",
		"raise: {otherwise: watch}",
		"playbooks:",
		"  - {when: {reason: friction, event: slip}, mid: {id: mend, intent: service, owner: o, respond_within: 1d}}",
		"  - {when: {reason: overdue, tier: watch}, mid: {id: write, intent: content, owner: o, respond_within: 1d}}",
		"  - {when: {reason: overdue, tier: at_risk}, mid: {id: write, intent: content, owner: o, respond_within: 2d}}",
		"  - {when: {kind: lapse, tier: critical}, mid: {id: "+late+", intent: none}}",
	)
}

// played are the decisions on a customer of a pack, with the plays that they name.
func played(k *pack.Pack, events []scoringtest.Happening) (all []string) {
	for _, d := range scoringtest.Decided(k, events, 2000) {
		id := "nothing"
		if d.Play != 0 {
			id = k.Play(d.Play).ID
		}
		if d.Supersedes != "" {
			id += " for " + d.Supersedes
		}
		all = append(all, fmt.Sprintf("%v %v: %s", d.Transition, d.Tier, id))
	}
	return all
}

// TestPlaybookOfAnEpisode: a playbook stays within an episode but for escalations, and says then what it supersedes.
func TestPlaybookOfAnEpisode(t *testing.T) {
	k := stepwise(t, "1", "rest")
	weekly := func(more ...scoringtest.Happening) (events []scoringtest.Happening) {
		for week := range int64(10) {
			events = append(events, scoringtest.Happening{At: week * 7 * scoringtest.Day, Type: "buy"})
		}
		return append(events, more...)
	}
	at := func(day int64, eventType string) scoringtest.Happening {
		return scoringtest.Happening{At: day * scoringtest.Day, Type: eventType}
	}
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   string
	}{
		"silence": {
			weekly(),
			"raised watch: write, escalated at_risk: write, escalated critical: rest for write",
		},
		"a return": {
			weekly(at(500, "buy")),
			"raised watch: write, escalated at_risk: write, escalated critical: rest for write, recovered watch: nothing, " +
				"raised at_risk: write, escalated critical: rest for write",
		},
		"friction before": {
			weekly(at(64, "slip")),
			"raised watch: mend, escalated at_risk: mend, escalated critical: rest for mend",
		},
	} {
		if got := strings.Join(played(k, c.events), ", "); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestPlaybookOfAnEarlierPack: what a new pack's playbook supersedes may be a play that the new pack does not have.
func TestPlaybookOfAnEarlierPack(t *testing.T) {
	older, newer := stepwise(t, "1", "rest"), scoringtest.PackOf(
		t, "2", "raise: {otherwise: watch}", "playbooks:",
		"  - {when: {reason: overdue, tier: critical}, mid: {id: leave, intent: none}}",
	)
	from, to := scoring.NewScorer(older), scoring.NewScorer(newer)
	to.After(from)
	c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	for week := range int64(10) {
		from.Observe(&c, &pop, &scoring.Observation{
			Time: scoringtest.Begin + week*7*scoringtest.Day, Signal: older.Signal([]byte("buy")),
		})
	}
	for c.Plays[profile.Lapse] == 0 {
		from.Wake(&c)
	}
	scoring.NewMigration(from, to).Enter(&c, c.Armed*60_000)
	var said []string
	for c.Armed != 0 {
		for _, d := range to.Wake(&c) {
			play := "nothing"
			if d.Play != 0 {
				play = newer.Play(d.Play).ID
			}
			said = append(said, fmt.Sprintf("%v: %s, superseding %q", d.Transition, play, d.Supersedes))
		}
	}
	want := `escalated: nothing, superseding ""; escalated: leave, superseding "write"`
	if got := strings.Join(said, "; "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestPlaybooksChangeByEscalation: whatever happens, the playbook of an episode changes only with an escalation, which
// names the one before, and an episode that ends has none. The state can be stored at any time.
func TestPlaybooksChangeByEscalation(t *testing.T) {
	packs := []*pack.Pack{stepwise(t, "1", "rest")}
	for _, name := range pack.Shipped() {
		packs = append(packs, scoringtest.Must(pack.Load(name, nil, pack.Overrides{})))
	}
	changes := 0
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(packs).Draw(t, "pack")
		types, inForce, at := k.EventTypes(), map[profile.Kind]string{}, int64(0)
		var events []scoringtest.Happening
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			at += rapid.SampledFrom([]int64{1, 7, 7, 7, 30, 90, 300}).Draw(t, "days") * scoringtest.Day
			e := scoringtest.Happening{
				At: at, Type: rapid.SampledFrom(types).Draw(t, "type"), Properties: map[string]feature.Property{},
			}
			for _, path := range k.Properties() {
				e.Properties[path] = feature.Property{
					Kind: feature.PropertyNumber, Number: 1000 * rapid.Int64Range(0, 10).Draw(t, "number"),
				}
			}
			events = append(events, e)
		}
		for _, d := range scoringtest.Decided(k, events, 1000) {
			if d.Transition == scoring.Converted { // of an episode that may have ended, and not the one in force
				if d.Play != 0 || d.Supersedes != "" {
					t.Fatalf("converted names %v for %q", d.Play, d.Supersedes)
				}
				continue
			}
			before, now := inForce[d.Kind], ""
			if d.Play != 0 {
				now = k.Play(d.Play).ID
			}
			switch {
			case d.Transition.Ends() && d.Transition != scoring.Converted:
				if now != "" || d.Supersedes != "" {
					t.Fatalf("%v names %q for %q", d.Transition, now, d.Supersedes)
				}
			case d.Transition == scoring.Raised:
				if d.Supersedes != "" || before != "" {
					t.Fatalf("raised with %q for %q, in force %q", now, d.Supersedes, before)
				}
			case before == "" || now == before:
				if d.Supersedes != "" {
					t.Fatalf("%v: %q supersedes %q, in force %q", d.Transition, now, d.Supersedes, before)
				}
			case d.Transition != scoring.Escalated || d.Supersedes != before:
				t.Fatalf("%v: %q supersedes %q, in force %q", d.Transition, now, d.Supersedes, before)
			default:
				changes++
			}
			inForce[d.Kind] = now
		}
	})
	if changes == 0 {
		t.Error("no playbook changed")
	}
}

// TestTrouble: of several events with friction the one that weighs most is kept, whatever order they come in.
func TestTrouble(t *testing.T) {
	k := scoringtest.PackOf(t, "1", "friction: {slip: 1, fall: 4, none: 0}")
	for name, c := range map[string]struct {
		events []scoringtest.Happening
		want   string
	}{
		"none":              {[]scoringtest.Happening{{Type: "buy"}, {At: 1, Type: "none"}}, " 0"},
		"the newest":        {[]scoringtest.Happening{{Type: "slip"}, {At: 5, Type: "slip"}}, "slip 5"},
		"a late one":        {[]scoringtest.Happening{{At: 5, Type: "slip"}, {Type: "slip"}}, "slip 5"},
		"the heavier":       {[]scoringtest.Happening{{Type: "fall"}, {At: 20 * scoringtest.Day, Type: "slip"}}, "fall 0"},
		"the heavier, late": {[]scoringtest.Happening{{At: 20 * scoringtest.Day, Type: "slip"}, {Type: "fall"}}, "fall 0"},
		"a faded one":       {[]scoringtest.Happening{{Type: "fall"}, {At: 50 * scoringtest.Day, Type: "slip"}}, "slip 4320000000"},
	} {
		c1, pop, s := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}, scoring.NewScorer(k)
		for _, e := range c.events {
			s.Observe(&c1, &pop, &scoring.Observation{Time: scoringtest.Begin + e.At, Signal: k.Signal([]byte(e.Type))})
		}
		eventType, _ := k.TroubleOf(c1.Trouble.Type)
		if got := fmt.Sprint(eventType, " ", max(c1.Trouble.At-scoringtest.Begin, 0)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
