package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/scoring/scoringtest/golden"
)

// TestInspect shows inspect's output for customers: testdata/inspect.golden is made to be read.
func TestInspect(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	declared, err := os.ReadFile(filepath.Join("testdata", "explain.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pack := filepath.Join(t.TempDir(), "mine.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(pack, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(declared))
	log, err := os.ReadFile(filepath.Join("testdata", "explain_events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	s.feed(t, 2, len(lines), func(i int) string { return lines[i] })
	run(t, s.environ, nil, "run", "--until-end", "--pack", pack).want(t, exitOK)

	write("name: [broken") // the pack in the state is used
	var shown strings.Builder
	for _, c := range []struct {
		customer string
		code     int
	}{{"ann", exitOK}, {"bob", exitOK}, {"cat", exitOK}, {"eve", exitFailed}} {
		o := run(t, s.environ, nil, "inspect", c.customer, "--pack", pack).want(t, c.code)
		fmt.Fprintf(&shown, "$ ebb inspect %s\n%s%s\n", c.customer, o.stdout, o.stderr)
	}
	golden.File(t, "inspect.golden", shown.String())

	// The active pack can be printed, and is the same pack: explain checks by it.
	var kept struct{ Pack struct{ Hash string } }
	err = json.Unmarshal([]byte(run(t, s.environ, nil, "inspect", "--json", "cat").want(t, exitOK).stdout), &kept)
	if err != nil {
		t.Fatal(err)
	}
	write(run(t, s.environ, nil, "packs", "show", kept.Pack.Hash[:8]).want(t, exitOK).stdout)
	valid := run(t, s.environ, nil, "packs", "validate", "--json", pack).want(t, exitOK)
	if !strings.Contains(valid.stdout, kept.Pack.Hash) {
		t.Errorf("what is kept as %s is another pack: %s", kept.Pack.Hash, valid.stdout)
	}
	alert := run(t, s.environ, nil, "alerts", "--from-start", "--until-end", "--json").want(t, exitOK).stdout
	o := run(
		t,
		append([]string{"EBB_PACK_HORIZON=45d"}, s.environ...),
		strings.NewReader(alert),
		"explain",
		"--pack",
		pack,
	).want(t, exitOK)
	if n := strings.Count(o.stdout, "checked against its pack, explained"); n == 0 || n != strings.Count(alert, "\n") {
		t.Errorf("%d alerts are checked by what was kept:\n%s", n, o.stdout)
	}
	o = run(t, s.environ, nil, "packs", "show", "0123456789").want(t, exitFailed)
	if !strings.Contains(o.stderr, "has run no pack 0123456789") {
		t.Errorf("%s", o.stderr)
	}

	var got struct {
		Tier       string
		RiskScore  float64 `json:"risk_score"`
		Floor      struct{ Code string }
		FactorsCap float64 `json:"factors_cap"`
		Episodes   []struct {
			Kind  string
			Floor float64
		} `json:"open_episodes"`
		Value struct {
			Amount int64
			AtRisk int64 `json:"at_risk"`
		}
		Terms []struct{ Inputs map[string]float64 }
	}
	err = json.Unmarshal([]byte(run(t, s.environ, nil, "inspect", "--json", "cat").want(t, exitOK).stdout), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Tier != "critical" || got.RiskScore < 85 || got.Floor.Code != "cancellation_requested" ||
		got.FactorsCap != 0.6 ||
		len(got.Episodes) != 1 ||
		got.Episodes[0].Floor != 85 ||
		got.Value.Amount != 48_000 ||
		got.Value.AtRisk == 0 ||
		len(got.Terms) != 6 ||
		len(got.Terms[3].Inputs) != 3 {
		t.Errorf("%+v", got)
	}
}
