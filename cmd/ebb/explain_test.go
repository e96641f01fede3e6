package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ebb/scoring"
)

// TestExplain shows what explain says of published alerts: testdata/explain.golden is made to be read.
func TestExplain(t *testing.T) {
	published, err := os.ReadFile(filepath.Join("..", "..", "scoring", "testdata", "alerts.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Replace(published, []byte(`"level":3.5681985977179873`), []byte(`"level":4`), 1)
	if bytes.Equal(altered, published) {
		t.Fatal("the alerts hold no such level")
	}
	var shown strings.Builder
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
	}{
		{"alerts as published", string(published), nil, exitOK},
		{"one for a machine", firstLine(published), []string{"--json", "-"}, exitOK},
		{"an input that was changed", string(altered), nil, exitFailed},
		{"no alert", string(published) + "{}\n", []string{"--json"}, exitFailed},
		{"nothing", "", nil, exitOK},
	} {
		o := run(t, nil, strings.NewReader(c.in), append([]string{"explain"}, c.args...)...).want(t, c.code)
		fmt.Fprintf(&shown, "## %s\n$ ebb explain %s\n%s%s\n", c.name, strings.Join(c.args, " "), o.stdout, o.stderr)
	}
	golden(t, "explain.golden", shown.String())
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line) + "\n"
}

// TestExplainWhatTheDemoRaises proves every alert of a run of the line.
func TestExplainWhatTheDemoRaises(t *testing.T) {
	raised := run(t, nil, nil, "demo", "--for", "0", "--json", "--seed", "3").want(t, exitOK).stdout
	var alerts strings.Builder
	n := 0
	for line := range strings.Lines(raised) {
		var a struct {
			Terms []scoring.ExplainedTerm `json:"terms"`
		}
		if json.Unmarshal([]byte(line), &a) == nil && len(a.Terms) > 0 {
			alerts.WriteString(line)
			n++
		}
	}
	if n < 1000 {
		t.Fatalf("%d alerts", n)
	}
	out := run(t, nil, strings.NewReader(alerts.String()), "explain").want(t, exitOK).stdout
	if want := fmt.Sprintf("\n%d alerts recomputed, every bit as they say\n", n); !strings.HasSuffix(out, want) {
		t.Errorf("it ends with %q", out[max(0, len(out)-200):])
	}
}
