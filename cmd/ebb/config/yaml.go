package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"ebb/cmd/ebb/advice"
)

// yamlReader walks one file and sets what it finds. It goes on after a problem, to find them all.
type yamlReader struct {
	*loader
	name string
}

func (l *loader) readYAML(name string, text []byte) {
	r := &yamlReader{l, name}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntaxProblem(err)
		return
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	for i, d := range docs {
		if i > 0 {
			r.at(d.Body, "", "a second document begins here; one file holds one configuration")
			return
		}
		r.section("", d.Body)
	}
}

// syntaxProblem notes that the file is not YAML, at the place where reading failed.
func (r *yamlReader) syntaxProblem(err error) {
	p := Problem{Place: r.name, Text: "not YAML: " + err.Error(), file: true}
	if se, ok := errors.AsType[*yaml.SyntaxError](err); ok && se.Token != nil {
		p.line = se.Token.Position.Line
		p.Place = fmt.Sprintf("%s:%d", r.name, p.line)
		p.Text = "not YAML: " + strings.TrimSpace(se.Message)
		if strings.Contains(se.Message, "'\t'") {
			p.Text = "not YAML: a tab stands where a line is indented, and YAML wants spaces"
		}
	}
	r.problems = append(r.problems, p)
}

func (r *yamlReader) origin(n ast.Node) origin {
	line := 1
	if t := n.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	return origin{fmt.Sprintf("%s:%d", r.name, line), line}
}

func (r *yamlReader) at(n ast.Node, path, format string, args ...any) {
	o := r.origin(n)
	r.problems = append(
		r.problems,
		Problem{Place: o.place, Path: path, Text: fmt.Sprintf(format, args...), line: o.line, file: true},
	)
}

// section reads the keys below prefix ("" or "kafka.tls.").
func (r *yamlReader) section(prefix string, n ast.Node) {
	path := strings.TrimSuffix(prefix, ".")
	pairs, ok := r.pairs(path, n)
	if !ok {
		if _, empty := n.(*ast.NullNode); !empty {
			found := describe(n)
			if prefix == "" && isScalar(n) { // maybe a secret's file: its content stays out of the message
				found = "one value; is it the right file?"
			}
			r.at(n, path, "want keys (%s), found %s", strings.Join(r.children(prefix), ", "), found)
		}
		return
	}
	for _, p := range pairs {
		key := keyText(p.Key)
		path := prefix + key
		switch s := r.setting(path); {
		case s != nil:
			r.leaf(s, p)
		case len(r.children(path+".")) == 0:
			r.at(p.Key, path, "unknown key%s", r.suggest(prefix, key))
		case r.isShort(path, p.Value):
			r.leaf(r.setting(shortForms()[path]), p)
		default:
			r.section(path+".", p.Value)
		}
	}
}

// shortForms are sections that may be written as one value: that of the key named.
func shortForms() map[string]string {
	forms := map[string]string{"pack": "pack.name"}
	for _, part := range mappingParts() {
		forms["input.mapping."+part] = "input.mapping." + part + ".path"
	}
	return forms
}

// isShort reports whether the section at path is written as one value.
func (r *yamlReader) isShort(path string, n ast.Node) bool {
	s := r.setting(shortForms()[path])
	if s == nil {
		return false
	}
	_, list := s.value.(listValue)
	_, sequence := n.(*ast.SequenceNode)
	return isScalar(n) || list && sequence
}

// pairs returns the keys of a mapping with each repeated key reported and left out.
func (r *yamlReader) pairs(path string, n ast.Node) ([]*ast.MappingValueNode, bool) {
	m, ok := n.(ast.MapNode)
	if !ok {
		return nil, false
	}
	lines := map[string]int{}
	var pairs []*ast.MappingValueNode
	for it := m.MapRange(); it.Next(); {
		p := it.KeyValue()
		key := keyText(p.Key)
		full := strings.TrimPrefix(path+"."+key, ".")
		if p.Key.IsMergeKey() {
			r.at(p.Key, path, "merge keys (<<) are not read; write the keys out")
			continue
		}
		if first, again := lines[key]; again {
			r.at(p.Key, full, "set a second time; the first is on line %d", first)
			continue
		}
		lines[key] = r.origin(p.Key).line
		pairs = append(pairs, p)
	}
	return pairs, true
}

