package pack

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// yamlProblem is what the decoder says, in words that speak of the file and not of the program.
func yamlProblem(err error) string {
	at := func(e yaml.Error) string {
		p := e.GetToken().Position
		return fmt.Sprintf("[%d:%d]", p.Line, p.Column)
	}
	if e, ok := errors.AsType[*yaml.OverflowError](err); ok {
		return fmt.Sprintf("%s %s is beyond what a number may be", at(e), e.SrcNum)
	}
	if e, ok := errors.AsType[*yaml.TypeError](err); ok {
		wanted := e.DstType
		if wanted.Kind().String() == "ptr" {
			wanted = wanted.Elem()
		}
		return fmt.Sprintf("%s %q is no %s", at(e), e.Token.Value, kindInFile(wanted.Kind().String()))
	}
	return yaml.FormatError(err, false, false)
}

// kindInFile is what a file holds for a kind of type of the program.
func kindInFile(kind string) string {
	switch kind {
	case "int64", "float64":
		return "number"
	case "bool":
		return "true or false"
	case "string":
		return "text"
	case "slice":
		return "list"
	default:
		return "mapping"
	}
}

// isPlain reports whether node is scalars, lists and mappings throughout. The decoder panics on some that are not.
func isPlain(node ast.Node) bool {
	for _, t := range []ast.NodeType{ast.TagType, ast.AnchorType, ast.AliasType, ast.MergeKeyType} {
		if len(ast.Filter(t, node)) > 0 {
			return false
		}
	}
	return true
}
