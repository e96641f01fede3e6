//go:build !integration

package kafkasource_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestMemberForgotten has a coordinator stop in the middle of a rebalance and come back with the generation before: it
// calls a member fenced that it has just taken in, though no other process uses its id. The member comes back as a new one.
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
