package contracts_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// shown is a block of a document that shows a file.
var shown = regexp.MustCompile("(?s)(<!-- file: ([\\w./]+) -->\n```\\w+\n).*?(```\n)")

// TestDocumentsShowTheirFiles: what documents show of programs is the programs that tests run. -update shows them anew.
func TestDocumentsShowTheirFiles(t *testing.T) {
	files := 0
	for _, path := range scoringtest.Must(filepath.Glob(filepath.Join(docs, "*.md"))) {
		text := scoringtest.Must(os.ReadFile(path))
		golden.Path(t, path, string(shown.ReplaceAllFunc(text, func(block []byte) []byte {
			files++
			m := shown.FindSubmatch(block)
			file := scoringtest.Must(os.ReadFile(filepath.Join(docs, string(m[2]))))
			return slices.Concat(m[1], file, m[3])
		})))
	}
	if files < 3 {
		t.Errorf("found only %d files that are shown", files)
	}
}
