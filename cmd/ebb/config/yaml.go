package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/scoring/strictyaml"
)

// yamlReader walks one file and sets the keys in it. It goes on after a problem, so that it finds all of them.
type yamlReader struct {
	*loader
	name string
}

func (l *loader) readYAML(name string, text []byte) {
	r := &yamlReader{l, name}
	docs, err := strictyaml.Parse(text)
	if p, ok := errors.AsType[*strictyaml.Problem](err); ok {
		r.at(p.Place, "", "%s", p.Text)
	}
	for i, d := range docs {
		if i > 0 {
			r.at(d.Place, "", "a second document begins here; one file holds one configuration")
			return
		}
		r.section("", d)
	}
}

func (r *yamlReader) origin(p strictyaml.Place) origin {
	return origin{fmt.Sprintf("%s:%d", r.name, p.Line), p.Line}
}

func (r *yamlReader) at(place strictyaml.Place, path, format string, args ...any) {
	o := r.origin(place)
	r.problems = append(
		r.problems,
		Problem{Place: o.place, Path: path, Text: fmt.Sprintf(format, args...), line: o.line, file: true},
	)
}

// section reads the keys below prefix ("" or "kafka.tls.").
func (r *yamlReader) section(prefix string, n strictyaml.Node) {
	path := strings.TrimSuffix(prefix, ".")
	entries, ok := r.entries(path, n)
	if !ok && !n.IsNull() {
		found := describe(n)
		// this may be a secret's file, so its content stays out of the message
		if _, scalar := n.Scalar(); prefix == "" && scalar {
			found = "one value; is it the right file?"
		}
		r.at(n.Place, path, "want keys (%s), found %s", strings.Join(r.children(prefix), ", "), found)
	}
	for _, e := range entries {
		path := prefix + e.Key
		switch s := r.setting(path); {
		case s != nil:
			r.leaf(s, e)
		case len(r.children(path+".")) == 0:
			r.at(e.Place, path, "unknown key%s", r.suggest(prefix, e.Key))
		case r.isShort(path, e.Value):
			r.leaf(r.setting(shortForms()[path]), e)
		default:
			r.section(path+".", e.Value)
		}
	}
}

// shortForms are sections that may be written as one value, which is that of the named key.
func shortForms() map[string]string {
	forms := map[string]string{"pack": "pack.name"}
	for _, part := range mappingParts() {
		forms["input.mapping."+part] = "input.mapping." + part + ".path"
	}
	return forms
}

// isShort reports whether the section at path is written as one value.
func (r *yamlReader) isShort(path string, n strictyaml.Node) bool {
	s := r.setting(shortForms()[path])
	if s == nil {
		return false
	}
	_, takesList := s.value.(itemised)
	_, list := n.List()
	_, scalar := n.Scalar()
	return scalar || takesList && list
}

// entries are the keys of a mapping, with merge keys and each repeated key reported and left out.
func (r *yamlReader) entries(path string, n strictyaml.Node) ([]strictyaml.Entry, bool) {
	entries, ok := n.Entries()
	return slices.DeleteFunc(entries, func(e strictyaml.Entry) bool {
		switch {
		case e.Key == strictyaml.MergeKey:
			r.at(e.Place, path, "merge keys (<<) are not read; write the keys out")
		case e.First > 0:
			full := strings.TrimPrefix(path+"."+e.Key, ".")
			r.at(e.Place, full, "set a second time; the first is on line %d", e.First)
		}
		return e.Key == strictyaml.MergeKey || e.First > 0
	}), ok
}

// leaf sets one key. Lists and maps may be written out; everything else is a scalar.
func (r *yamlReader) leaf(s *setting, e strictyaml.Entry) {
	o := r.origin(e.Place)
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
	case itemised:
		if items, ok := e.Value.List(); ok {
			r.loader.set(s, o, func() error { return r.list(v, items) })
			return
		}
	case itemsValue:
		if entries, ok := r.entries(s.path, e.Value); ok {
			r.loader.set(s, o, func() error { return r.items(s.path, v, entries) })
			return
		}
	}
	r.loader.set(s, o, func() error {
		text, ok := e.Value.Scalar()
		if !ok {
			return fmt.Errorf("want %s, found %s", article(s.value.kind()), describe(e.Value))
		}
		return s.value.set(text)
	})
}

// itemised is a value that is a list.
type itemised interface{ setItems(items []string) error }

func (r *yamlReader) list(v itemised, nodes []strictyaml.Node) error {
	items := make([]string, len(nodes))
	for i, n := range nodes {
		text, ok := n.Scalar()
		if !ok {
			return fmt.Errorf("item %d: want a text, found %s", i+1, describe(n))
		}
		items[i] = text
	}
	return v.setItems(items)
}

// nestedItems are parts that are more than a text in a file.
type nestedItems interface {
	text(n strictyaml.Node) (text string, ok bool) // as in one text
}

// items reads parts with names of their own, and notes where each stands.
func (r *yamlReader) items(path string, v itemsValue, entries []strictyaml.Entry) error {
	items := map[string]string{}
	for _, e := range entries {
		text, ok := e.Value.Scalar()
		if nested, is := v.(nestedItems); is {
			text, ok = nested.text(e.Value)
		}
		if !ok {
			return fmt.Errorf("want a %s for %q, found %s", v.item(), e.Key, describe(e.Value))
		}
		items[e.Key], r.origins[path+"."+e.Key] = text, r.origin(e.Place)
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

// suggest names the key that was probably meant: a neighbour with a similar name, else a key of that name elsewhere.
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

// describe names the kind of value in a place, without the login that an address may begin with.
func describe(n strictyaml.Node) string {
	if text, ok := n.Scalar(); ok {
		return fmt.Sprintf("%q", withoutLogin(text))
	}
	if n.IsNull() {
		return "nothing (remove the key to keep the default)"
	}
	return n.String()
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
