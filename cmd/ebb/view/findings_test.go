package view

import (
	"strings"
	"testing"

	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/scoringtest/golden"
)

// TestFindingsTable checks the output on a terminal of 80 columns.
func TestFindingsTable(t *testing.T) {
	findings := []check.Finding{
		{Check: "config", Status: check.OK, Found: "ebb.yaml, digest 0123456789abcdef", Do: ""},
		{
			Check:  "input topic",
			Status: check.Warning,
			Found: "events, 4 partitions, 1 replica; records older than 7d are deleted by the event time they carry: fine " +
				"for live events, a replayed log of the past would be gone within minutes",
			Do: "for replayed logs and rebuilds:\nkafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter " +
				"--entity-type topics --entity-name events --add-config retention.ms=-1",
		},
		{Check: "alert topic", Status: check.Problem, Found: "there is no topic ebb.alerts", Do: "ebb check --create"},
		{Check: "dlq topic", Status: check.Problem, Found: "there is no topic events.dlq", Do: "ebb check --create"},
	}
	table := tableOfFindings(terminal.Screen{Terminal: true, Width: 80}, findings)
	for line := range strings.Lines(table) {
		if n := columns(strings.TrimRight(line, "\n")); n > 80 && !strings.Contains(line, "kafka-configs.sh") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	golden.File(t, "check_table.golden", table)
}
