//go:build !integration

package kafkasource_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkasource"
)

// TestMemberForgotten lets a coordinator stop in the middle of a rebalance and come back with the generation before: it
// fences a member that it has just admitted, though no other process uses its id. The member comes back as a new one.
func TestMemberForgotten(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := newWorldAt(t, cluster.ListenAddrs(), 2)
	cluster.ControlKey(int16(kmsg.SyncGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		res := r.ResponseKind().(*kmsg.SyncGroupResponse)
		res.ErrorCode = kerr.RebalanceInProgress.Code
		return res, nil, true
	})
	fenced := make(chan string, 10)
	cluster.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		id := r.(*kmsg.JoinGroupRequest).MemberID
		if id == "" || len(fenced) > 0 {
			return nil, nil, false
		}
		fenced <- id
		res := r.ResponseKind().(*kmsg.JoinGroupResponse)
		res.ErrorCode = kerr.FencedInstanceID.Code
		return res, nil, true
	})
	m := w.start("one")
	g := settle(t, 2, m)[0]
	if len(fenced) != 1 || g.Member == <-fenced {
		t.Errorf("member %q: it was not fenced under an id of before", g.Member)
	}
}

// TestMemberForgottenWithItsGeneration lets a coordinator come back with less of its log than it had, twice in a row:
// it has the group as of an earlier generation, and fences members that nobody has replaced, though it had given them
// partitions. They come back as new ones, however often.
func TestMemberForgottenWithItsGeneration(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := newWorldAt(t, cluster.ListenAddrs(), 2)
	one, two := w.start("one"), w.start("two")
	before := settle(t, 2, one, two)[0]
	two.Drain()
	await(t, two.ended, "end")

	lives, life := 3, 0 // the last one stays
	member := func(life int) string { return fmt.Sprintf("one-%d", life) }
	answer := func(key kmsg.Key, take func(kmsg.Request) kmsg.Response) {
		cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			res := take(r)
			return res, nil, res != nil
		})
	}
	fencedInstance := kerr.FencedInstanceID.Code
	answer(kmsg.Heartbeat, func(r kmsg.Request) kmsg.Response {
		res := r.ResponseKind().(*kmsg.HeartbeatResponse)
		if life < lives {
			res.ErrorCode = fencedInstance
		}
		return res
	})
	answer(kmsg.JoinGroup, func(r kmsg.Request) kmsg.Response {
		res := r.ResponseKind().(*kmsg.JoinGroupResponse)
		if r.(*kmsg.JoinGroupRequest).MemberID != "" {
			res.ErrorCode = fencedInstance
			return res
		}
		life++
		protocol := "ebb-range-1"
		res.MemberID, res.LeaderID, res.Protocol, res.Generation = member(
			life,
		), "another", &protocol, before.Generation-int32(
			life,
		)
		return res
	})
	answer(kmsg.SyncGroup, func(r kmsg.Request) kmsg.Response {
		res := r.ResponseKind().(*kmsg.SyncGroupResponse)
		res.MemberAssignment = kafkasource.EncodeAssignment(w.topic, []int32{0, 1})
		return res
	})
	eventually(t, "the last of its lives", func() bool { return one.latest.Load().Member == member(lives) })
	if len(one.ended) > 0 {
		t.Errorf("ended: %v", <-one.ended)
	}
}
