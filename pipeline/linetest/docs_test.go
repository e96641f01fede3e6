package linetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
)

const top = "../.."

// The guarantee is stated once; README repeats it word for word.
func TestGuaranteeStandsInREADME(t *testing.T) {
	_, after, found := strings.Cut(text(t, "pipeline/doc.go"), "// # The guarantee\n")
	if !found {
		t.Fatal("pipeline/doc.go has no heading for the guarantee")
	}
	guarantee, _, _ := strings.Cut(after, "// # ")
	want := words(strings.ReplaceAll(guarantee, "//", ""))
	if len(want) < 100 {
		t.Fatalf("the guarantee in pipeline/doc.go is %q", want)
	}
	if !strings.Contains(words(text(t, "README.md")), want) {
		t.Errorf("README.md does not state the guarantee as pipeline/doc.go does:\n%s", want)
	}
}

// Each code of a hard stop has its heading in the runbook, and the runbook has no heading for a code that does not
// exist.
func TestRunbookHasEveryHardStop(t *testing.T) {
	codes := hardStops(t)
	if len(codes) < 10 {
		t.Fatalf("found only these codes in the code: %q", codes)
	}
	var headings []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z_]+)`$").FindAllStringSubmatch(text(t, "docs/runbook.md"), -1) {
		headings = append(headings, m[1])
	}
	if diff := cmp.Diff(codes, slices.Sorted(slices.Values(headings))); diff != "" {
		t.Errorf("headings of docs/runbook.md (-code +runbook):\n%s", diff)
	}
}

// Exactly the codes of unusable records are explained.
func TestEventsExplainEveryCode(t *testing.T) {
	var codes, explained []string
	for c := pipeline.Usable + 1; c.String() != "unknown"; c++ {
		codes = append(codes, c.String())
	}
	_, list, _ := strings.Cut(text(t, "docs/events.md"), "| code | the record |\n")
	for line := range strings.Lines(list) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(first, -1) {
			explained = append(explained, m[1])
		}
	}
	slices.Sort(codes)
	slices.Sort(explained)
	if diff := cmp.Diff(codes, explained); diff != "" {
		t.Errorf("codes in docs/events.md (-code +document):\n%s", diff)
	}
}

// hardStops finds the codes in the program's source: the Code field of a HardStop, set or assigned, and the first
// argument of a method stop.
func hardStops(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[code] = true
		}
	}
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if name(n.Type) == "HardStop" {
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && name(kv.Key) == "Code" {
						add(kv.Value)
					}
				}
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if name(l) == "Code" && len(n.Rhs) == len(n.Lhs) {
					add(n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			if strings.EqualFold(name(n.Fun), "stop") && len(n.Args) == 3 {
				add(n.Args[0])
			}
		}
		return true
	}
	for _, file := range files(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, visit)
	}
	var codes []string
	for c := range found {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}

// name is the last part of an expression such as pipeline.HardStop or hard.Code.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// Links between the documents lead to files that exist.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	checked := 0
	for _, file := range files(t, ".md") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			checked++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no links found")
	}
}

func files(t *testing.T, suffix string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && len(d.Name()) > 2 && d.Name()[0] == '.':
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, suffix):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// words is s with uniform white space, quote marks and comment marks.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n>", r) }), " ")
}

// TestFilesThatDocumentsName: every file of the repository that a page for the first hour names exists. NAME stands for
// any name.
func TestFilesThatDocumentsName(t *testing.T) {
	file := regexp.MustCompile("`((?:scoring|pipeline|sinks|cmd|docs|deployments)/[\\w./-]+)`")
	for _, page := range []string{
		"ARCHITECTURE.md",
		"CONTRIBUTING.md",
		"README.md",
		"docs/exactly-once.md",
		"docs/packs.md",
	} {
		for _, m := range file.FindAllStringSubmatch(text(t, page), -1) {
			if _, err := os.Stat(filepath.Join(top, m[1])); err != nil && !strings.Contains(m[1], "NAME") {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}
