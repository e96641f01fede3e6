package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/cmd/ebb/packs"
)

// TestSampleMeetsConditions: the sample of packs validate holds events that satisfy the pack's own conditions.
func TestSampleMeetsConditions(t *testing.T) {
	const pack = `name: p
version: 1
horizon: 30d
activity: [buy]
signals:
  left: {types: [form], where: [{property: answer, equals: leave}, {property: sure, equals: true}, {property: score, at_least: 977}]}
  stayed: {types: [form], where: [{property: sure, equals: false}]}
kinds:
  explicit:
    opens: [{signal: left, floor: 80, code: cancellation_requested}]
    closes: [stayed]
`
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte(pack), 0o600); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Doubtful []string
		Sample   packs.Trial
	}
	err := json.NewDecoder(strings.NewReader(run(t, nil, nil, "packs", "validate", "--json", path).want(
		t,
		exitOK,
	).stdout)).
		Decode(&got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Sample.Raised["explicit"] < 100 || len(got.Doubtful) > 0 {
		t.Errorf("%+v", got)
	}
}
