package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ebb/scoring/scoringtest/golden"
)

// TestExplain shows explain's output for published alerts: testdata/explain.golden is made to be read.
func TestExplain(t *testing.T) {
	published, err := os.ReadFile(filepath.Join("..", "..", "scoring", "alert", "testdata", "alerts.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Replace(published, []byte(`"level":3.5681985977179873`), []byte(`"level":4`), 1)
	if bytes.Equal(altered, published) {
		t.Fatal("the alerts hold no such level")
	}
	pack := []string{"--pack", filepath.Join("testdata", "explain.yaml")}
	declared := alertsOf(t, append(pack, "--events", filepath.Join("testdata", "explain_events.ndjson"))...)
	var shown strings.Builder
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
	}{
		{"alerts as published", string(published), nil, exitOK},
		{"one for a machine", firstLine(published), []string{"--json", "-"}, exitOK},
		{"by its pack", declared, pack, exitOK},
		{"without its pack", firstLine([]byte(declared)), nil, exitFailed},
		{"an input that was changed", string(altered), nil, exitFailed},
		{
			"a tier that was changed",
			strings.Replace(declared, `"tier":"critical","previous_tier"`, `"tier":"watch","previous_tier"`, 1),
			pack,
			exitFailed,
		},
		{"no alert, and the rest", "[]\n{}\nwhat\n" + firstLine(published), nil, exitFailed},
		{"nothing", "", nil, exitOK},
	} {
		o := run(t, nil, strings.NewReader(c.in), append([]string{"explain"}, c.args...)...).want(t, c.code)
		fmt.Fprintf(&shown, "## %s\n$ ebb explain %s\n%s%s\n", c.name, strings.Join(c.args, " "), o.stdout, o.stderr)
	}
	golden.File(t, "explain.golden", shown.String())
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line) + "\n"
}

// alertsOf are the alerts of a run of ebb demo, a line each, in the order of their ids.
func alertsOf(t *testing.T, args ...string) string {
	t.Helper()
	raised := run(t, nil, nil, append([]string{"demo", "--for", "0", "--json"}, args...)...).want(t, exitOK).stdout
	var alerts []string
	for line := range strings.Lines(raised) {
		if strings.Contains(line, `"episode_id":`) {
			alerts = append(alerts, line)
		}
	}
	slices.Sort(alerts)
	return strings.Join(alerts, "")
}

// TestExplainWhatTheDemoRaises checks every alert of a run of the line, to the last digit.
func TestExplainWhatTheDemoRaises(t *testing.T) {
	alerts := alertsOf(t, "--seed", "3")
	n := strings.Count(alerts, "\n")
	if n < 1000 {
		t.Fatalf("%d alerts", n)
	}
	out := run(t, nil, strings.NewReader(alerts), "explain").want(t, exitOK).stdout
	if want := fmt.Sprintf("\n%d alerts recomputed, every digit as they say\n", n); !strings.HasSuffix(out, want) {
		t.Errorf("it ends with %q", out[max(0, len(out)-200):])
	}
}

// TestExplainSaysWhyInPlainWords: a line that is JSON and no alert is named with what is wrong in it.
func TestExplainSaysWhyInPlainWords(t *testing.T) {
	lines := `{"customer":"c-7","type":"Seen","time":1772357400}
{"time":"soon"}
{"began_at":{}}
{"cause":{"time":7}}
words
`
	const no = ": no alert that can be recomputed: "
	const form = ` is no time such as "2026-03-01T09:30:00Z": `
	want := "stdin:1" + no + "/time" + form + "1772357400\nstdin:2" + no + "/time" + form + "\"soon\"\n" +
		"stdin:3" + no + "/began_at" + form + "{}\nstdin:4" + no + "/cause/time" + form + "7\nstdin:5" + no + "it is no JSON\n"
	got := run(t, nil, strings.NewReader(lines), "explain").want(t, exitFailed).stderr
	if !strings.HasPrefix(got, want) {
		t.Errorf("stderr:\n%s\nwant\n%s", got, want)
	}
}
