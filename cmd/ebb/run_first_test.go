package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// firstLog has customers who each order once a month for five months of a year, one after another; the last of them are
// silent at its end for less than two horizons.
func firstLog(year, from int) string {
	var log strings.Builder
	for n := range 300 {
		month := 1 + n/50
		customer := from + n%40 + month/3*7
		fmt.Fprintf(
			&log,
			`{"customer":"c%d","type":"Order Completed","time":"%d-%02d-%02dT%02d:00:00Z"}`+"\n",
			customer,
			year,
			month,
			1+n%50/2,
			n%24,
		)
	}
	return log.String()
}

// TestHeldInTheSummary: the summary says how many raises are held, not by how many there are more than before.
func TestHeldInTheSummary(t *testing.T) {
	s := startServices(t)
	s.environ = append(
		s.environ,
		"EBB_HTTP_LISTEN=",
		"EBB_START_INITIAL_PER_HOUR=1",
		"EBB_PACK=any",
		"EBB_PACK_HORIZON=30d",
	)
	run(t, s.environ, nil, "check", "--create", "--partitions", "2").want(t, exitOK)
	run(t, s.environ, nil, "produce", writeLog(t, "past.ndjson", firstLog(2024, 0))).want(t, exitOK)
	first := summaryOf(
		t,
		run(t, s.environ, nil, "run", "--until-end", "--leave", "--history", "first_start").want(t, exitOK),
	)
	again := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	if first.Held < 5 || again.Held != first.Held || again.Events != 0 {
		t.Errorf("%+v, then %+v", first, again)
	}
}

// TestFirstStart: what the input holds when a group first starts raises nothing at once; those still at risk at its end are
// raised as initial alerts, before what comes later; a backfill raises nobody; and a replay decides all of it again.
func TestFirstStart(t *testing.T) {
	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_START_INITIAL_PER_HOUR=1000000", "EBB_PACK=any",
		"EBB_PACK_HORIZON=30d")
	run(t, s.environ, nil, "check", "--create", "--partitions", "2").want(t, exitOK)
	first := append([]string{"run", "--until-end", "--leave", "--history"}, "first_start")
	run(t, s.environ, nil, "produce", writeLog(t, "past.ndjson", firstLog(2024, 0))).want(t, exitOK)
	sum := summaryOf(t, run(t, s.environ, nil, first...).want(t, exitOK))
	if sum.Alerts == 0 || sum.Transitions["raised"] != sum.Alerts || sum.Withdrawn == 0 ||
		sum.Held != 0 {
		t.Fatalf("%+v", sum)
	}
	for _, r := range publishedAlerts(t, s, "ebb.alerts", int(sum.Alerts)) {
		var a struct {
			Initial  bool
			Sequence int
		}
		if err := json.Unmarshal(r.Value, &a); err != nil || !a.Initial || a.Sequence != 1 {
			t.Errorf("%s, %v", r.Value, err)
		}
	}

	run(t, s.environ, nil, "produce", writeLog(t, "later.ndjson", firstLog(2025, 20))).want(t, exitOK)
	again := summaryOf(t, run(t, s.environ, nil, first...).want(t, exitOK))
	if again.Transitions["recovered"] == 0 || again.Transitions["raised"] == 0 {
		t.Errorf("%+v", again)
	}
	run(t, s.environ, nil, "produce", "--history", writeLog(t, "lost.ndjson", firstLog(2023, 900))).want(t, exitOK)
	filled := summaryOf(t, run(t, s.environ, nil, first...).want(t, exitOK))
	if filled.Alerts != 0 || filled.Events != 300 || filled.Withheld["lapse"]["raised"] == 0 {
		t.Errorf("%+v", filled)
	}
	if same := replayed(t, s.environ, exitOK); same.Published != same.Same || len(same.Differences) > 0 ||
		uint64(same.Published) != sum.Alerts+again.Alerts {
		t.Errorf("%+v", same)
	}
}
