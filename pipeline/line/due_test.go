package line

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/pipeline"
)

// TestDueQueueOrder fills a queue bucket by bucket, arms more within the loaded hours, and removes everything up to
// growing limits: each deadline comes once, in order, and none beyond the limit.
func TestDueQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newDueQueue()
		clock := pipeline.Clock{
			Started:   true,
			Fired:     pipeline.Due{Minute: 600, Hash: math.MaxUint64},
			Watermark: 600 * pipeline.MinuteMillis,
		}
		var want, got []pipeline.Due
		minute := int64(600)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			minute += rapid.Int64Range(0, 200).Draw(t, "advance")
			clock.Watermark = minute * pipeline.MinuteMillis
			for _, b := range q.wanted(nil, &clock, clock.Minute(), 100) {
				var stored []byte
				for range rapid.IntRange(0, 5).Draw(t, "entries") {
					m, key := b*pipeline.BucketMinutes+rapid.Int64Range(0, pipeline.BucketMinutes-1).
						Draw(t, "minute"),
						fmt.Appendf(
							nil,
							"c%d",
							len(want),
						)
					stored = pipeline.AppendDue(stored, m, key)
					if d := (pipeline.Due{Minute: m, Hash: pipeline.KeyHash(key)}); d.Compare(clock.Fired) > 0 {
						want = append(want, d)
					}
				}
				if err := q.load(b, clock.Fired, stored, nil); err != nil {
					t.Fatal(err)
				}
			}
			limit := pipeline.Due{Minute: minute, Hash: math.MaxUint64}
			for {
				item, ok := q.peek(limit)
				if !ok {
					break
				}
				q.drop()
				got = append(got, item.Due)
				if item.Minute < minute && rapid.IntRange(0, 3).Draw(t, "rearm") == 0 {
					key := fmt.Appendf(nil, "r%d", len(want))
					d := pipeline.Due{Minute: rapid.Int64Range(item.Minute+1, minute).Draw(t, "armed"), Hash: pipeline.KeyHash(key)}
					q.add(d, key)
					want = append(want, d)
				}
			}
			if q.pending(limit) {
				t.Fatal("something is left up to the limit")
			}
			clock.Fired = limit
		}
		want = slices.DeleteFunc(want, func(d pipeline.Due) bool { return d.Compare(clock.Fired) > 0 })
		slices.SortFunc(want, pipeline.Due.Compare)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDueBucketDamaged(t *testing.T) {
	whole := pipeline.AppendDue(nil, 7, []byte("customer"))
	for n := 1; n < len(whole); n++ {
		if err := newDueQueue().load(0, pipeline.Due{}, whole[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken for a bucket", n, len(whole))
		}
	}
	if err := newDueQueue().load(0, pipeline.Due{}, append([]byte{0xe8, 2}, whole[1:]...)); err == nil {
		t.Error("minute 360 of 360 is taken for one")
	}
}

// TestDueQueueStaysBounded: while the sweeps are behind, buckets stay in the store, however far the watermark is ahead.
// Once there is room the next one is loaded.
func TestDueQueueStaysBounded(t *testing.T) {
	clock := pipeline.Clock{Started: true, Watermark: 400 * 24 * 3_600_000}
	q := newDueQueue()
	first := q.wanted(nil, &clock, clock.Minute(), 3)
	if len(first) != 3 {
		t.Fatalf("%d buckets wanted, want 3", len(first))
	}
	var entries []byte
	for i := range enoughDue {
		entries = pipeline.AppendDue(entries, pipeline.BucketEnd(first[0]-1).Minute+1, []byte{0, byte(i), byte(i >> 8)})
	}
	if err := q.load(first[0], pipeline.Due{}, entries); err != nil {
		t.Fatal(err)
	}
	if more := q.wanted(nil, &clock, clock.Minute(), 3); len(more) != 0 {
		t.Errorf("%v wanted on top of %d items", more, q.size())
	}
	if !q.pending(pipeline.Due{Minute: clock.Minute()}) {
		t.Error("nothing left to do")
	}
	q.drop()
	if more := q.wanted(nil, &clock, clock.Minute(), 3); len(more) != 3 || more[0] != first[0]+1 {
		t.Errorf("%v wanted after %d", more, first[0])
	}
}
