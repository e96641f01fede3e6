package scoring_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ebb/scoring"
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
	// Of a lapse: a customer who comes every third day until day 0. The days were found from the decisions (see below).
	const raised, escalated = "R", "E"
	lapse := map[string]string{
		"closed rises":   "buy 0, wait " + raised,
		"closed nothing": "buy 0, wait 2",
		"open rises":     "buy 0, wait " + raised + ", wait " + escalated,
		"open nothing":   "buy 0, wait " + raised + ", other " + raised,
		"open ends":      "buy 0, wait " + raised + ", buy " + raised,
	}
	triggered := map[string]string{
		"closed rises": "buy 0, ticket 1", "closed nothing": "buy 0, solved 1",
		"open rises": "buy 0, ticket 1, dispute 2", "open is opened once more": "buy 0, outage 1, ticket 2",
		"open falls": "buy 0, ticket 1, dispute 2, decided 3", "open nothing": "buy 0, ticket 1, ticket 2",
		"open ends": "buy 0, ticket 1, solved 2", "open its time is over": "buy 0, ticket 1, wait 32",
	}
	pack := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	decided := func(kind profile.Kind, script string, days map[string]float64) (all []scoring.Decision) {
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
			until = scoringtest.At(at)
			if word != "wait" {
				events = append(events, scoringtest.Happening{At: until - scoringtest.Begin, Type: word})
			}
		}
		for _, d := range scoringtest.Decided(pack, events, 700) {
			if d.Kind == kind && d.At <= until {
				all = append(all, d)
			}
		}
		return all
	}
	days := map[string]float64{}
	for _, d := range decided(profile.Lapse, "buy 0, wait 600", nil) {
		name := map[scoring.Transition]string{scoring.Raised: raised, scoring.Escalated: escalated}[d.Transition]
		days[name] = float64(d.At-scoringtest.Begin) / scoringtest.Day
	}
	rows := episodeTable(t)
	for _, kind := range []profile.Kind{profile.Lapse, profile.ServiceFailure} {
		scripts, seen := triggered, 0
		if kind == profile.Lapse {
			scripts = lapse
		}
		for _, r := range rows {
			if r.kinds == "triggered" && kind == profile.Lapse {
				continue
			}
			seen++
			t.Run(kind.String()+"/"+r.episode+" "+r.happens, func(t *testing.T) {
				script, ok := scripts[r.episode+" "+r.happens]
				if !ok {
					t.Fatal("the table has a row that no script stands for")
				}
				before := decided(kind, script[:strings.LastIndex(script, ", ")], days)
				after := decided(kind, script, days)
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
		if seen != len(scripts) {
			t.Errorf("%v: the table has %d rows, there are %d scripts", kind, seen, len(scripts))
		}
	}
}

// state is an episode's state after its decisions, whose numbers must be consecutive.
func state(all []scoring.Decision) string {
	if len(all) == 0 ||
		slices.Contains([]scoring.Transition{scoring.Recovered, scoring.Expired}, all[len(all)-1].Transition) {
		return "closed"
	}
	return "open"
}
