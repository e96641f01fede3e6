// Package strictyaml reads the YAML that people write for ebb: plain values, each with its place, and every problem in
// the words of the file and not of the program. It merges, overwrites and skips nothing: a reader has to refuse what it
// does not use.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Place is a place in a file; line and column count from 1.
type Place struct{ Line, Column int }

// Problem is what is wrong with a file, and where.
type Problem struct {
	Place
	Text string
}

// Error is the problem after its place, as in [6:37].
func (p *Problem) Error() string { return fmt.Sprintf("[%d:%d] %s", p.Line, p.Column, p.Text) }

// Node is a value in a file.
type Node struct {
	Place
	node ast.Node
}

// Entry is a key with its value.
type Entry struct {
	Place // of the key
	Key   string
	Value Node
	First int // line of an earlier entry with the same key; 0: there is none
}

// MergeKey is the key with which YAML merges another mapping.
const MergeKey = "<<"

// Parse returns the documents of a file that are not empty. A key may be repeated: see [Entry]. The error is a
// [Problem].
func Parse(text []byte) (docs []Node, err error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with a byte order mark
	if p := notUTF8(text); p != nil {
		return nil, p
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := problem(err)
		if strings.Contains(p.Text, "'\t'") {
			p.Text = "a tab stands where a line is indented, and YAML wants spaces"
		}
		p.Text = "not YAML: " + p.Text
		return nil, p
	}
	for _, d := range file.Docs {
		if d.Body != nil {
			if p := oddKey(d.Body); p != nil {
				return nil, p
			}
			docs = append(docs, node(d.Body))
		} else if next := followed(d.Start); next != nil {
			return nil, &Problem{placeOf(next), "nothing stands before this line of dashes, remove it"}
		}
	}
	return docs, nil
}

// notUTF8 is where a text is in another encoding; nil: nowhere. The parser would put other characters in their place.
func notUTF8(text []byte) *Problem {
	for line, from := 1, 0; from < len(text); line++ {
		end := len(text)
		if i := bytes.IndexByte(text[from:], '\n'); i >= 0 {
			end = from + i + 1
		}
		if !utf8.Valid(text[from:end]) {
			return &Problem{Place{line, 1}, "not UTF-8, which is how the file has to be saved"}
		}
		from = end
	}
	return nil
}

// oddKey is the first key that is not written out where it stands; nil: there is none.
func oddKey(n ast.Node) *Problem {
	for _, pair := range ast.Filter(ast.MappingValueType, n) {
		switch key := pair.(*ast.MappingValueNode).Key.(type) {
		case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			return &Problem{placeOf(key.GetToken()), "the key is an anchor, an alias or a tag, which are not read"}
		}
	}
	return nil
}

// followed is the line of dashes that ends an empty document, after which the parser stops.
func followed(start *token.Token) *token.Token {
	for start != nil {
		if start = start.Next; start != nil && start.Type == token.DocumentHeaderType {
			return start
		}
	}
	return nil
}

func node(n ast.Node) Node { return Node{placeOf(n.GetToken()), n} }

func placeOf(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{1, 1}
	}
	return Place{t.Position.Line, t.Position.Column}
}

// Scalar is the text of a single value as it is written, without its quotes; false: it is no scalar.
func (n Node) Scalar() (string, bool) {
	switch n := n.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// List is the values of a list; false: it is no list.
func (n Node) List() (items []Node, ok bool) {
	list, ok := n.node.(*ast.SequenceNode)
	if ok {
		for _, v := range list.Values {
			items = append(items, node(v))
		}
	}
	return items, ok
}

// Entries are the keys of a mapping in the order of the file; false: it is no mapping.
func (n Node) Entries() (entries []Entry, ok bool) {
	mapping, ok := n.node.(ast.MapNode)
	if !ok {
		return nil, false
	}
	lines := map[string]int{}
	for all := mapping.MapRange(); all.Next(); {
		key := keyOf(all.Key()).GetToken()
		e := Entry{placeOf(key), key.Value, node(all.Value()), lines[key.Value]}
		entries = append(entries, e)
		if e.First == 0 {
			lines[e.Key] = e.Line
		}
	}
	return entries, true
}

// keyOf is a key without the question mark that may stand before it.
func keyOf(key ast.Node) ast.Node {
	if marked, ok := key.(*ast.MappingKeyNode); ok {
		return marked.Value
	}
	return key
}

// IsNull reports whether there is nothing in the place of a value.
func (n Node) IsNull() bool { return n.node.Type() == ast.NullType }

// IsPlain reports whether the value is scalars, lists and mappings throughout, without tags, anchors, aliases and
// merge keys.
func (n Node) IsPlain() bool {
	for _, t := range []ast.NodeType{ast.TagType, ast.AnchorType, ast.AliasType, ast.MergeKeyType} {
		if len(ast.Filter(t, n.node)) > 0 {
			return false
		}
	}
	return true
}

// String describes the value in words; a scalar is its text in quotes.
func (n Node) String() string {
	switch n.node.(type) {
	case *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "keys below it"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which are not read"
	case *ast.TagNode:
		return "a tag, which is not read"
	}
	if text, ok := n.Scalar(); ok {
		return fmt.Sprintf("%q", text)
	}
	return "something else"
}

// problem is the error of the parser or the decoder.
func problem(err error) *Problem {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return &Problem{Place{1, 1}, err.Error()}
	}
	return &Problem{placeOf(e.GetToken()), strings.TrimSpace(e.GetMessage())}
}
