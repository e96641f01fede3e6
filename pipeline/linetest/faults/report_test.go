package main

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentHasEveryFault: docs/faults.md holds a row of each fault and of no other, so that whoever adds one runs
// "task faults".
func TestDocumentHasEveryFault(t *testing.T) {
	document, err := os.ReadFile("../../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(document), begins)
	table, _, found2 := strings.Cut(rest, ends)
	if !found || !found2 {
		t.Fatal("docs/faults.md has no marks of the table")
	}
	all := faults()
	rows := strings.Split(strings.TrimSpace(table), "\n")
	rows = rows[min(2, len(rows)):] // below the heading
	if len(rows) != len(all) {
		t.Errorf("%d rows of %d faults", len(rows), len(all))
	}
	for i := range min(len(rows), len(all)) {
		if !strings.HasPrefix(rows[i], "| "+all[i].name+" | ") {
			t.Errorf("row %d is not of %q: %s", i+1, all[i].name, rows[i])
		}
	}
}

// TestCommandsInAdvice: a command is found in an advice as a person reads it, up to the end of the sentence.
func TestCommandsInAdvice(t *testing.T) {
	for advice, want := range map[string]string{
		"restore a backup, or run: ebb rebuild --from earliest":     "ebb rebuild --from earliest",
		"create what is missing: ebb check --create":                "ebb check --create",
		"stop that program, or give it a group; then start ebb":     "",
		"find it; ebb rebuild --from 2026-01-01T00:00:00Z, or wait": "ebb rebuild --from 2026-01-01T00:00:00Z",
	} {
		if got := typed.FindString(advice); got != want {
			t.Errorf("%q: %q, want %q", advice, got, want)
		}
	}
}

// TestSigns: a code counts where it is one, and a state where it is one.
func TestSigns(t *testing.T) {
	for text, found := range map[string]bool{
		`{"level":"error","code":"topic_changed","found":"x"}`: true,
		`{"reason":"topic_changed: events/0, group g: x; y"}`:  true,
		`{"found":"a topic_changed table"}`:                    false,
	} {
		if sign("topic_changed").in(text) != found {
			t.Errorf("%s: %v", text, !found)
		}
	}
	if !sign("state stalled").in(`{"partition":0,"state":"stalled"}`) || sign("state stalled").in(`"partition stalled"`) {
		t.Error("a state is read from /readyz")
	}
}
