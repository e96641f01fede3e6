package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/deadletter"
	"ebb/cmd/ebb/erase"
	"ebb/scoring/alert"
)

// holdsC3 finds the customer in a dump of Redis. Bytes that print as \xc3, of which tokens are full, are none.
var holdsC3 = regexp.MustCompile(`\bc3\b|x00c3`)

// TestErase: a person has a customer erased. Consumers are told, nothing in Redis holds the id, the record that could not
// be used is neither shown nor sent again, and old events that are sent again count for nothing.
func TestErase(t *testing.T) {
	s := startServices(t, "copies")
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_PACK=any")
	run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
	log := writeLog(t, "visits.ndjson", stormLog(5, 20))
	run(t, s.environ, nil, "produce", log).want(t, exitOK)
	poison := &kgo.Record{Topic: "events", Key: []byte("c3"), Value: []byte(`{"customer": "c3", `)}
	if err := s.client(t).ProduceSync(t.Context(), poison).FirstErr(); err != nil {
		t.Fatal(err)
	}
	before := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	if !holdsC3.MatchString(s.redis.Dump()) || before.Transitions["raised"] != 5 || before.Quarantined != 1 {
		t.Fatalf("%+v", before)
	}
	for _, args := range [][]string{
		{"--by", "kim"},
		{"--why", "request 17"},
		{"--by", "kim", "--why", "c3 asked"},
		{"--by", "c3", "--why", "asked"},
		{"--by", "kim", "--why", "request 17", "--json"},
		{"--by", "kim", "--why", "request 17", "--partition", "9", "--yes"},
		{"--by", "kim", "--why", "request 17", "--tenant", strings.Repeat("t", 65), "--yes"},
	} {
		run(t, s.environ, nil, append([]string{"erase", "c3"}, args...)...).want(t, exitUsage)
	}
	asked := run(
		t,
		s.environ,
		strings.NewReader("yes\n"),
		"erase",
		"c3",
		"--by",
		"kim",
		"--why",
		"request 17",
		"--wait",
		"0s",
	)
	if out := asked.want(t, exitOK).stdout; !strings.Contains(out, "c3: asked for") {
		t.Error(out)
	}
	run(t, s.environ, nil, "produce", log).want(t, exitOK)
	after := summaryOf(t, run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK))
	if after.Erased != 9 || after.Alerts != 0 || holdsC3.MatchString(s.redis.Dump()) {
		t.Errorf("%+v\n%s", after, s.redis.Dump())
	}
	alerts := publishedAlerts(t, s, "ebb.alerts", int(before.Alerts)+1)
	told := string(alerts[len(alerts)-1].Value)
	if !strings.Contains(told, `"customer":"c3","transition":"erased"`) {
		t.Error(told)
	}
	if x := run(
		t,
		s.environ,
		strings.NewReader(told),
		"explain",
	).want(t, exitOK); !strings.Contains(
		x.stdout,
		"is to delete it",
	) {
		t.Error(x.stdout)
	}
	if same := replayed(t, s.environ, exitOK); same.Published != same.Same || uint64(same.Published) != before.Alerts+1 {
		t.Errorf("%+v", same)
	}
	run(t, s.environ, nil, "replay", "--into", "copies").want(t, exitOK)
	ofC3 := func(r *kgo.Record) bool {
		return string(r.Key) == "c3" && !strings.Contains(string(r.Value), alert.Erased)
	}
	others := slices.DeleteFunc(slices.Clone(alerts), ofC3)
	for _, r := range publishedAlerts(t, s, "copies", len(others)) {
		if ofC3(r) {
			t.Errorf("a copy: %s", r.Value)
		}
	}
	var listed deadletter.Listing
	if err := json.Unmarshal(
		[]byte(run(t, s.environ, nil, "dlq", "list", "--json").want(t, exitOK).stdout),
		&listed,
	); err != nil ||
		listed.Records != 0 {
		t.Errorf("%v %+v", err, listed)
	}
	if out := run(t, s.environ, nil, "dlq", "show").want(t, exitOK).stdout; strings.Contains(out, "c3") {
		t.Error(out)
	}
	if out := run(
		t,
		s.environ,
		nil,
		"dlq",
		"replay",
		"--yes",
	).want(t, exitOK).
		stdout; !strings.HasPrefix(
		out,
		"0 records",
	) {
		t.Error(out)
	}
	run(t, s.environ, nil, "inspect", "c3").want(t, exitFailed)

	var plan erase.Plan
	again := run(
		t,
		s.environ,
		nil,
		"erase",
		"nobody",
		"--by",
		"kim",
		"--why",
		"request 18",
		"--yes",
		"--json",
		"--wait",
		"0s",
	)
	if err := json.Unmarshal([]byte(again.want(t, exitOK).stdout), &plan); err != nil ||
		plan.Known || plan.Erased || fmt.Sprint(plan.Partitions) != "[0]" {
		t.Errorf("%v %+v", err, plan)
	}
}
