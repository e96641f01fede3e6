package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/processor"
	"ebb/pipeline/line"
)

// feed writes n values to a partition of the input.
func (s *services) feed(t testing.TB, partition int32, n int, value func(int) string) {
	t.Helper()
	c := s.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	var records []*kgo.Record
	for i := range n {
		records = append(
			records,
			&kgo.Record{
				Topic:     "events",
				Partition: partition,
				Key:       []byte("c"),
				Value:     []byte(value(i)),
				Timestamp: time.UnixMilli(dlqStart),
			},
		)
	}
	if err := c.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func visit(kind string) func(int) string {
	return func(i int) string {
		return fmt.Sprintf(`{"id":"%s %d","customer":"c%d","type":%q,"time":"2026-01-01T00:00:00Z"}`, kind, i, i, kind)
	}
}

// TestRunPoisonBreaker: a partition with too much poison stops before the record over the limit, whatever the others
// do, and at the same record after a restart. Accepted, every such record goes to the DLQ, and a replay takes them
// round again.
func TestRunPoisonBreaker(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	for _, topic := range []string{"events", "events.dlq"} {
		s.configure(t, topic, map[string]string{"retention.ms": "-1"})
	}
	s.environ = append(
		s.environ,
		"EBB_HTTP_LISTEN=",
		"EBB_LOG_FORMAT=json",
		"EBB_PACK=any",
		"EBB_INPUT_POISON_BREAKER=0.2",
	)
	s.feed(t, 1, 300, visit("visit"))
	s.feed(t, 2, 300, visit("visit"))
	s.feed(t, 1, 500, func(i int) string { return fmt.Sprintf("poison %d", i) })
	s.feed(t, 2, 200, func(i int) string { return fmt.Sprintf("poison %d", i) })
	for range 2 {
		got := run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitHardStop)
		want := "events/1, group ebb: 201 of the last 1000 records up to offset 500 cannot be used, this one because of " +
			"not_json"
		if !strings.Contains(got.stderr, want) || strings.Count(got.stderr, `"message":"partition stopped"`) != 1 ||
			!strings.Contains(got.stderr, "ebb run --accept-poison") {
			t.Fatalf("stderr:\n%s", got.stderr)
		}
		out := run(t, s.environ, nil, "dlq", "list").want(t, exitOK).stdout
		if !strings.Contains(out, "400 records in events.dlq") {
			t.Fatalf("the DLQ after the stop:\n%s", out)
		}
	}
	warning := "warning  input: partition 1: 200 of the last 1,000 records before offset 500 cannot be used; the next " +
		"such record stops it (input.poison_breaker 0.2)"
	if out := run(t, s.environ, nil, "check").stdout; !strings.Contains(out, warning) {
		t.Errorf("check:\n%s", out)
	}
	var sum processor.Summary
	out := run(t, s.environ, nil, "run", "--until-end", "--leave", "--accept-poison").want(t, exitOK).stdout
	if err := json.Unmarshal([]byte(out), &sum); err != nil || sum.Quarantined != 300 {
		t.Errorf("accepted: %s, %v", out, err)
	}
	out = run(t, s.environ, nil, "dlq", "replay", "--partition", "2").want(t, exitOK).stdout
	if out != "200 records replayed to events\n" {
		t.Error(out)
	}
	s.feed(t, 2, 1000, visit("visit")) // after 400 more
	got := run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitHardStop)
	if !strings.Contains(got.stderr, "events/2, group ebb: 201 of the last 1000 records up to offset 500 cannot be used") {
		t.Errorf("what is replayed and still poison does not trip the breaker:\n%s", got.stderr)
	}
}

// TestRunNamesUnknownTypes: log and summary name unknown types, the most frequent first.
func TestRunNamesUnknownTypes(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=retail")
	for i, kind := range []string{"Order Completed", "Cart Polished", "Sock Knitted"} {
		for n := range int32(2) {
			s.feed(t, n, 5*(i+1), visit(kind))
		}
	}
	got := run(t, s.environ, nil, "run", "--until-end").want(t, exitOK)
	var sum processor.Summary
	if err := json.Unmarshal([]byte(got.stdout), &sum); err != nil {
		t.Fatal(err)
	}
	want := []line.TypeCount{{Type: "Sock Knitted", Events: 30}, {Type: "Cart Polished", Events: 20}}
	if diff := cmp.Diff(want, sum.Types); diff != "" || sum.Unnamed != 50 {
		t.Errorf("%d unnamed: %s", sum.Unnamed, diff)
	}
	if want := `"types":[{"type":"Sock Knitted","events":30},{"type":"Cart Polished","events":20}],"time":`; strings.Count(
		got.stderr,
		want,
	) != 1 ||
		!strings.Contains(got.stderr, "events of types that the pack does not name") {
		t.Errorf("stderr:\n%s", got.stderr)
	}
}

// TestRunTellsOfSubjects: where a CloudEvent's subject is taken for the customer, log and summary say so.
func TestRunTellsOfSubjects(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=any")
	cloud := func(data string) func(int) string {
		return func(i int) string {
			return fmt.Sprintf(
				`{"specversion":"1.0","id":"%d","source":%q,"type":"visit","subject":"order-%d",%s}`,
				i,
				data,
				i,
				data,
			)
		}
	}
	s.feed(t, 0, 5, cloud(`"data":[{"customer":"c-7"}]`))
	s.feed(t, 0, 3, cloud(`"data":"eyJjdXN0b21lciI6ImMtNyJ9"`))
	s.feed(t, 0, 2, cloud(`"data":{"customer":"c-7"}`))
	got := run(t, s.environ, nil, "run", "--until-end").want(t, exitOK)
	if !strings.Contains(got.stdout, `"by_subject":8,`) {
		t.Errorf("summary: %s", got.stdout)
	}
	if !strings.Contains(got.stderr, `"events":8,`) ||
		strings.Count(got.stderr, "the customer of CloudEvents is their subject") != 1 {
		t.Errorf("log:\n%s", got.stderr)
	}
}
