package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/scoring/scoringtest/golden"
)

// sampleLines is a record of each envelope, and one for each thing that can be wrong with a record in a file.
const sampleLines = `{"id":"o-1001","customer":"c-42","type":"Order Completed","time":"2026-03-01T09:30:00Z","value":"12.90","currency":"EUR","tenant":"shop-de"}
{"type":"track","event":"Order Completed","userId":"c-42","messageId":"m-1001","properties":{"revenue":1200.4,"currency":"jpy"},"context":{"groupId":"acme"},"timestamp":"2026-03-01T09:30:00.000Z"}
{"type":"identify","anonymousId":"8f1c2a30","timestamp":"2026-03-01T09:30:00.000Z"}

{"specversion":"1.0","id":"o-1001","source":"/shop","type":"Order Completed","subject":"c-42","data":{"value":-0.5}}
{"customer":"c\u001b[31m","type":" x","time":1772357400}
{"customer":"c-42","type":"Order Completed","time":"2026-03-01T09:30:00Z",}
[1,2]
{"event":"Order Completed","at":1772357400,"user":{"id":"c-42"}}
{"customer":"c-42","type":"Order Completed","time":"01.03.2026"}
{"type":"track","event":"Order Completed","userId":"c-42","properties":{"total":"12,90"},"timestamp":"2026-03-01T09:30:00.000Z"}
{"specversion":"1.0","id":"1","source":"/shop","type":"Order Completed"}
{"customer":"c-42","type":"Order Completed","time":"2026-03-01T09:30:00Z","currency":"Euro"}
{"customer":"c-42","type":"Order Completed"}
`

const sampleMapping = `input:
  max_record_bytes: 1KiB
  mapping:
    customer: [/user/id, /visitor]
    type: {path: /event, default: Visit}
    time: {path: /at, as: seconds, default: record}
    value: {path: /items/0/price}
    currency: {path: /currency, default: EUR}
    id: /uuid
`

const mappedLines = `{"uuid":7,"event":"Order Completed","at":1772357400,"user":{"id":"c-42"},"items":[{"price":12.9},{"price":1}]}
{"visitor":"8f1c2a30"}
{"customer":"c-42","type":"Order Completed","time":"2026-03-01T09:30:00Z"}
{"event":"Order Completed","at":1772357400,"user":{"id":null}}
{"event":{"name":"Order Completed"},"user":{"id":"c-42"}}
{"user":{"id":"c-42"},"at":"2026-03-01T09:30:00Z"}
{"event":"Order Completed","user":{"id":"c-42"},"items":[{"price":"free"}]}
{"event":"Order Completed","user":{"id":"c-42"},"currency":"€"}
{"user":{"id":"c-42"},"uuid":[]}
`

// TestCheckSample shows the outcome of each record: testdata/check_sample.golden is made to be read.
func TestCheckSample(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir) // so that the files' names are short
	large := `{"visitor":"` + strings.Repeat("x", 1100) + "\"}\n"
	deep := strings.Repeat(`{"a":`, 70) + "\n"
	for name, text := range map[string][]byte{
		"sample.ndjson": []byte(sampleLines), "own.ndjson": []byte(mappedLines + large + deep + "\x00\x00\x00\x00\x01avro\n"),
		"own.ndjson.gz": gzipped(t, mappedLines[:strings.Index(mappedLines, "\n")]), "mapping.yaml": []byte(sampleMapping),
		"all.yaml": []byte(strings.Replace(
			sampleMapping,
			"customer: [",
			"records: all\n    customer: [/userId, ",
			1,
		)), "empty.ndjson": []byte("\n"), "shop.csv": []byte(eventlog.CSVHeader + "\n7,1300000000,purchase,1\n"),
		"wrong.yaml": []byte("input:\n  mapping:\n    customer: user.id\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	for _, c := range []struct {
		args string
		code int
	}{
		{"--sample sample.ndjson", exitFailed},
		{"-c mapping.yaml --sample own.ndjson", exitFailed},
		{"-c mapping.yaml --sample own.ndjson.gz", exitOK},
		{"-c all.yaml --sample sample.ndjson", exitFailed},
		{"-c mapping.yaml --json --sample own.ndjson", exitFailed},
		{"--sample empty.ndjson", exitOK},
		{"--sample shop.csv", exitFailed},
		{"--sample none.ndjson", exitFailed},
		{"-c wrong.yaml --sample own.ndjson", exitUsage},
		{"--create --sample own.ndjson", exitUsage},
	} {
		o := run(t, nil, nil, append([]string{"check"}, strings.Fields(c.args)...)...).want(t, c.code)
		fmt.Fprintf(&got, "## ebb check %s\n%s%s\n", c.args, o.stdout, o.stderr)
	}
	t.Chdir(here)
	golden.File(t, "check_sample.golden", got.String())
}

func TestCheckSampleFromStandardInput(t *testing.T) {
	o := run(t, nil, strings.NewReader(sampleLines), "check", "--json", "--sample", "-").want(t, exitFailed)
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	var total check.Total
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil {
		t.Fatal(err)
	}
	want := check.Total{
		Records: 13, Anonymous: 1, Customers: 4, Eligible: 3,
		Quarantined: 8,
		Envelopes:   map[string]int64{"flat": 2, "segment": 2, "cloudevent": 1},
		Codes: map[string]int64{
			"not_json":            2,
			"customer_missing":    2,
			"time_unreadable":     1,
			"value_unreadable":    1,
			"currency_unreadable": 1,
			"time_missing":        1,
		},
	}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	if len(lines) != 14 {
		t.Errorf("%d lines of JSON for 13 records and the total", len(lines))
	}
}

// TestCheckSampleTerminal checks the output on a terminal of 80 columns.
func TestCheckSampleTerminal(t *testing.T) {
	var b bytes.Buffer
	screen := terminal.Screen{Writer: &b, Terminal: true, Width: 80}
	cfg := config.Default()
	pack, err := connect.LoadPack(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := check.NewSample(cfg, "sample.ndjson", pack)
	lines, err := eventlog.OpenLines("-", strings.NewReader(sampleLines))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(
		t.Context(),
		lines,
		func(r *check.Record) error { return view.SampleRecord(screen, s.Name, r) },
	); err != nil {
		t.Fatal(err)
	}
	view.SampleTotal(screen, s)
	for line := range strings.Lines(b.String()) {
		if n := displayWidth(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	golden.File(t, "check_sample_terminal.golden", b.String())
}

// TestMappingOfTheDocument tries docs/events.md's mapping on the record that the document shows for it.
func TestMappingOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```yaml\n(.*?)```\n\n```json\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("no mapping in docs/events.md")
	}
	file := filepath.Join(t.TempDir(), "ebb.yaml")
	if err := os.WriteFile(file, m[1], 0o600); err != nil {
		t.Fatal(err)
	}
	o := run(t, nil, bytes.NewReader(m[2]), "check", "-c", file, "--json", "--sample", "-").want(t, exitOK)
	var got check.Record
	if err := json.NewDecoder(strings.NewReader(o.stdout)).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := check.Record{
		Line:     1,
		Envelope: "mapping",
		ID:       "o-1001",
		Customer: "c-42",
		Type:     "Order Completed",
		Time:     "2026-03-01T09:30:00.000Z",
		Value:    "12.90",
		Currency: "EUR",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}
