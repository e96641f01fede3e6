package scoring_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// episodeRow is a line of the table in episode.go.
type episodeRow struct{ episode, happens, transition, then, kinds string }

func episodeTable(t *testing.T) (rows []episodeRow) {
	t.Helper()
	b, err := os.ReadFile("episode.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		cells := strings.Split(strings.TrimPrefix(line, "//\t"), "|")
		if len(cells) != 7 || strings.Contains(line, "what happens") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, episodeRow{cells[1], cells[2], cells[3], cells[4], cells[5]})
	}
	return rows
}

// TestEpisodeTable takes each kind to each state of the table, applies the row's event, and checks the decisions and
// the new state. Events are given in days; the last of them, or the last wait, is the one under test.
func TestEpisodeTable(t *testing.T) {
	triggered := map[string][]string{
		"closed rises": {"buy 0, ticket 1"}, "closed nothing": {"buy 0, solved 1"},
		"open rises": {"buy 0, ticket 1, dispute 2"}, "open is opened once more": {"buy 0, outage 1, ticket 2"},
		"open falls": {"buy 0, ticket 1, dispute 2, decided 3"}, "open nothing": {"buy 0, ticket 1, ticket 2"},
		"open ends": {"buy 0, ticket 1, solved 2"}, "open its time is over": {"buy 0, ticket 1, wait 32"},
	}
	followRows(t, profile.ServiceFailure, scoringtest.PackOf(t, "1", scoringtest.Lapsing()...), triggered, nil)
	for opens := profile.Watch; opens <= profile.Critical; opens++ {
		pack := scoringtest.PackOf(t, "1", append(
			scoringtest.Lapsing(), "raise: {otherwise: "+opens.String()+"}", "converts: paid",
		)...)
		scripts, days := lapseScripts(t, pack, opens)
		t.Run(opens.String(), func(t *testing.T) { followRows(t, profile.Lapse, pack, scripts, days) })
	}
	pack := scoringtest.PackOf(t, "1", append(
		scoringtest.Lapsing(), "churned: true", "playbooks: [{when: {kind: lapse}, mid: {id: a, intent: content, owner: o, "+
			"respond_within: 1d, steps: [{after: 1h, action: b, intent: none}]}}]",
	)...)
	days := map[string]float64{}
	for _, d := range decidedBy(pack, profile.Lapse, "buy 0, wait 600", nil) {
		days[d.Transition.String()] = float64(d.At-scoringtest.Begin) / scoringtest.Day
	}
	followRows(t, profile.Lapse, pack, map[string][]string{
		"open a step is due":       {"buy 0, wait raised, wait reminded"},
		"open its horizon is over": {fmt.Sprintf("buy 0, wait %v, wait churned", days["churned"]-0.01)},
	}, days)
}

// ofCourse reports whether a row of the table is of what happens by itself where the pack says so.
func ofCourse(row string) bool {
	return row == "open a step is due" || row == "open its horizon is over"
}

// lapseScripts are the scripts of a lapse that opens at a tier, by the rows of the table. The days on which it opens and
// escalates, each named by the tier reached, are found from the decisions.
func lapseScripts(
	t *testing.T, pack *pack.Pack, opens profile.Tier,
) (scripts map[string][]string, days map[string]float64) {
	t.Helper()
	days = map[string]float64{}
	before := profile.TierNone
	scripts = map[string][]string{"closed nothing": {"buy 0, wait 2", "buy 0, paid 2"}}
	for _, d := range decidedBy(pack, profile.Lapse, "buy 0, wait 600", nil) {
		tier := d.Tier.String()
		days[tier] = float64(d.At-scoringtest.Begin) / scoringtest.Day
		wait := "buy 0, wait " + tier
		if before == profile.TierNone {
			scripts["closed rises"] = append(scripts["closed rises"], wait)
		} else {
			scripts["open rises"] = append(scripts["open rises"], fmt.Sprintf("buy 0, wait %v, wait %s", before, tier))
		}
		scripts["open nothing"] = append(scripts["open nothing"], wait+", other "+tier)
		scripts["open ends"] = append(scripts["open ends"], wait+", buy "+tier)
		if before == profile.TierNone {
			later := fmt.Sprintf(", paid %v", days[tier]+0.0001)
			scripts["open the customer converts"] = []string{wait + later}
			scripts["open its raise was wrong"] = []string{"buy 0, other " + tier + ", buy 1"}
			scripts["closed the customer converts"] = []string{wait + ", view " + tier + later}
			scripts["open nothing"] = append(scripts["open nothing"], wait+later+later, wait+", paid "+tier)
			scripts["closed nothing"] = append(scripts["closed nothing"], wait+", view "+tier+later+later)
		}
		before = d.Tier
	}
	if got, want := len(days), int(profile.Critical-opens)+1; got != want || days[opens.String()] == 0 {
		t.Fatalf("a lapse that opens at %v goes through %v", opens, days)
	}
	return scripts, days
}

