package redisstore

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestKeys: for any name of a group, a partition's keys share one hash tag that no other partition has, contain their
// partition, and hold no character that is special in a pattern of SCAN.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		group := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a:p0-9{}*?\[\]\\%]{0,12}`))
		a, b := group.Draw(rt, "a"), group.Draw(rt, "b")
		m, n := rapid.IntRange(0, 99).Draw(rt, "m"), rapid.IntRange(0, 99).Draw(rt, "n")
		ka, kb := keysOf(a, m), keysOf(b, n)
		if same := a == b && m == n; (hashTag(ka.meta) == hashTag(kb.meta)) != same {
			rt.Fatalf("%q and %q", ka.meta, kb.meta)
		}
		for _, name := range []string{ka.meta, ka.profiles, ka.outbox, ka.due(-7)} {
			if hashTag(name) == "" || hashTag(name) != hashTag(ka.meta) {
				rt.Fatalf("%q has another hash tag than %q", name, ka.meta)
			}
			if got, ok := partitionOf(a, name); !ok || got != m {
				rt.Fatalf("%q: partition %d, %v, want %d", name, got, ok, m)
			}
			if _, ok := partitionOf(b, name); ok != (a == b) {
				rt.Fatalf("%q taken for a key of group %q", name, b)
			}
			if strings.ContainsAny(name, `*?[]\^`) {
				rt.Fatalf("%q reads as a pattern", name)
			}
		}
	})
}

// hashTag is the part of a key that a cluster hashes: between the first brace and the next closing one, if not empty.
func hashTag(name string) string {
	_, rest, _ := strings.Cut(name, "{")
	tag, _, ok := strings.Cut(rest, "}")
	if !ok {
		return ""
	}
	return tag
}
