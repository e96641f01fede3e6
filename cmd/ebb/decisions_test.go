package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ebb/sinks/format"
)

// TestDecisions: of a storm each held raise, and what became of it, is in the ledger, between the alerts; and whoever asks
// why nothing went out gets a sentence.
func TestDecisions(t *testing.T) {
	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_PACK=any", "EBB_STORM_BREAKER=on")
	run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
	run(t, s.environ, nil, "decisions", "c7").want(t, exitOK)
	log := stormLog(300, 20) + `{"customer":"one","type":"visit","time":"2026-01-20T10:00:00Z"}` + "\n"
	run(t, s.environ, nil, "produce", writeLog(t, "storm.ndjson", log)).want(t, exitOK)
	sum := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	schema, err := jsonschema.NewCompiler().Compile("../../docs/decision.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	outcomes, held := map[string]int{}, ""
	all := run(t, s.environ, nil, "decisions", "--json", "--reason", "storm", "--newest", "1000").want(t, exitOK)
	for line := range strings.Lines(all.stdout) {
		var d format.Decision
		var value any
		if json.Unmarshal([]byte(line), &d) != nil || json.Unmarshal([]byte(line), &value) != nil ||
			schema.Validate(value) != nil || d.Reason != "storm" {
			t.Fatalf("%s: %v", line, schema.Validate(value))
		}
		outcomes[d.Outcome]++
		held = d.Customer
	}
	if len(outcomes) != 2 || outcomes["held"] != 250 || outcomes["released"] != 250 || sum.Transitions["raised"] != 300 {
		t.Errorf("%v, %+v", outcomes, sum)
	}
	got := run(t, s.environ, nil, "decisions", held).want(t, exitOK)
	for _, want := range []string{"lapse raised at tier", "is held, to be decided anew at", "far more lapses", "released"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not in:\n%s", want, got.stdout)
		}
	}
	if lines := strings.Split(got.stdout, "\n"); len(lines) < 4 || !strings.Contains(lines[0], " held ") {
		t.Errorf("not in order:\n%s", got.stdout)
	}
	for args, want := range map[string]int{
		"--outcome held": 100, "--newest 7 --reason storm": 7, "--reason drought": 0, "--tenant acme": 0, "nobody": 0,
		held + " --outcome released": 1,
	} {
		o := run(t, s.environ, nil, append([]string{"decisions"}, strings.Fields(args)...)...).want(t, exitOK)
		if n := strings.Count(o.stdout, "\n"); n != want || (want == 0) != strings.Contains(o.stderr, "nothing was decided") {
			t.Errorf("%s: %d lines, want %d\n%s", args, n, want, o.stderr)
		}
	}
	run(t, s.environ, nil, "decisions", "--outcome", "lost").want(t, exitUsage)
	run(t, s.environ, nil, "decisions", "--newest", "0").want(t, exitUsage)
}
