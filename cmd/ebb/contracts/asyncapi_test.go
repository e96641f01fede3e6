package contracts_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	asyncapi "github.com/asyncapi/spec-json-schemas/v6"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// Names of what docs/asyncapi.yaml refers to.
const (
	examplesFile = "asyncapi.examples.json"
	base         = "https://ebb.example/" // of the schemas' ids
)

// object is a JSON object.
type object = map[string]any

// document is docs/asyncapi.yaml.
func document(t *testing.T) object {
	t.Helper()
	text := scoringtest.Must(yaml.YAMLToJSON(scoringtest.Must(os.ReadFile(filepath.Join(docs, "asyncapi.yaml")))))
	return unmarshalled(text).(object)
}

func unmarshalled(text []byte) any {
	return scoringtest.Must(jsonschema.UnmarshalJSON(bytes.NewReader(text)))
}

// member is what stands behind names inside objects; nil: nothing.
func member(v any, names ...string) any {
	for _, name := range names {
		inside, _ := v.(object)
		v = inside[name]
	}
	return v
}

// compiler knows all schemas. Closed: of objects whose members are listed, others are refused.
func compiler(t *testing.T, closed bool) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, file := range schemaFiles(t, docs) {
		schema := unmarshalled(scoringtest.Must(os.ReadFile(filepath.Join(docs, file))))
		if closed {
			closeObjects(schema)
		}
		if err := c.AddResource(base+file, schema); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// closeObjects has each object of a schema refuse members that it does not list, but for alternatives and conditions,
// which list only some.
func closeObjects(schema any) {
	s, ok := schema.(object)
	if !ok {
		return
	}
	if _, open := s["additionalProperties"]; s["properties"] != nil && !open {
		s["additionalProperties"] = false
	}
	for name, inside := range s {
		switch name {
		case "if", "then", "else", "anyOf", "allOf":
		case "properties", "definitions", "$defs":
			for _, one := range inside.(object) {
				closeObjects(one)
			}
		default:
			closeObjects(inside)
		}
	}
}

// TestAsyncAPIIsValid by the schema of AsyncAPI itself.
func TestAsyncAPIIsValid(t *testing.T) {
	c := jsonschema.NewCompiler()
	if err := c.AddResource("asyncapi.json", unmarshalled(scoringtest.Must(asyncapi.Get("3.0.0")))); err != nil {
		t.Fatal(err)
	}
	schema := scoringtest.Must(c.Compile("asyncapi.json"))
	whole := document(t)
	if err := schema.Validate(whole); err != nil {
		t.Errorf("%#v", err)
	}
	messages := member(whole, "components", "messages").(object)
	for name := range messages { // as a tool sees it that has followed the reference
		messages[name].(object)["traits"] = []any{member(unmarshalled([]byte(exampleText(t))), name)}
	}
	if err := schema.Validate(whole); err != nil {
		t.Errorf("with the examples in their places: %#v", err)
	}
	whole["channels"].(object)["alerts"].(object)["addresses"] = "none"
	if schema.Validate(whole) == nil {
		t.Error("a member that AsyncAPI does not know is not noticed")
	}
}

// exampleText is what -update writes to docs/asyncapi.examples.json: traits of messages.
func exampleText(t *testing.T) string {
	t.Helper()
	traits := map[string]map[string][]example{}
	for name, all := range examples(t) {
		traits[name] = map[string][]example{"examples": all}
	}
	return string(scoringtest.Must(json.MarshalIndent(traits, "", "  "))) + "\n"
}

func TestAsyncAPIExamples(t *testing.T) {
	golden.Path(t, filepath.Join(docs, examplesFile), exampleText(t))
}

// TestExamplesAreDescribed: each message has examples, which its schemas describe to the last member.
func TestExamplesAreDescribed(t *testing.T) {
	messages := member(document(t), "components", "messages").(object)
	all := unmarshalled([]byte(exampleText(t))).(object)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(messages)), slices.Sorted(maps.Keys(all))); diff != "" {
		t.Errorf("messages with examples (-document +code):\n%s", diff)
	}
	for name, message := range messages {
		for _, part := range []string{"headers", "payload"} {
			schema := member(message, part)
			if schema == nil {
				continue
			}
			for _, closed := range []bool{false, true} {
				if closed && (part == "headers" || name == "pack") {
					continue // a record has headers of its own; a pack is described in words
				}
				compiled := compiled(t, compiler(t, closed), name+"-"+part, schema)
				for _, e := range member(all, name, "examples").([]any) {
					got := member(e, part)
					if got == nil {
						got = object{}
					}
					if err := compiled.Validate(got); err != nil {
						t.Errorf("%s of %s, example %q: %v", part, name, member(e, "name"), err)
					}
				}
			}
		}
	}
}

// compiled is a schema of the document: written there, or a reference to a file.
func compiled(t *testing.T, c *jsonschema.Compiler, name string, schema any) *jsonschema.Schema {
	t.Helper()
	location := base + "inline/" + name
	if ref, ok := member(schema, "$ref").(string); ok {
		location = base + strings.TrimPrefix(ref, "./")
	} else if err := c.AddResource(location, schema); err != nil {
		t.Fatal(err)
	}
	return scoringtest.Must(c.Compile(location))
}

// TestAsyncAPIReferences lead somewhere, and to all schemas of what stands in topics.
func TestAsyncAPIReferences(t *testing.T) {
	whole := document(t)
	used := map[string]bool{"summary.schema.json": true} // printed
	for _, ref := range references(whole) {
		file, pointer, _ := strings.Cut(strings.TrimPrefix(ref, "./"), "#")
		at := any(whole)
		if file != "" {
			used[file] = true
			at = unmarshalled(scoringtest.Must(os.ReadFile(filepath.Join(docs, file))))
		}
		if pointer != "" && member(at, strings.Split(pointer, "/")[1:]...) == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	for _, file := range schemaFiles(t, docs) {
		if !used[file] {
			t.Errorf("docs/asyncapi.yaml does not refer to %s", file)
		}
	}
}

// references are the values of all $ref in v.
func references(v any) (all []string) {
	switch v := v.(type) {
	case object:
		for name, inside := range v {
			if ref, ok := inside.(string); ok && name == "$ref" {
				all = append(all, ref)
			}
			all = append(all, references(inside)...)
		}
	case []any:
		for _, inside := range v {
			all = append(all, references(inside)...)
		}
	}
	return all
}

// TestAsyncAPINamesEveryTopic that can be configured, by its default, and those that follow from them.
func TestAsyncAPINamesEveryTopic(t *testing.T) {
	text := string(scoringtest.Must(os.ReadFile(filepath.Join(docs, "configuration.md"))))
	want := map[string]bool{"events.dlq": true, "ebb.alerts.dlq": true}
	topic := regexp.MustCompile("(?m)^\\| `kafka\\.\\w+` \\| text \\| `(.+)` \\| Topic of ")
	for _, m := range topic.FindAllStringSubmatch(text, -1) {
		want[strings.NewReplacer("<group>", "ebb", "<kafka.alerts>", "ebb.alerts").Replace(m[1])] = true
	}
	got := map[string]bool{}
	for _, channel := range document(t)["channels"].(object) {
		got[fmt.Sprint(member(channel, "address"))] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 7 {
		t.Errorf("topics (-configuration +asyncapi.yaml):\n%s", diff)
	}
}