// leaf sets one key. Lists and maps may be written out; everything else is a scalar.
func (r *yamlReader) leaf(s *setting, p *ast.MappingValueNode) {
	o := r.origin(p.Key)
	if s.secret {
		r.origins[s.path] = o
		r.problem(
			s.path,
			"a secret does not belong in this file; name a file that holds it in %s_file or set the variable %s",
			s.path,
			s.variable(),
		)
		return
	}
	switch v := s.value.(type) {
	case listValue:
		if seq, ok := p.Value.(*ast.SequenceNode); ok {
			r.loader.set(s, o, func() error { return r.list(v, seq) })
			return
		}
	case itemsValue:
		if pairs, ok := r.pairs(s.path, p.Value); ok {
			r.loader.set(s, o, func() error { return r.items(s.path, v, pairs) })
			return
		}
	}
	r.loader.set(s, o, func() error {
		text, err := scalar(p.Value)
		if err != nil {
			return fmt.Errorf("want %s, found %w", article(s.value.kind()), err)
		}
		return s.value.set(text)
	})
}

func (r *yamlReader) list(v listValue, seq *ast.SequenceNode) error {
	items := make([]string, len(seq.Values))
	for i, n := range seq.Values {
		text, err := scalar(n)
		if err != nil {
			return fmt.Errorf("item %d: want a text, found %w", i+1, err)
		}
		items[i] = text
	}
	return v.setItems(items)
}

// items reads parts with names of their own, and notes where each stands.
func (r *yamlReader) items(path string, v itemsValue, pairs []*ast.MappingValueNode) error {
	items := map[string]string{}
	for _, p := range pairs {
		name := keyText(p.Key)
		text, err := scalar(p.Value)
		if err != nil {
			return fmt.Errorf("want a %s for %q, found %w", v.item(), name, err)
		}
		items[name], r.origins[path+"."+name] = text, r.origin(p.Key)
	}
	return v.setItems(items)
}

// children are the names directly below prefix.
func (l *loader) children(prefix string) []string {
	var names []string
	for _, s := range l.settings {
		if rest, ok := strings.CutPrefix(s.path, prefix); ok && !s.secret {
			name, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// suggest names the key that was probably meant: a neighbour of similar name, else one of that name elsewhere.
func (l *loader) suggest(prefix, key string) string {
	if hint := advice.DidYouMean(key, l.children(prefix)); hint != "" {
		return hint
	}
	var elsewhere []string
	for _, s := range l.settings {
		if s.path[strings.LastIndexByte(s.path, '.')+1:] == key {
			elsewhere = append(elsewhere, s.path)
		}
	}
	const few = 3
	if len(elsewhere) > 0 && len(elsewhere) <= few {
		return "; did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return "; known here: " + strings.Join(l.children(prefix), ", ")
}

// scalar is the text of a single value; the error says what stands there instead.
func scalar(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New(describe(n))
}

func isScalar(n ast.Node) bool {
	_, err := scalar(n)
	return err == nil
}

// describe says in words what a node is.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.NullNode:
		return "nothing (remove the key to keep the default)"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "keys below it"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias, which are not read"
	case *ast.TagNode:
		return "a tag, which is not read"
	default:
		text, err := scalar(n)
		if err != nil {
			return "something else"
		}
		return fmt.Sprintf("%q", withoutLogin(text))
	}
}

func keyText(k ast.MapKeyNode) string {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value
	}
	return k.GetToken().Value
}

func article(kind string) string {
	switch kind {
	case "text", "true or false":
		return kind
	}
	if strings.Contains(kind, " or ") {
		return kind
	}
	return "a " + kind
}
