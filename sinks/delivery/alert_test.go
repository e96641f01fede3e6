package delivery

import (
	"os"
	"strings"
	"testing"
	"time"

	"ebb/pipeline"
)

// TestReadAlert: what identifies an alert and until when it counts; all else is no alert.
func TestReadAlert(t *testing.T) {
	at := time.Date(2026, 5, 1, 2, 3, 4, 500e6, time.UTC)
	for value, want := range map[string]Alert{
		`{"id":"a1"}`: {ID: "a1"},
		`{"id":"a1","expires_at":"2026-05-01T02:03:04.500Z"}`: {ID: "a1", Expires: at},
		`{"id":"a1","expires_at":"soon"}`:                     {},
		`{"id":""}`:                                           {},
		`{"id":"a.1"}`:                                        {},
		`{"id":"a\n1"}`:                                       {},
		`{"id":"ä"}`:                                          {},
		`{"id":"` + strings.Repeat("a", 257) + `"}`:           {},
		`{"id":7}`:                                            {},
		`[]`:                                                  {},
		``:                                                    {},
	} {
		a, ok := read(&pipeline.Record{Value: []byte(value)})
		if ok != (want.ID != "") || a.ID != want.ID || !a.Expires.Equal(want.Expires) || ok && string(a.Body) != value {
			t.Errorf("%s: %+v, %v", value, a, ok)
		}
	}
}

// FuzzReadAlert: whatever somebody writes to the topic, it is an alert with a usable id, or none.
func FuzzReadAlert(f *testing.F) {
	published, err := os.ReadFile("../../scoring/alert/testdata/alerts.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(published)) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		a, ok := read(&pipeline.Record{Value: value})
		if ok && (a.ID == "" || len(a.ID) > longestID || strings.ContainsAny(a.ID, " .\r\n")) {
			t.Errorf("id %q", a.ID)
		}
	})
}
