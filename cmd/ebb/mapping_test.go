package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMappingFromLogToState sends and processes a log of a shop's own JSON with flat JSON among it: one mapping in the
// configuration keys the records and reads them.
func TestMappingFromLogToState(t *testing.T) {
	s := startServices(
		t,
		"events",
		"ebb.alerts",
		"events.dlq",
		"ebb.control",
		"other.control",
		"ebb.packs",
		"ebb.decisions",
		"other.decisions",
	)
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	config := filepath.Join(t.TempDir(), "ebb.yaml")
	if err := os.WriteFile(config, []byte(sampleMapping), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(strings.Split(mappedLines, "\n")[:3], "\n") + "\n"
	log := writeLog(t, "own.ndjson", lines)
	run(t, s.environ, nil, "produce", "-c", config, log).want(t, exitOK)
	var keys []string
	for _, r := range s.readAll(t, 3) {
		keys = append(keys, string(r.Key))
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"8f1c2a30", "c-42", "c-42"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	o := run(t, append(s.environ, "EBB_PACK=any"), nil, "check", "-c", config)
	if !strings.Contains(o.stdout, "2 customers, each in one partition, among the newest 3 events") {
		t.Errorf("check does not read by the mapping:\n%s", o.stdout)
	}
	o = run(
		t,
		append(s.environ, "EBB_PACK=any", "EBB_HTTP_LISTEN="),
		nil,
		"run",
		"-c",
		config,
		"--until-end",
	).want(t, exitOK)
	var summary struct{ Events, Quarantined int }
	if err := json.Unmarshal([]byte(o.stdout), &summary); err != nil || summary.Events != 3 || summary.Quarantined != 0 {
		t.Errorf("%v, summary %s", err, o.stdout)
	}
	o = run(
		t,
		append(s.environ, "EBB_PACK=any", "EBB_HTTP_LISTEN=", "EBB_KAFKA_GROUP=other"),
		nil,
		"run",
		"--until-end",
	).want(t, exitOK)
	if err := json.Unmarshal([]byte(o.stdout), &summary); err != nil || summary.Events != 3 || summary.Quarantined != 2 {
		t.Errorf("without the mapping: %v, summary %s", err, o.stdout)
	}
}
