package kafkawire

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Join asks to become, or to stay, a member of a group.
type Join struct {
	Membership          // Generation is not looked at; Member is empty for a new member
	Protocols  []string // what the member can do, what it likes best first; the group does what all of its members can
	Metadata   []byte   // what the member subscribes to
	Session    time.Duration
	Rebalance  time.Duration // how long the coordinator waits for all members to join
}

// Joined is how a group took a member in.
type Joined struct {
	Membership
	Protocol string        // of those offered, the one that the group uses in this generation
	Leader   bool          // this member deals out the partitions
	Settled  bool          // but they are dealt out already, and stay so
	Members  []GroupMember // the leader sees all members
}

// consumerProtocol is the kind of group that Kafka's tools know how to describe.
const consumerProtocol = "consumer"

// Join waits until the group's members are known, for as long as j.Rebalance. Errors: MemberIDRequired (join again
// under the Member that is returned), UnknownMember, FencedInstance, others as they are; pipeline.ErrUnavailable.
func (c *Client) Join(ctx context.Context, j Join) (Joined, error) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID = j.Group, j.Member, instance(j.Instance)
	req.SessionTimeoutMillis = int32(j.Session.Milliseconds())
	req.RebalanceTimeoutMillis = int32(j.Rebalance.Milliseconds())
	req.ProtocolType = consumerProtocol
	for _, name := range j.Protocols {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = name, j.Metadata
		req.Protocols = append(req.Protocols, p)
	}
	answer, err := c.request(ctx, ToGroup(j.Group), req, j.Rebalance+c.timeout)
	if err != nil {
		return Joined{Membership: j.Membership}, fmt.Errorf("join group %s: %w", j.Group, err)
	}
	res := answer.(*kmsg.JoinGroupResponse)
	out := Joined{Membership: j.Membership}
	out.Generation, out.Member = res.Generation, res.MemberID
	if err := asError(res.ErrorCode); err != nil {
		c.forgetIfMoved(ToGroup(j.Group), err)
		return out, fmt.Errorf("join group %s: %w", j.Group, err)
	}
	if res.Protocol != nil {
		out.Protocol = *res.Protocol
	}
	out.Leader, out.Settled = res.LeaderID == res.MemberID, res.SkipAssignment
	for _, m := range res.Members {
		one := GroupMember{ID: m.MemberID, Metadata: m.ProtocolMetadata}
		if m.InstanceID != nil {
			one.Instance = *m.InstanceID
		}
		out.Members = append(out.Members, one)
	}
	return out, nil
}

// Sync waits for the leader to deal out the partitions and returns this member's part. assigned, by member id, is what
// the leader deals out; nil for the others. Errors: RebalanceInProgress and IllegalGeneration (join again),
// UnknownMember, FencedInstance, others as they are; pipeline.ErrUnavailable.
func (c *Client) Sync(ctx context.Context, j Join, m Joined, assigned map[string][]byte) ([]byte, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = m.Group, m.Generation, m.Member, instance(m.Instance)
	req.ProtocolType, req.Protocol = new(consumerProtocol), &m.Protocol
	for id, part := range assigned {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, part
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	answer, err := c.request(ctx, ToGroup(m.Group), req, j.Rebalance+c.timeout)
	if err != nil {
		return nil, fmt.Errorf("sync group %s: %w", m.Group, err)
	}
	res := answer.(*kmsg.SyncGroupResponse)
	if err := asError(res.ErrorCode); err != nil {
		c.forgetIfMoved(ToGroup(m.Group), err)
		return nil, fmt.Errorf("sync group %s: %w", m.Group, err)
	}
	return res.MemberAssignment, nil
}

// Heartbeat tells the coordinator that the member lives. Errors: RebalanceInProgress (still a member, to join again),
// IllegalGeneration, UnknownMember and FencedInstance (a member no more), all of them pipeline.ErrFenced;
// pipeline.ErrUnavailable.
func (c *Client) Heartbeat(ctx context.Context, m Membership) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = m.Group, m.Generation, m.Member, instance(m.Instance)
	_, err := c.askSafe(
		ctx,
		ToGroup(m.Group),
		req,
		func(r kmsg.Response) int16 { return r.(*kmsg.HeartbeatResponse).ErrorCode },
	)
	if err != nil {
		return fmt.Errorf("heartbeat to group %s: %w", m.Group, err)
	}
	return nil
}

// Leave takes the member out of the group, so that the others need not wait for its session to end. Errors:
// UnknownMember, FencedInstance, pipeline.ErrUnavailable.
func (c *Client) Leave(ctx context.Context, m Membership) error {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = m.Group
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID, one.InstanceID = m.Member, instance(m.Instance)
	req.Members = append(req.Members, one)
	_, err := c.askSafe(ctx, ToGroup(m.Group), req, func(r kmsg.Response) int16 {
		res := r.(*kmsg.LeaveGroupResponse)
		for _, m := range res.Members {
			if m.ErrorCode != 0 {
				return m.ErrorCode
			}
		}
		return res.ErrorCode
	})
	if err != nil {
		return fmt.Errorf("leave group %s: %w", m.Group, err)
	}
	return nil
}

// instance is nil where there is none: an empty one would be a name.
func instance(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}
