package pipeline_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// TestErasures compares them with a map.
func TestErasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all pipeline.Erasures
		naive := map[pipeline.ErasedHash]int64{}
		for range rapid.IntRange(0, 20).Draw(t, "erasures") {
			before := slices.Clone(all)
			e := pipeline.Erasure{
				Hash: pipeline.ErasedHash(rapid.IntRange(0, 9).Draw(t, "who")), Until: rapid.Int64Range(1, 9).Draw(t, "until"),
			}
			next := all.With(e)
			if diff := cmp.Diff(before, all); diff != "" {
				t.Fatalf("they were changed in place:\n%s", diff)
			}
			all, naive[e.Hash] = next, max(naive[e.Hash], e.Until)
		}
		for h := range pipeline.ErasedHash(10) {
			want, known := naive[h]
			if got, erased := all.Until(h); got != want || erased != known {
				t.Fatalf("%v: %d, %v, want %d, %v", h, got, erased, want, known)
			}
		}
		if len(all) != len(slices.Collect(maps.Keys(naive))) {
			t.Fatalf("%+v", all)
		}
	})
}

// TestErasedHash: the hash is one of group, input and key, and stays what it is: it is kept for good.
func TestErasedHash(t *testing.T) {
	id := pipeline.Identity{Group: "ebb", Topic: "Zm9vYmFyYmF6cXV1eDAwMA", Input: "events", Partition: 3}
	key := pipeline.AppendKey(nil, []byte("acme"), []byte("c-42"))
	got := id.ErasedHash(key)
	if got.String() != "5891b5f09ea0ced7" {
		t.Errorf("%v", got)
	}
	moved := id
	moved.Partition, moved.Cluster, moved.Pack = 1, "another", "p"
	if moved.ErasedHash(key) != got {
		t.Error("it depends on more")
	}
	for _, other := range []pipeline.Identity{{Group: "ebb2", Topic: id.Topic}, {Group: "ebb", Topic: "t"}} {
		if other.ErasedHash(key) == got {
			t.Errorf("%+v has the same", other)
		}
	}
}

// TestNewErased: nothing that a control record says holds the id.
func TestNewErased(t *testing.T) {
	id := pipeline.Identity{Group: "g", Topic: "t"}
	e := pipeline.Event{Customer: []byte("c-42"), Key: pipeline.AppendKey(nil, nil, []byte("c-42"))}
	for _, c := range []struct{ by, why, wantBy, wantWhy string }{
		{"kim", "request 17", "kim", "request 17"},
		{"c-42", "request 17", "", "request 17"},
		{"kim", "of c-42 himself", "kim", ""},
	} {
		r := pipeline.Record{Key: []byte("c-42")}
		r.Headers = kafkabatch.AppendHeaderCount(nil, 2)
		r.Headers = kafkabatch.AppendHeader(r.Headers, pipeline.EraseHeader, c.by)
		r.Headers = kafkabatch.AppendHeader(r.Headers, pipeline.EraseReason, c.why)
		got := pipeline.NewErased(id, &e, &r, 1_772_357_400_123)
		want := pipeline.Erased{
			Customer: id.ErasedHash(e.Key), Key: id.ErasedHash(r.Key), Until: time.UnixMilli(1_772_357_400_123).UTC(),
			By: c.wantBy, Why: c.wantWhy,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		text, err := json.Marshal(got)
		if err != nil || bytes.Contains(text, []byte("c-42")) {
			t.Errorf("%v: %s", err, text)
		}
		var again pipeline.Erased
		if err := json.Unmarshal(text, &again); err != nil || again != got {
			t.Errorf("%v: %+v", err, again)
		}
	}
	if got := pipeline.NewErased(id, &e, &pipeline.Record{}, 0); got.By != "" || got.Why != "" {
		t.Errorf("%+v", got)
	}
	if json.Unmarshal([]byte(`{"customer":"no hash"}`), new(pipeline.Erased)) == nil {
		t.Error("a word is read as a hash")
	}
}

// TestWithoutDue compares with the entries that are left, appended one by one.
func TestWithoutDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bucket := rapid.Int64Range(-2, 9).Draw(t, "bucket")
		var all, want []byte
		removed := 0
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			minute := bucket*pipeline.BucketMinutes + rapid.Int64Range(0, pipeline.BucketMinutes-1).Draw(t, "minute")
			key := rapid.SliceOfN(rapid.ByteRange(0, 3), 1, 3).Draw(t, "key")
			all = pipeline.AppendDue(all, minute, key)
			if key[0] == 0 {
				removed++
			} else {
				want = pipeline.AppendDue(want, minute, key)
			}
		}
		gone := func(key []byte) bool { return key[0] == 0 }
		got, n, ok := pipeline.WithoutDue(nil, all, bucket, gone)
		if !ok || n != removed || !bytes.Equal(got, want) {
			t.Fatalf("%x, %d, %v, want %x and %d", got, n, ok, want, removed)
		}
		inPlace, n, ok := pipeline.WithoutDue(all[:0], all, bucket, gone)
		if !ok || n != removed || !bytes.Equal(inPlace, want) {
			t.Fatalf("in place: %x, %d, %v, want %x and %d", inPlace, n, ok, want, removed)
		}
	})
	if _, _, ok := pipeline.WithoutDue(nil, []byte{0xff}, 0, func([]byte) bool { return true }); ok {
		t.Error("damage is not found")
	}
}
