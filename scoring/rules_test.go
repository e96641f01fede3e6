package scoring_test

import (
	"errors"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowedImports is all that the packages may import besides each other: nothing that reads a clock, a file or the
// network.
var allowedImports = []string{
	"archive/zip",
	"bytes",
	"cmp",
	"crypto/sha256",
	"embed",
	"encoding/binary",
	"encoding/hex",
	"encoding/json",
	"errors",
	"fmt",
	"io",
	"io/fs",
	"maps",
	"math",
	"math/bits",
	"path",
	"reflect",
	"slices",
	"strconv",
	"strings",
	"sync",
	"time",
	"unicode/utf8",
	"github.com/cespare/xxhash/v2",
	"github.com/goccy/go-yaml",
	"github.com/goccy/go-yaml/ast",
	"github.com/goccy/go-yaml/parser",
	"github.com/goccy/go-yaml/token",
}

// allowedMath are the functions of math that give the same bits on every processor.
var allowedMath = []string{
	"Abs",
	"Ceil",
	"Float64bits",
	"Float64frombits",
	"Inf",
	"IsInf",
	"IsNaN",
	"Ldexp",
	"MaxInt64",
	"MaxUint32",
	"NaN",
	"Pi",
	"Round",
	"Signbit",
	"Sqrt",
	"Trunc",
}

// TestNumbersAreTheSameEverywhere reads the source of this package and of those below it. It checks what they import,
// what they use of math, and that the compiler finds no product to fuse with a sum (docs/adr/0002-numbers.md).
func TestNumbersAreTheSameEverywhere(t *testing.T) {
	r := newRules(t)
	for _, dir := range packages(t) {
		r.check(dir)
	}
	if r.products < 20 {
		t.Errorf("only %d products found: the check has gone blind", r.products)
	}
}

// packages are the folders of this package and of those below it that programs are linked with.
func packages(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "scoringtest" { // helpers of tests
			return fs.SkipDir
		}
		pkg, err := build.ImportDir(path, 0)
		if _, none := errors.AsType[*build.NoGoError](err); none {
			return nil
		}
		if err == nil && pkg.Name != "main" {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// rules checks packages against the rules, each with the types of those that it imports.
type rules struct {
	t        *testing.T
	fset     *token.FileSet
	math     types.Importer
	checked  map[string]*types.Package // by folder
	products int
}

func newRules(t *testing.T) *rules {
	t.Helper()
	fset := token.NewFileSet()
	return &rules{t: t, fset: fset, math: importer.ForCompiler(fset, "source", nil), checked: map[string]*types.Package{}}
}

// check checks the package in a folder against the rules, once, and returns it.
func (r *rules) check(dir string) *types.Package {
	r.t.Helper()
	if p := r.checked[dir]; p != nil {
		return p
	}
	files := r.parse(dir)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: r, Error: func(error) {}}
	// the content of other packages stays unknown, and is no float here
	r.checked[dir], _ = conf.Check(dir, r.fset, files, info)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				x, ok := sel.X.(*ast.Ident)
				if ok && isMath(info, x) && !slices.Contains(allowedMath, sel.Sel.Name) ||
					ok && x.Name == "time" && sel.Sel.Name == "Now" {
					r.t.Errorf("%s uses %s.%s", r.fset.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
		for _, n := range looseProducts(f, info, &r.products) {
			r.t.Errorf("%s: a product outside a conversion that rounds it", r.fset.Position(n.Pos()))
		}
	}
	return r.checked[dir]
}

// parse reads the package in a folder, and checks its imports.
func (r *rules) parse(dir string) (files []*ast.File) {
	r.t.Helper()
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(r.fset, filepath.Join(dir, name), nil, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		files = append(files, f)
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if _, ours := folder(path); !ours && !slices.Contains(allowedImports, path) {
				r.t.Errorf("%s imports %s", r.fset.Position(imp.Pos()), path)
			}
		}
	}
	return files
}

// Import returns packages that the rules apply to, and math, whose results are part of products.
func (r *rules) Import(path string) (*types.Package, error) {
	if dir, ours := folder(path); ours {
		return r.check(dir), nil
	}
	if path == "math" {
		return r.math.Import(path)
	}
	return nil, types.Error{Msg: "left out"}
}

// folder is the folder of one of ebb's packages, relative to this one.
func folder(path string) (dir string, ours bool) {
	below, ours := strings.CutPrefix(path+"/", "ebb/scoring/")
	return filepath.Clean(below), ours
}

// looseProducts are the floating products in f that no conversion float64(...) rounds before anything is added.
func looseProducts(f *ast.File, info *types.Info, products *int) (loose []ast.Node) {
	rounded := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "float64" && len(n.Args) == 1 {
				rounded[ast.Unparen(n.Args[0])] = true
			}
		case *ast.BinaryExpr:
			tv := info.Types[n]
			if n.Op != token.MUL && n.Op != token.QUO || !isFloat(tv.Type) || tv.Value != nil {
				return true
			}
			if n.Op == token.MUL {
				*products++
				if !rounded[n] {
					loose = append(loose, n)
				}
			}
			if rounded[n] { // so are its factors
				rounded[ast.Unparen(n.X)], rounded[ast.Unparen(n.Y)] = true, true
			}
		case *ast.AssignStmt:
			if n.Tok == token.MUL_ASSIGN && isFloat(info.Types[n.Lhs[0]].Type) {
				loose = append(loose, n)
			}
		}
		return true
	})
	return loose
}

func isFloat(t types.Type) bool {
	b, ok := types.Unalias(t).(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

func isMath(info *types.Info, id *ast.Ident) bool {
	name, ok := info.Uses[id].(*types.PkgName)
	return ok && name.Imported().Path() == "math"
}
