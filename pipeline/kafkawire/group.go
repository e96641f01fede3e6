package kafkawire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupState is what a group's coordinator knows of it.
type GroupState struct {
	State    string // Empty, Stable, PreparingRebalance, CompletingRebalance, Dead
	Protocol string
	Members  []GroupMember
	May      Operations
}

// GroupMember is one member of a group.
type GroupMember struct {
	ID       string
	Instance string // empty: not a static member
	Client   string
	Host     string
	Metadata []byte // what it subscribes to, as it said when joining
	Assigned []byte // what it was given
}

// DescribeGroup asks for a group. One that does not exist has the state Dead. Errors: pipeline.ErrUnavailable.
func (c *Client) DescribeGroup(ctx context.Context, group string) (GroupState, error) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	req.IncludeAuthorizedOperations = true
	answer, err := c.askSafe(ctx, ToGroup(group), req, func(r kmsg.Response) int16 {
		for _, g := range r.(*kmsg.DescribeGroupsResponse).Groups {
			if g.ErrorCode != int16(GroupIDNotFound) {
				return g.ErrorCode
			}
		}
		return 0
	})
	if err != nil {
		return GroupState{}, fmt.Errorf("describe group %s: %w", group, err)
	}
	out := GroupState{State: "Dead", May: unsaid}
	for _, g := range answer.(*kmsg.DescribeGroupsResponse).Groups {
		out.State, out.Protocol, out.May = g.State, g.Protocol, Operations(g.AuthorizedOperations)
		for _, m := range g.Members {
			one := GroupMember{
				ID:       m.MemberID,
				Client:   m.ClientID,
				Host:     m.ClientHost,
				Metadata: m.ProtocolMetadata,
				Assigned: m.MemberAssignment,
			}
			if m.InstanceID != nil {
				one.Instance = *m.InstanceID
			}
			out.Members = append(out.Members, one)
		}
	}
	return out, nil
}

// NewerMembers are the members of a group that speak the newer protocol (KIP-848), by which the coordinator deals the
// partitions; none where it is no such group, or the brokers know of none. Errors: pipeline.ErrUnavailable.
func (c *Client) NewerMembers(ctx context.Context, group string) (members []GroupMember, err error) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{group}
	answer, err := c.askSafe(ctx, ToGroup(group), req, func(r kmsg.Response) int16 {
		for _, g := range r.(*kmsg.ConsumerGroupDescribeResponse).Groups {
			if g.ErrorCode != int16(GroupIDNotFound) {
				return g.ErrorCode
			}
		}
		return 0
	})
	if errors.Is(err, UnsupportedVersion) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe consumer group %s: %w", group, err)
	}
	const classic = 0
	for _, g := range answer.(*kmsg.ConsumerGroupDescribeResponse).Groups {
		for _, m := range g.Members {
			if m.MemberType != classic {
				members = append(members, GroupMember{ID: m.MemberID, Client: m.ClientID, Host: m.ClientHost})
			}
		}
	}
	return members, nil
}

// Groups are the names of the groups that the brokers know and let us see, in order. Errors: pipeline.ErrUnavailable.
func (c *Client) Groups(ctx context.Context) (names []string, err error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // of none
	answer, err := c.askSafe(ctx, ToAny(), req, func(kmsg.Response) int16 { return 0 })
	if err != nil {
		return nil, fmt.Errorf("list brokers: %w", err)
	}
	for _, b := range answer.(*kmsg.MetadataResponse).Brokers { // each knows those that it coordinates
		answer, err := c.askSafe(ctx, toNode(b.NodeID), kmsg.NewPtrListGroupsRequest(), func(r kmsg.Response) int16 {
			return r.(*kmsg.ListGroupsResponse).ErrorCode
		})
		if err != nil {
			return nil, fmt.Errorf("list groups of broker %d: %w", b.NodeID, err)
		}
		for _, g := range answer.(*kmsg.ListGroupsResponse).Groups {
			names = append(names, g.Group)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// RemoveStatic takes static members out of a group, which their own SIGTERM does not. Those that are not in it are
// passed over. Errors: pipeline.ErrUnavailable.
func (c *Client) RemoveStatic(ctx context.Context, group string, instances ...string) error {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = group
	for _, id := range instances {
		m := kmsg.NewLeaveGroupRequestMember()
		m.InstanceID = &id
		req.Members = append(req.Members, m)
	}
	_, err := c.askSafe(ctx, ToGroup(group), req, func(r kmsg.Response) int16 {
		res := r.(*kmsg.LeaveGroupResponse)
		for _, m := range res.Members {
			if m.ErrorCode != 0 && Error(m.ErrorCode) != UnknownMember {
				return m.ErrorCode
			}
		}
		return res.ErrorCode
	})
	if err != nil {
		return fmt.Errorf("remove members from group %s: %w", group, err)
	}
	return nil
}
