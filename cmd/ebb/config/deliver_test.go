package config

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMatchListsWhatAlertsSay: what can be matched of closed lists is what the alert's schema lists.
func TestMatchListsWhatAlertsSay(t *testing.T) {
	text, err := os.ReadFile("../../../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type listed struct{ Enum []string }
	var schema struct {
		Properties struct{ Kind, Transition listed }
		Defs       struct{ Tier listed } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	tiers := slices.DeleteFunc(schema.Defs.Tier.Enum, func(tier string) bool { return tier == "" })
	for path, want := range map[string][]string{
		"deliver.match.kind":       schema.Properties.Kind.Enum,
		"deliver.match.transition": schema.Properties.Transition.Enum,
		"deliver.match.tier":       tiers,
	} {
		for _, s := range Default().settings() {
			if s.path != path {
				continue
			}
			if diff := cmp.Diff(want, s.value.(choicesValue).choices); diff != "" {
				t.Errorf("%s (-schema +setting):\n%s", path, diff)
			}
		}
	}
}
