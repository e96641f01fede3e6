package scoring_test

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// allowedImports is all that the package may rest on: nothing that reads a clock, a file or the network.
var allowedImports = []string{
	"bytes", "cmp", "crypto/sha256", "embed", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt", "io/fs", "maps", "math", "math/bits",
	"path", "slices", "strconv", "strings", "time", "unicode/utf8",
	"github.com/cespare/xxhash/v2", "github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser",
	"golang.org/x/text/feature/plural", "golang.org/x/text/language",
}

// allowedMath are the functions of math that give the same bits on every processor.
var allowedMath = []string{
	"Abs", "Ceil", "Float64bits", "Float64frombits", "Inf", "IsInf", "IsNaN", "Ldexp", "MaxInt64", "MaxUint32", "NaN", "Pi", "Round", "Signbit", "Sqrt", "Trunc",
}

// TestNumbersAreTheSameEverywhere reads the package's source: what it imports, what it uses of math, and that the compiler
// finds no product to fuse with a sum (docs/adr/0002-numbers.md).
func TestNumbersAreTheSameEverywhere(t *testing.T) {
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(pkg.Dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		for _, imp := range f.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); !slices.Contains(allowedImports, path) {
				t.Errorf("%s imports %s", fset.Position(imp.Pos()), path)
			}
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: onlyMath{importer.ForCompiler(fset, "source", nil)}, Error: func(error) {}}
	_, _ = conf.Check("scoring", fset, files, info) // what other packages offer stays unknown, and is no float here
	products := 0
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				x, ok := sel.X.(*ast.Ident)
				if ok && isMath(info, x) && !slices.Contains(allowedMath, sel.Sel.Name) || ok && x.Name == "time" && sel.Sel.Name == "Now" {
					t.Errorf("%s uses %s.%s", fset.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
		loose := looseProducts(f, info, &products)
		for _, n := range loose {
			t.Errorf("%s: a product outside a conversion that rounds it", fset.Position(n.Pos()))
		}
	}
	if products < 20 {
		t.Errorf("only %d products found: the check has gone blind", products)
	}
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

// onlyMath imports math, whose results take part in products.
type onlyMath struct{ types.Importer }

func (m onlyMath) Import(path string) (*types.Package, error) {
	if path == "math" {
		return m.Importer.Import(path)
	}
	return nil, types.Error{Msg: "left out"}
}