// decidedBy are the decisions of a kind about a customer who comes every third day until day 0, then by a script.
func decidedBy(pack *pack.Pack, kind profile.Kind, script string, days map[string]float64) (all []scoring.Decision) {
	var events []scoringtest.Happening
	for i := int64(-60); i < 0; i++ {
		events = append(events, scoringtest.Happening{At: 3 * i * scoringtest.Day, Type: "buy"})
	}
	until := int64(0)
	for part := range strings.SplitSeq(script, ", ") {
		word, day, _ := strings.Cut(part, " ")
		at, ok := days[day]
		if !ok {
			at = scoringtest.Must(strconv.ParseFloat(day, 64))
		}
		until = max(until, scoringtest.At(at))
		if word != "wait" {
			events = append(events, scoringtest.Happening{At: scoringtest.At(at) - scoringtest.Begin, Type: word})
		}
	}
	for _, d := range scoringtest.Decided(pack, events, 700) {
		if d.Kind == kind && d.At <= until {
			all = append(all, d)
		}
	}
	return all
}

// followRows runs the scripts of the table's rows for a kind.
func followRows(
	t *testing.T, kind profile.Kind, pack *pack.Pack, scripts map[string][]string, days map[string]float64,
) {
	t.Helper()
	seen := 0
	for _, r := range episodeTable(t) {
		name := r.episode + " " + r.happens
		if r.kinds == "triggered" && kind == profile.Lapse || r.kinds == "lapse" && kind != profile.Lapse {
			continue
		}
		if len(days) == 1 && name == "open rises" {
			continue // it opens at the highest tier
		}
		if _, course := scripts["open a step is due"]; course != ofCourse(name) {
			continue
		}
		seen++
		if len(scripts[name]) == 0 {
			t.Fatalf("%v: the table has a row that no script stands for: %s", kind, name)
		}
		for _, script := range scripts[name] {
			t.Run(kind.String()+"/"+name+"/"+script, func(t *testing.T) {
				before := decidedBy(pack, kind, script[:strings.LastIndex(script, ", ")], days)
				after := decidedBy(pack, kind, script, days)
				if state(before) != r.episode || state(after) != r.then {
					t.Errorf("%s, then %s", state(before), state(after))
				}
				got := ""
				if fresh := after[len(before):]; len(fresh) == 1 {
					got = fresh[0].Transition.String()
				} else if len(fresh) > 1 {
					t.Errorf("%d transitions at once", len(fresh))
				}
				if got != r.transition {
					t.Errorf("transition %q, the table says %q", got, r.transition)
				}
			})
		}
	}
	if seen != len(scripts) {
		t.Errorf("%v: the table has %d rows, there are %d scripts", kind, seen, len(scripts))
	}
}

// state is an episode's state after its decisions. A conversion leaves it as it is.
func state(all []scoring.Decision) string {
	all = slices.DeleteFunc(slices.Clone(all), func(d scoring.Decision) bool { return d.Transition == scoring.Converted })
	if len(all) == 0 ||
		all[len(all)-1].Transition.Ends() {
		return "closed"
	}
	return "open"
}
