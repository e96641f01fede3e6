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

// TestMarksTellReasonsApart: the mark by which states and ids remember an opening leads back to its code, whichever it
// is.
func TestMarksTellReasonsApart(t *testing.T) {
	k := scoringtest.Must(pack.Load("any", nil, pack.Overrides{}))
	for code := range pack.Reasons() {
		if mark := pack.MarkOf(code); mark == 0 || k.Catalogue.Marked(mark) != code {
			t.Errorf("the mark of %s is %d, that of %q", code, mark, k.Catalogue.Marked(mark))
		}
	}
}
