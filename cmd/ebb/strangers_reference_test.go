//go:build reference

package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/cmd/ebb/check"
)

// caseFile is one of the inputs on which others' events once broke ebb.
func caseFile(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(sharedFolder(t), "cases", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCases reads each of them as it should be.
func TestCases(t *testing.T) {
	utc := filepath.Join(t.TempDir(), "utc.yaml")
	text, err := os.ReadFile(caseFile(t, "amplitude.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	zoned := strings.Replace(string(text), "time: [/event_time]", "time: {path: [/event_time], zone: UTC}", 1)
	if err := os.WriteFile(utc, []byte(zoned), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]check.Record{
		"segment.ndjson": {
			{Customer: "s1", Overlooked: `/properties/value ("red")`},
			{Customer: "s5", Overlooked: `/properties/value ({"from":"720p","to":"1080p"})`},
			{Customer: "s6", Overlooked: `/properties/total ("25 results")`},
			{Customer: "9007199254740993", Value: "0.00"},
			{Customer: "s12", Time: "2026-03-01T09:30:00.000Z"},
		},
		"cloudevents.ndjson": {
			{Customer: "c-42", Value: "12.90"},
			{Customer: "c-42", Value: "12.90"},
			{Customer: "c13", Overlooked: `/data/value ("dark-mode")`},
		},
		"amplitude.ndjson": {
			{Customer: "u-1", Value: "12.90", Time: "2022-05-16T19:13:09.369Z"},
			{Customer: "d-2", Time: "2022-05-16T19:13:09.369Z"},
		},
	} {
		o := run(t, nil, nil, "check", "-c", utc, "--json", "--sample", caseFile(t, name)).want(t, exitOK)
		d := json.NewDecoder(strings.NewReader(o.stdout))
		for i := range want {
			var got check.Record
			if err := d.Decode(&got); err != nil {
				t.Fatal(err)
			}
			w := &want[i]
			if got.Customer != w.Customer || got.Value != w.Value || got.Overlooked != w.Overlooked ||
				w.Time != "" && got.Time != w.Time {
				t.Errorf("%s:%d: %+v, want %+v", name, i+1, got, *w)
			}
		}
	}
}

// TestCasesOfLogs sends and measures the logs among them.
func TestCasesOfLogs(t *testing.T) {
	s := startServices(t, "events")
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	send := func(name string, want int64) {
		t.Helper()
		before := s.end(t)
		run(t, s.environ, nil, "produce", "--skip-bad", caseFile(t, name)).want(t, exitOK)
		if sent := s.end(t) - before; sent != want {
			t.Errorf("%s: %d records, want %d", name, sent, want)
		}
	}
	send("w1/report.csv", 3)
	send("w2/report.csv", 3)
	send("csv_space_mixed.csv", 4)
	send("nullid.ndjson", 5)
	send("nullid.ndjson", 5)
	send("seg_bad_for_produce.ndjson", 1)
	ids, keys := map[string]int{}, map[string]int{}
	for _, r := range s.readAll(t, 21) {
		var e struct{ ID, MessageID string }
		if err := json.Unmarshal(r.Value, &e); err != nil {
			t.Fatal(err)
		}
		ids[cmp.Or(e.ID, e.MessageID)]++
		keys[string(r.Key)]++
	}
	if len(ids) != 3+3+4+5+1 || keys["c9"] != 4 || keys["q1"] != 2 {
		t.Errorf("%d ids, records by customer %v", len(ids), keys)
	}
	got := run(t, s.environ, nil, "produce", caseFile(t, "seg_bad_for_produce.ndjson")).want(t, exitFailed)
	if !strings.Contains(got.stderr, "seg_bad_for_produce.ndjson:2: the value is no decimal number") {
		t.Error(got.stderr)
	}
	for _, name := range []string{"newest_first.csv", "by_customer.csv"} {
		got := run(t, nil, nil, "backtest", "--events", caseFile(t, name), "--activity", "purchase").want(t, exitFailed)
		if !strings.Contains(got.stderr, "is not in order of time") ||
			!strings.Contains(got.stderr, "sort -s -t ',' -k 2,2n") {
			t.Error(got.stderr)
		}
	}
	got = run(
		t,
		nil,
		nil,
		"check",
		"-c",
		caseFile(t, "config_bom.yaml"),
		"--sample",
		caseFile(t, "nullid.ndjson"),
	).want(t, exitOK)
	if got.stderr != "" {
		t.Error(got.stderr)
	}
}
