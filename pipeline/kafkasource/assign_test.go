package kafkasource_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
)

func TestDeal(t *testing.T) {
	member := func(id, instance, topic string) kafkawire.GroupMember {
		return kafkawire.GroupMember{ID: id, Instance: instance, Metadata: kafkasource.Subscription(topic)}
	}
	for name, c := range map[string]struct {
		members []kafkawire.GroupMember
		n       int32
		want    map[string][]int32
	}{
		"one": {[]kafkawire.GroupMember{member("x", "a", "t")}, 3, map[string][]int32{"x": {0, 1, 2}}},
		"by instance id, not by member id": {
			[]kafkawire.GroupMember{member("x", "b", "t"), member("y", "a", "t")}, 3, map[string][]int32{"y": {0, 1}, "x": {2}},
		},
		"more members than partitions": {
			[]kafkawire.GroupMember{member("x", "a", "t"), member("y", "b", "t")}, 1, map[string][]int32{"x": {0}, "y": nil},
		},
		"one that reads something else": {
			[]kafkawire.GroupMember{
				member("x", "a", "other"),
				member("y", "b", "t"),
			}, 2, map[string][]int32{"x": nil, "y": {0, 1}},
		},
		"none that reads it": {[]kafkawire.GroupMember{member("x", "a", "other")}, 2, map[string][]int32{"x": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kafkasource.Deal("t", c.n, c.members)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("dealt (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := kafkasource.Deal("t", 1, []kafkawire.GroupMember{{ID: "x", Metadata: []byte{1}}}); err == nil {
		t.Error("a subscription that cannot be read is accepted")
	}
}

// TestDealEvenly deals every partition once, in runs whose lengths differ by at most one, whatever the order of
// members.
func TestDealEvenly(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Int32Range(0, 50).Draw(r, "partitions")
		var members []kafkawire.GroupMember
		for i := range rapid.IntRange(1, 12).Draw(r, "members") {
			members = append(
				members,
				kafkawire.GroupMember{
					ID:       strconv.Itoa(i),
					Instance: fmt.Sprintf("host-%02d", i),
					Metadata: kafkasource.Subscription("t"),
				},
			)
		}
		got, err := kafkasource.Deal("t", n, rapid.Permutation(members).Draw(r, "order"))
		if err != nil {
			r.Fatal(err)
		}
		var all []int32
		for _, m := range members { // in the order of instance ids
			part := got[m.ID]
			if len(part) < int(n)/len(members) || len(part) > int(n)/len(members)+1 {
				r.Errorf("%d of %d partitions for one of %d members", len(part), n, len(members))
			}
			all = append(all, part...)
		}
		if len(all) != int(n) || !slices.IsSorted(all) || len(slices.Compact(all)) != int(n) {
			r.Errorf("dealt %v of %d partitions", all, n)
		}
	})
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := kafkasource.DecodeAssignment("t", b)
		if err == nil && !slices.IsSorted(got) {
			t.Errorf("partitions %v", got)
		}
	})
}
