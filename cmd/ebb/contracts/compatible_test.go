package contracts_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/cmd/ebb/contracts"
	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// parsed is JSON as the checker takes it.
func parsed(text string) (v any) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// TestBroken: the checker fails where it should, and nowhere else.
func TestBroken(t *testing.T) {
	const before = `{"type": "object", "required": ["id", "tier"], "properties": {
		"id": {"type": "string", "pattern": "^a"}, "tier": {"enum": ["low", "high"]}, "risk": {"type": ["number", "null"]},
		"required": {"type": "array", "items": {"type": "integer"}}}}`
	for name, c := range map[string]struct {
		old, new  string // in before
		published string // what is broken
		accepted  string
	}{
		"nothing":               {"", "", "", ""},
		"a field":               {`"risk"`, `"more": {"type": "string"}, "risk"`, "", ""},
		"a value":               {`"high"`, `"mid", "high"`, "", ""},
		"a description":         {`"pattern"`, `"description": "an id", "pattern"`, "", ""},
		"what is always there":  {`"tier"]`, `"tier", "risk"]`, "", "/required: risk is a new requirement"},
		"a field less":          {`, "risk": {"type": ["number", "null"]}`, "", "/properties/risk: is gone", "same"},
		"no longer required":    {`, "tier"]`, `]`, "/required: tier is gone", ""},
		"nothing required":      {`"required": ["id", "tier"], `, "", "/required: is gone", ""},
		"a narrower type":       {`["number", "null"]`, `"number"`, "/properties/risk/type: [number null] has become number", "same"},
		"a wider type":          {`"integer"`, `["integer", "string"]`, "/properties/required/items/type: integer has become [integer string]", "same"},
		"another type":          {`"array"`, `"object"`, "/properties/required/type: array has become object", "same"},
		"a value less":          {`"low", `, "", "/properties/tier/enum: low is gone", "same"},
		"a restriction":         {`{"type": "integer"}`, `{"type": "integer", "minimum": 1}`, "/properties/required/items/minimum: is a new restriction", "same"},
		"another restriction":   {`"^a"`, `"^b"`, "/properties/id/pattern: ^a has become ^b", "same"},
		"a restriction less":    {`, "pattern": "^a"`, "", "/properties/id/pattern: is gone", "same"},
		"fields are now closed": {`"required": ["id`, `"additionalProperties": false, "required": ["id`, "/additionalProperties: is a new restriction", "same"},
	} {
		now := strings.Replace(before, c.old, c.new, 1)
		if (now == before) != (name == "nothing") {
			t.Fatalf("%s: changes nothing", name)
		}
		if c.accepted == "same" {
			c.accepted = c.published
		}
		wanted := map[contracts.Direction]string{contracts.Published: c.published, contracts.Accepted: c.accepted}
		for direction, want := range wanted {
			got := strings.Join(contracts.Broken(parsed(before), parsed(now), direction), "\n")
			if got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// TestBrokenNoticesEveryLoss: whatever is taken out of a real schema, the checker names it.
func TestBrokenNoticesEveryLoss(t *testing.T) {
	text := string(scoringtest.Must(os.ReadFile(filepath.Join(docs, "alert.schema.json"))))
	rapid.Check(t, func(r *rapid.T) {
		now := parsed(text)
		lost := remove(r, now.(map[string]any), "")
		if got := contracts.Broken(parsed(text), now, contracts.Published); len(got) == 0 {
			r.Errorf("%s is gone, and nothing is broken", lost)
		}
	})
}

// remove takes something out of a schema, other than what is for people, and names it.
func remove(r *rapid.T, schema map[string]any, at string) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(schema)), func(name string) bool {
		return slices.Contains([]string{"description", "title", "$id", "$schema"}, name)
	})
	name := rapid.SampledFrom(names).Draw(r, "name")
	if inner, ok := schema[name].(map[string]any); ok && rapid.Bool().Draw(r, "deeper") && len(inner) > 1 {
		return remove(r, inner, at+"/"+name)
	}
	delete(schema, name)
	return at + "/" + name
}

// accepted are the schemas of what others write.
var accepted = []string{"event.schema.json", "event-headers.schema.json", "cloudevent-headers.schema.json"}

// TestNothingIsTakenBack: the schemas keep what those of the last landing say, which are in testdata. -update keeps the
// present ones instead, where they only add.
func TestNothingIsTakenBack(t *testing.T) {
	kept := filepath.Join("testdata", "kept")
	for _, file := range schemaFiles(t, docs) {
		now := scoringtest.Must(os.ReadFile(filepath.Join(docs, file)))
		if before, err := os.ReadFile(filepath.Join(kept, file)); err == nil {
			direction := contracts.Direction(slices.Contains(accepted, file))
			if broken := contracts.Broken(parsed(string(before)), parsed(string(now)), direction); len(broken) > 0 {
				t.Errorf("docs/%s takes back what was published:\n%s", file, strings.Join(broken, "\n"))
				continue
			}
		}
		golden.Path(t, filepath.Join(kept, file), string(now))
	}
	if diff := cmp.Diff(schemaFiles(t, kept), schemaFiles(t, docs)); diff != "" {
		t.Errorf("schemas (-published +present):\n%s", diff)
	}
}

const docs = "../../../docs"

// schemaFiles are the names of all schemas in a folder.
func schemaFiles(t *testing.T, folder string) (names []string) {
	t.Helper()
	for _, path := range scoringtest.Must(filepath.Glob(filepath.Join(folder, "*.schema.json"))) {
		names = append(names, filepath.Base(path))
	}
	if len(names) < 8 {
		t.Fatalf("found only the schemas %v", names)
	}
	return names
}
