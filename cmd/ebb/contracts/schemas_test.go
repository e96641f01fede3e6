package contracts_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/processor"
	"ebb/pipeline"
	"ebb/scoring/alert"
	"ebb/scoring/scoringtest"
	"ebb/sinks/format"
)

// schemaOf is a schema of docs.
func schemaOf(name string) object {
	return unmarshalled(scoringtest.Must(os.ReadFile(filepath.Join(docs, name+".schema.json")))).(object)
}

// TestSchemasListEveryField of the structs that are written as JSON, and no other.
func TestSchemasListEveryField(t *testing.T) {
	sameFields(t, "control", schemaOf("control"), reflect.TypeFor[pipeline.Control]())
	sameFields(t, "decision", schemaOf("decision"), reflect.TypeFor[format.Decision]())
	sameFields(t, "audience", schemaOf("audience"), reflect.TypeFor[format.Audience]())
	sameFields(t, "summary", schemaOf("summary"), reflect.TypeFor[processor.Summary]())
}

// sameFields compares the members that a schema lists with a struct's fields, and those of the structs in it.
func sameFields(t *testing.T, at string, schema any, s reflect.Type) {
	t.Helper()
	fields := fieldsOf(s)
	var names, listed []string
	for name, inner := range fields {
		names = append(names, name)
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
			sameFields(t, at+"."+name, member(schema, "properties", name), inner)
		}
	}
	properties, _ := member(schema, "properties").(object)
	for name := range properties {
		listed = append(listed, name)
	}
	slices.Sort(names)
	slices.Sort(listed)
	if diff := cmp.Diff(names, listed); diff != "" {
		t.Errorf("members of %s (-code +schema):\n%s", at, diff)
	}
}

// fieldsOf are the types of a struct's fields by their names in JSON, those of embedded structs included.
func fieldsOf(s reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(s) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			all[name] = f.Type
		}
	}
	return all
}

// TestSchemasListEveryCode of the code's closed lists.
func TestSchemasListEveryCode(t *testing.T) {
	var codes []any
	for c := pipeline.Usable + 1; c < pipeline.NumCodes; c++ {
		codes = append(codes, c.String())
	}
	text := string(scoringtest.Must(os.ReadFile("../../../pipeline/control.go")))
	var kinds []any
	for _, m := range regexp.MustCompile(`(?m)^\tControl\w+ += "(\w+)"`).FindAllStringSubmatch(text, -1) {
		kinds = append(kinds, m[1])
	}
	var arms []any
	for _, name := range alert.ArmNames()[alert.Treated:] {
		arms = append(arms, name)
	}
	for _, c := range []struct {
		schema, member string
		want           []any
	}{
		{"quarantined-headers", "ebb.error.code", codes},
		{"undelivered-headers", "ebb.error.code", []any{format.ReasonExpired, format.ReasonUnreadable}},
		{"control", "kind", kinds},
		{"decision", "outcome", []any{"withheld", "held", "released", "withdrawn"}},
		{"audience", "arm", arms},
		{"alert", "arm", arms},
	} {
		listed := member(schemaOf(c.schema), "properties", c.member, "enum")
		if !sameSet(c.want, listed.([]any)) {
			t.Errorf("%s of %s: the code has %v, the schema %v", c.member, c.schema, c.want, listed)
		}
	}
	if len(kinds) != len(changes()) {
		t.Errorf("%d kinds of control records, examples of %d", len(kinds), len(changes()))
	}
}

func sameSet(a, b []any) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v any) bool { return !slices.Contains(b, v) })
}

// TestSummaryIsDescribed, whole and with what is usual alone.
func TestSummaryIsDescribed(t *testing.T) {
	schema := scoringtest.Must(compiler(t, false).Compile(base + "summary.schema.json"))
	bare := processor.Summary{Transitions: map[string]uint64{}}
	bare.Types = summary().Types[:0]
	for _, s := range []processor.Summary{summary(), bare} {
		if err := schema.Validate(unmarshalled(scoringtest.Must(json.Marshal(s)))); err != nil {
			t.Error(err)
		}
	}
}
