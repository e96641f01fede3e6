package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"

	"ebb/scoring/spelling"
)

// Decode sets the value that into points to, whose structs name all possible keys. The node must be plain, else the
// decoder may panic. The error is a [Problem], the first one.
func (n Node) Decode(into any) error {
	err := yaml.NodeToValue(n.node, into, yaml.Strict())
	if err == nil {
		return nil
	}
	p := problem(err)
	if e, ok := errors.AsType[*yaml.OverflowError](err); ok {
		p.Text = e.SrcNum + " is beyond what a number may be"
	} else if e, ok := errors.AsType[*yaml.TypeError](err); ok {
		p.Text = fmt.Sprintf("%q is no %s", e.Token.Value, inFile(e.DstType))
	} else if e, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		p.Text = unknownKey(e.Token.Value, reflect.TypeOf(into))
	}
	return p
}

// inFile is the form in a file of a type of the program.
func inFile(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return inFile(t.Elem())
	case reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "list"
	default:
		return "mapping"
	}
}

// unknownKey is the problem of an unknown key. It suggests the most similar of all keys below t.
func unknownKey(key string, t reflect.Type) string {
	others := slices.DeleteFunc(keysOf(t), func(known string) bool { return known == key }) // known elsewhere
	text := fmt.Sprintf("unknown key %q", key)
	if near := spelling.Nearest(key, others); near != "" {
		text += ", did you mean " + near + "?"
	}
	return text
}

// keysOf are the keys of the structs that a type is made of.
func keysOf(t reflect.Type) (keys []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return keysOf(t.Elem())
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			keys = append(append(keys, f.Tag.Get("yaml")), keysOf(f.Type)...)
		}
	default:
	}
	return keys
}
