package contracts

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Direction is who writes what a schema describes.
type Direction bool

// Directions.
const (
	Published Direction = false // ebb writes it, and others rely on all of it
	Accepted  Direction = true  // others write it, and ebb may not ask for more than before
)

// Broken is what a schema takes back of an earlier one, a line each; none: it only adds. What an earlier schema says
// stays word for word, but for descriptions. Added may be members, values of an enum, alternatives and, in what ebb
// publishes, required members; in what it accepts, requirements may be dropped instead.
func Broken(before, now any, d Direction) []string {
	return d.compare("", "", before, now)
}

// compare compares what stands at a place under a key.
func (d Direction) compare(at, key string, before, now any) []string {
	switch before := before.(type) {
	case map[string]any:
		if now, ok := now.(map[string]any); ok {
			return d.compareMembers(at, key, before, now)
		}
	case []any:
		if now, ok := now.([]any); ok && growing(key) {
			return d.compareList(at, key, before, now)
		}
	}
	if !reflect.DeepEqual(before, now) {
		return []string{fmt.Sprintf("%s: %v has become %v", at, before, now)}
	}
	return nil
}

// compareMembers compares objects: schemas, or members by name.
func (d Direction) compareMembers(at, key string, before, now map[string]any) (broken []string) {
	named := byName(key)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if !named && remark(name) {
			continue
		}
		after, kept := now[name]
		switch {
		case kept:
			broken = append(broken, d.compare(at+"/"+name, inside(named, name), before[name], after)...)
		case !named && name == "required" && d == Accepted:
		default:
			broken = append(broken, at+"/"+name+": is gone")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		_, known := before[name]
		if known || named || remark(name) || byName(name) || name == "required" && d == Published {
			continue
		}
		broken = append(broken, fmt.Sprintf("%s/%s: is a new restriction", at, name))
	}
	return broken
}

// compareList compares lists to which items may be added: names and values in any order, schemas by their place.
func (d Direction) compareList(at, key string, before, now []any) (broken []string) {
	switch {
	case key == "required" && d == Accepted:
		return missing(at, now, before, "is a new requirement")
	case key == "required" || key == "enum":
		return missing(at, before, now, "is gone")
	case len(now) < len(before):
		return []string{at + ": is shorter"}
	}
	for i := range before {
		broken = append(broken, d.compare(fmt.Sprintf("%s/%d", at, i), "", before[i], now[i])...)
	}
	return broken
}

// missing are those of some that are not among all.
func missing(at string, some, all []any, what string) (broken []string) {
	for _, v := range some {
		if !slices.Contains(all, v) {
			broken = append(broken, fmt.Sprintf("%s: %v %s", at, v, what))
		}
	}
	return broken
}

// inside is the key of a value: a member's name says nothing about what its schema is.
func inside(named bool, name string) string {
	if named {
		return ""
	}
	return name
}

// byName reports whether the object under a key of a schema has members that are schemas, by names.
func byName(key string) bool {
	return slices.Contains([]string{"properties", "patternProperties", "definitions", "$defs"}, key)
}

// growing reports whether items may be added to the list under a key.
func growing(key string) bool {
	return slices.Contains([]string{"required", "enum", "anyOf", "oneOf"}, key)
}

// remark reports whether a key of a schema is for people or tools, and says nothing about values.
func remark(key string) bool {
	return slices.Contains([]string{"$schema", "$id", "$comment", "title", "description", "examples", "default"}, key)
}
