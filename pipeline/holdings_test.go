package pipeline_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
)

// TestBuckets holds the runs against a plain set.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got pipeline.Buckets
		want := map[int64]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			b := rapid.Int64Range(-12, 12).Draw(t, "bucket")
			if rapid.Bool().Draw(t, "add") {
				if got.Add(b) == want[b] {
					t.Fatalf("adding %d to %v: is it new?", b, got)
				}
				want[b] = true
			} else {
				got.Remove(b)
				delete(want, b)
			}
			if all := slices.Sorted(maps.Keys(want)); !slices.Equal(got.All(), all) || got.Count() != int64(len(all)) {
				t.Fatalf("%v is %v, want %v", got, got.All(), all)
			}
			for b := int64(-14); b <= 14; b++ {
				if got.Has(b) != want[b] {
					t.Fatalf("%v has %d: %v", got, b, got.Has(b))
				}
			}
			for i := 1; i < len(got); i++ {
				if got[i].From <= got[i-1].To+1 {
					t.Fatalf("%v: runs touch", got)
				}
			}
		}
		m := pipeline.Meta{Version: pipeline.MetaVersion, Buckets: got, Holds: pipeline.Holdings{Profiles: 7}}
		read, err := pipeline.ReadMeta(pipeline.AppendMeta(nil, &m))
		if err != nil || !slices.Equal(read.Buckets, got) || read.Holds != m.Holds {
			t.Fatalf("%v, %v; want %v", read.Buckets, err, got)
		}
	})
}
