package profile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// texts are the facts by mark.
func texts(f profile.Facts) map[uint16]string {
	all := map[uint16]string{}
	for mark, text := range f.All {
		all[mark] = string(text)
	}
	return all
}

// TestFacts: of each fact the newest event's text stays, in whatever order they come, and the state is read back.
func TestFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := rapid.SliceOfNDistinct(rapid.Uint16(), 1, profile.MaxFacts, rapid.ID).Draw(t, "marks")
		var facts profile.Facts
		want, times := map[uint16]string{}, map[uint16]int64{}
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			mark := rapid.SampledFrom(marks).Draw(t, "mark")
			at := rapid.Int64Range(0, 20).Draw(t, "at")
			text := strings.Repeat(
				rapid.SampledFrom([]string{"a", "ä", "plan "}).Draw(t, "text"),
				rapid.IntRange(1, 10).Draw(t, "n"),
			)
			facts = facts.Put(mark, at, []byte(text))
			if at >= times[mark] {
				want[mark], times[mark] = text, at
			}
		}
		if diff := cmp.Diff(want, texts(facts)); diff != "" || !facts.Valid() {
			t.Fatalf("valid %v%s", facts.Valid(), diff)
		}
		for _, mark := range marks {
			if got := string(facts.Text(mark)); got != want[mark] {
				t.Fatalf("%d is %q, want %q", mark, got, want[mark])
			}
		}
		c := profile.Customer{Profile: &profile.Profile{At: 5, Friction: 1}, Facts: facts}
		back := profile.Customer{Profile: &profile.Profile{}}
		if err := profile.Read(
			profile.Append(nil, &c, profile.Format),
			&back,
		); err != nil ||
			!slices.Equal(back.Facts, facts) {
			t.Fatalf("read back as %x, %v, want %x", back.Facts, err, facts)
		}
		some := rapid.SliceOf(rapid.SampledFrom(marks)).Draw(t, "kept")
		kept := slices.Clone(facts).Keep(func(mark uint16) bool { return slices.Contains(some, mark) })
		maps.DeleteFunc(want, func(mark uint16, _ string) bool { return !slices.Contains(some, mark) })
		if diff := cmp.Diff(want, texts(kept)); diff != "" || !kept.Valid() {
			t.Fatalf("kept: valid %v%s", kept.Valid(), diff)
		}
	})
}

// TestFactsBounds: one fact too many is not taken, and what no event can have left is damage.
func TestFactsBounds(t *testing.T) {
	var full profile.Facts
	for mark := range uint16(profile.MaxFacts) {
		full = full.Put(mark, 1, []byte("a"))
	}
	if got := full.Put(99, 2, []byte("b")); string(got.Text(99)) != "" || !got.Valid() {
		t.Errorf("a ninth fact: %x", got)
	}
	if got := full.Put(7, 2, []byte("b")); string(got.Text(7)) != "b" {
		t.Errorf("of eight the last is not replaced: %x", got)
	}
	one := profile.Facts(nil).Put(3, moment.Max, []byte(strings.Repeat("x", profile.MaxFactSize)))
	if !one.Valid() {
		t.Fatal("one fact is not valid")
	}
	late := slices.Clone(one)
	late[7]++
	for name, b := range map[string]profile.Facts{
		"cut":          one[:len(one)-1],
		"a head alone": one[:8],
		"empty":        {3, 0, 1, 0, 0, 0, 0, 0, 0},
		"too long":     append(append(slices.Clone(one[:8]), profile.MaxFactSize+1), make([]byte, profile.MaxFactSize+1)...),
		"no UTF-8":     {3, 0, 1, 0, 0, 0, 0, 0, 1, 0xff},
		"one twice":    slices.Concat(one, one),
		"falling":      slices.Concat(one, profile.Facts(nil).Put(2, 1, []byte("a"))),
		"nine":         slices.Concat(full, profile.Facts(nil).Put(99, 1, []byte("a"))),
		"a late time":  late,
	} {
		if b.Valid() {
			t.Errorf("%s: %x is taken for facts", name, b)
		}
	}
}

// TestFactsInPlace: a fact that changes needs no memory once there was enough.
func TestFactsInPlace(t *testing.T) {
	facts, at := make(profile.Facts, 0, 256), int64(0)
	names := [][]byte{[]byte("a lamp"), []byte("a longer lamp"), []byte("x")}
	for mark := range uint16(4) {
		facts = facts.Put(mark, 0, names[1])
	}
	if n := testing.AllocsPerRun(100, func() {
		at++
		facts = facts.Put(uint16(at%4), at, names[at%3])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFacts(f *testing.F) {
	f.Add([]byte(profile.Facts(nil).Put(3, 5, []byte("a")).Put(9, 7, []byte("bc"))))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		facts := profile.Facts(b)
		if !facts.Valid() {
			return
		}
		n := 0
		for mark, text := range facts.All {
			if n++; len(text) == 0 || string(facts.Text(mark)) != string(text) {
				t.Fatalf("%d is %q and %q", mark, text, facts.Text(mark))
			}
		}
		if n > profile.MaxFacts || !facts.Keep(func(uint16) bool { return true }).Valid() {
			t.Fatalf("%d facts", n)
		}
	})
}
