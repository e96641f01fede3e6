package linetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// declared are the functions, methods and types of the repository, tests too: each by its name, behind its receiver's
// or its package's, and behind its file.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, file := range files(t, ".go") {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.ToSlash(strings.TrimPrefix(file, top+"/"))
		for _, d := range parsed.Decls {
			for _, name := range namesOf(d) {
				short := name[strings.LastIndexByte(name, '.')+1:]
				all[name], all[short], all[parsed.Name.Name+"."+short], all[path+": "+short] = true, true, true, true
			}
		}
	}
	return all
}

// namesOf is what a declaration declares, a method behind its receiver.
func namesOf(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		return []string{name(receiver) + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if s, ok := s.(*ast.TypeSpec); ok {
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}

// TestRulesNameTheirCode: what the table of rules names, where a rule stands and what fails without it, is there.
func TestRulesNameTheirCode(t *testing.T) {
	all, checked := declared(t), 0
	_, rules, _ := strings.Cut(text(t, "docs/exactly-once.md"), "\n## The rules\n")
	rules, _, _ = strings.Cut(rules, "\n## ")
	for _, m := range regexp.MustCompile("`([\\w./]+)`").FindAllStringSubmatch(rules, -1) {
		name := m[1]
		if strings.ToLower(name) == name && !strings.Contains(name, ".") {
			continue // a package, or a step of the protocol
		}
		checked++
		if parts := strings.Split(name, "."); len(parts) == 3 { // of a package
			name = parts[1] + "." + parts[2]
		}
		named := all[name]
		if strings.HasSuffix(name, ".go") {
			named = slices.ContainsFunc(files(t, ".go"), func(f string) bool { return strings.HasSuffix(f, "/"+name) })
		}
		if !named {
			t.Errorf("%s is not in the code", m[1])
		}
	}
	if checked < 100 {
		t.Errorf("found only %d names", checked)
	}
}

// TestHopsNameTheirCode: the functions that ARCHITECTURE.md names behind a file are in that file.
func TestHopsNameTheirCode(t *testing.T) {
	all, checked := declared(t), 0
	hop := regexp.MustCompile("`([\\w/]+\\.go)`: ((?:`\\w+`(?:, )?)+)")
	for _, m := range hop.FindAllStringSubmatch(text(t, "ARCHITECTURE.md"), -1) {
		for function := range strings.SplitSeq(strings.ReplaceAll(m[2], "`", ""), ", ") {
			if function == "" {
				continue
			}
			checked++
			if !all[m[1]+": "+function] {
				t.Errorf("%s has no %s", m[1], function)
			}
		}
	}
	if checked < 8 {
		t.Errorf("found only %d functions", checked)
	}
}
