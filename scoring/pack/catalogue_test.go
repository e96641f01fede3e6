package pack_test

import (
	"os"
	"strings"
	"testing"

	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// TestEmbeddedCatalogues: every language that is shipped can be chosen.
func TestEmbeddedCatalogues(t *testing.T) {
	for _, file := range scoringtest.Must(os.ReadDir("reasons")) {
		language := strings.TrimSuffix(file.Name(), ".yaml")
		k, err := pack.Load("p.yaml", func(string) ([]byte, error) {
			return []byte("name: p\nversion: 1\nhorizon: 30d\nactivity: [a]\nlanguage: " + language + "\n"), nil
		}, pack.Overrides{})
		if err != nil || k.Language != language {
			t.Errorf("%s: %v", language, err)
		}
	}
}
