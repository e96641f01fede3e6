package delivery

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
)

// TestMatch: which alerts go to whom.
func TestMatch(t *testing.T) {
	const whole = `{"id":"3","transition":"erased","tenant":"de"}`
	const raised = `{"id":"1","kind":"lapse","transition":"raised","tier":"critical","tenant":"de",` +
		`"expires_at":"2199-01-01T00:00:00Z","playbook":{"id":"call"},"pack":{"name":"retail"}}`
	const recovered = `{"id":"2","kind":"lapse","transition":"recovered","tier":"healthy","tenant":"de",` +
		`"pack":{"name":"retail"}}`
	only := func(values ...string) []string { return values }
	for name, c := range map[string]struct {
		match            Match
		raise, recovered bool
	}{
		"all":                {Match{}, true, true},
		"its kind":           {Match{Kind: only("explicit", "lapse")}, true, true},
		"another kind":       {Match{Kind: only("explicit")}, false, false},
		"its tier":           {Match{Tier: only("critical")}, true, true},
		"another tier":       {Match{Tier: only("watch", "healthy")}, false, true},
		"its playbook":       {Match{Playbook: only("call")}, true, true},
		"another playbook":   {Match{Playbook: only("mail")}, false, true},
		"its transition":     {Match{Transition: only("raised")}, true, false},
		"its tenant":         {Match{Tenant: only("de")}, true, true},
		"another tenant":     {Match{Tenant: only("fr")}, false, false},
		"its pack":           {Match{Pack: only("retail")}, true, true},
		"another pack":       {Match{Pack: only("saas")}, false, false},
		"its tier elsewhere": {Match{Tier: only("critical"), Tenant: only("fr")}, false, false},
	} {
		here := len(c.match.Tenant) == 0 || slices.Contains(c.match.Tenant, "de")
		for body, want := range map[string]bool{raised: c.raise, recovered: c.recovered, whole: here} {
			a, ok := read(&pipeline.Record{Value: []byte(body)})
			if !ok || c.match.takes(&a) != want {
				t.Errorf("%s: %v, want %v, of %s", name, !want, want, body)
			}
		}
	}
}

// TestMatchKeepsEpisodesWhole: whatever is matched but transitions, a receiver that has got an alert of an episode gets
// the episode's end.
func TestMatchKeepsEpisodesWhole(t *testing.T) {
	text, err := os.ReadFile("../../docs/asyncapi.examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples struct {
		Alert struct {
			Examples []struct{ Payload json.RawMessage }
		}
	}
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		some := func(values ...string) []string {
			return rapid.SliceOfDistinct(rapid.SampledFrom(values), rapid.ID).Draw(r, strings.Join(values, "|"))
		}
		m := Match{
			Kind: some("lapse", "explicit"), Tier: some("watch", "at_risk", "critical"), Tenant: some("shop-de", "shop-fr"),
			Playbook: some("content_only", "content_then_offer"), Pack: some("retail", "saas"),
		}
		var got []bool
		for _, e := range examples.Alert.Examples {
			a, ok := read(&pipeline.Record{Value: e.Payload})
			if !ok {
				r.Fatalf("no alert: %s", e.Payload)
			}
			got = append(got, m.takes(&a))
		}
		if last := len(got) - 1; last < 2 || slices.Contains(got[:last], true) && !got[last] {
			r.Errorf("%+v takes %v", m, got)
		}
	})
}
