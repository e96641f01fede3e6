package main

import (
	"slices"
	"strings"
	"testing"
)

// TestRebuildKeepsStateWithoutControlRecords: a replay that would stop with control_lost is refused before the state is
// emptied, for the state goes on without them.
func TestRebuildKeepsStateWithoutControlRecords(t *testing.T) {
	s := startServices(
		t,
		"events",
		"ebb.alerts",
		"events.dlq",
		"ebb.control",
		"other.control",
		"ebb.packs",
		"ebb.decisions",
	)
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_KAFKA_CONTROL=ebb.control")
	s.feed(t, 0, 5, visit("Order Completed"))
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
	keys := len(s.redis.Keys())

	empty := append(slices.Clip(s.environ), "EBB_KAFKA_CONTROL=other.control")
	got := run(t, empty, nil, "rebuild", "--from", "earliest", "--yes").want(t, exitFailed)
	if !strings.Contains(got.stderr, "the control records in other.control lead to none") || len(s.redis.Keys()) != keys {
		t.Errorf("%d keys of %d are left; stderr:\n%s", len(s.redis.Keys()), keys, got.stderr)
	}
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)

	run(t, s.environ, nil, "rebuild", "--from", "earliest", "--yes").want(t, exitOK)
	run(t, s.environ, nil, "run", "--until-end", "--leave").want(t, exitOK)
}
