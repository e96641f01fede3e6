package spelling_test

import (
	"testing"

	"ebb/scoring/spelling"
)

func TestNearest(t *testing.T) {
	choices := []string{"", "horizon", "kinds", "Signals", "no", "off"}
	for word, want := range map[string]string{
		"horizont": "horizon", "HORIZON": "horizon", "kind": "kinds", "signal": "Signals", "horzon": "horizon",
		"": "", "shoe_size": "", "overdue": "", "on": "", "of": "off",
	} {
		if got := spelling.Nearest(word, choices); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
