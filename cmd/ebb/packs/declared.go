package packs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/scoring/pack"
)

// Declared is a setting that two packs declare differently, or that only one of them has. Items of a list are referred
// to by name: factors by their code, playbooks by the id of their `mid`, openings by their signal.
type Declared struct {
	Path []string `json:"path"`
	A    any      `json:"a"` // null: A does not have it
	B    any      `json:"b"` // null: B does not have it
}

// declaredDifferences compares the canonical forms of two packs, without their names and versions.
func declaredDifferences(a, b *pack.Pack) []Declared {
	var trees [2]map[string]any
	for i, k := range []*pack.Pack{a, b} {
		decoder := json.NewDecoder(bytes.NewReader(k.Canonical()))
		decoder.UseNumber()
		if err := decoder.Decode(&trees[i]); err != nil {
			panic("BUG: a pack's canonical form is JSON: " + err.Error())
		}
		delete(trees[i], "name")
		delete(trees[i], "version")
		readablePack(trees[i], k)
	}
	all := []Declared{}
	differ(&all, nil, trees[0], trees[1])
	return all
}

// readablePack writes settings in the form that a pack's author uses.
func readablePack(tree map[string]any, k *pack.Pack) {
	delete(tree, "horizon_ms")
	tree["horizon"] = advice.FormatDuration(k.Horizon)
	tree["tiers"] = map[string]any{"watch": k.Tiers.Watch, "at_risk": k.Tiers.AtRisk, "critical": k.Tiers.Critical}
}

// differ appends where two trees differ. It treats a section that only one of them has like an empty one.
func differ(all *[]Declared, path []string, a, b any) {
	x, y := byName(a), byName(b)
	section := len(path) == 1 && (x != nil || y != nil)
	switch {
	case reflect.DeepEqual(a, b):
	case section || x != nil && y != nil:
		before := len(*all)
		names := map[string]any{}
		maps.Copy(names, x)
		maps.Copy(names, y)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			differ(all, append(slices.Clone(path), name), x[name], y[name])
		}
		if _, list := a.([]any); list && len(*all) == before {
			*all = append(*all, Declared{append(slices.Clone(path), "order"), namesOf(a), namesOf(b)})
		}
	default:
		*all = append(*all, Declared{path, readableValue(a), readableValue(b)})
	}
}

// byName holds the items of a mapping, or of a list whose items have names, by name; nil: the value is neither.
func byName(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		all := map[string]any{}
		for _, item := range v {
			name := nameOf(item)
			if name == "" {
				return nil
			}
			for base, n := name, 2; all[name] != nil; n++ {
				name = fmt.Sprintf("%s %d", base, n)
			}
			all[name] = item
		}
		return all
	}
	return nil
}

// namesOf are the names of the items of a list, in its order.
func namesOf(list any) (names []any) {
	items, _ := list.([]any)
	for _, item := range items {
		names = append(names, nameOf(item))
	}
	return names
}

// nameOf is the name of an item of a list; empty: it has none, like a point of a curve.
func nameOf(item any) string {
	switch item := item.(type) {
	case string:
		return item
	case map[string]any:
		for _, key := range []string{"code", "signal", "property"} {
			if name, ok := item[key].(string); ok {
				return name
			}
		}
		if play, ok := item["mid"].(map[string]any); ok {
			name, _ := play["id"].(string)
			return name
		}
	}
	return ""
}

// readableValue writes spans in days.
func readableValue(v any) any {
	switch v := v.(type) {
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			return advice.FormatDuration(d)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = readableValue(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = readableValue(item)
		}
		return out
	}
	return v
}
