package alert_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/scoringtest"
)

// TestFacts: an alert has the customer's facts where there are any, it is explained with them, and altered ones are found
// where no event can have left them.
func TestFacts(t *testing.T) {
	lines := append(
		scoringtest.Lapsing(),
		"carry:",
		"  item: {of: buy, property: name}",
		"  a_ticket: {of: ticket, property: id}",
	)
	k := scoringtest.PackOf(t, "1", lines...)
	buy := func(day int64, item string) scoringtest.Happening {
		return scoringtest.Happening{At: day * scoringtest.Day, Type: "buy", Texts: map[string]string{"item": item}}
	}
	renderer, described := alert.NewRenderer(k), schema(t)
	render := func(events ...scoringtest.Happening) []byte {
		all := scoringtest.Decided(k, events, 400)
		i := 0
		for all[i].Transition != scoring.Raised {
			i++
		}
		a := alert.Alert{Decision: all[i], Customer: []byte("c"), Cause: alert.Cause{Deadline: true, Time: all[i].At}}
		b := renderer.AppendAlert(nil, &a, a.ID())
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := described.Validate(v); err != nil {
			t.Errorf("%v: %s", err, b)
		}
		x, err := renderer.Explain(b)
		if err != nil || len(x.Differences) > 0 {
			t.Fatalf("%+v, %v: %s", x, err, b)
		}
		return b
	}
	if b := render(buy(0, ""), buy(3, "bob@x.de")); strings.Contains(string(b), "facts") {
		t.Errorf("facts where there are none: %s", b)
	}
	ticket := scoringtest.Happening{At: 5 * scoringtest.Day, Type: "solved", Texts: map[string]string{"a_ticket": "T-1"}}
	b := render(buy(0, "a lamp"), buy(3, `a "table" \ of oak, für 8`), ticket)
	var said struct{ Facts map[string]string }
	if err := json.Unmarshal(b, &said); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"item": `a "table" \ of oak, für 8`}, said.Facts); diff != "" {
		t.Error(diff)
	}
	for name, change := range map[string]func(facts map[string]any){
		"too long":       func(f map[string]any) { f["item"] = strings.Repeat("x", 65) },
		"an address":     func(f map[string]any) { f["item"] = "bob@x.de" },
		"of no fact":     func(f map[string]any) { f["other"] = "x" },
		"empty":          func(f map[string]any) { f["item"] = "" },
		"with an escape": func(f map[string]any) { f["item"] = "a\nb" },
	} {
		c := altered(t, b, func(a map[string]any) { change(a["facts"].(map[string]any)) })
		if x, err := renderer.Explain(
			c,
		); err != nil || len(x.Differences) != 1 ||
			!strings.HasPrefix(x.Differences[0].Field, "/facts") {
			t.Errorf("%s: %+v, %v", name, x, err)
		}
	}
}
