package kafkawire

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Special times for listOffset.
const (
	atEarliest = -2
	atLatest   = -1
)

// Isolation levels, as the protocol numbers them.
const (
	readUncommittedLevel = 0
	readCommittedLevel   = 1
)

// Bounds are the oldest offset that a partition holds and its end offset, both also counting records of transactions
// that are open. Errors: pipeline.ErrUnavailable.
func (c *Client) Bounds(ctx context.Context, topic string, partition int32) (start, end int64, err error) {
	if start, err = c.listOffset(ctx, topic, partition, atEarliest); err != nil {
		return 0, 0, err
	}
	end, err = c.listOffset(ctx, topic, partition, atLatest)
	return start, end, err
}

// StableEnd is the end offset of what readers of committed records get: the first offset of the oldest transaction that
// is open, or the end offset where none is. Errors: pipeline.ErrUnavailable.
func (c *Client) StableEnd(ctx context.Context, topic string, partition int32) (int64, error) {
	return c.listOffsetAs(ctx, topic, partition, atLatest, readCommittedLevel)
}

// StableBounds are the oldest offset that a partition holds and its StableEnd. Errors: pipeline.ErrUnavailable.
func (c *Client) StableBounds(ctx context.Context, topic string, partition int32) (start, end int64, err error) {
	if start, err = c.listOffset(ctx, topic, partition, atEarliest); err != nil {
		return 0, 0, err
	}
	end, err = c.StableEnd(ctx, topic, partition)
	return start, end, err
}

// OffsetAt is the offset of the first record whose timestamp is not before at; the end offset where there is none.
// Errors: pipeline.ErrUnavailable.
func (c *Client) OffsetAt(ctx context.Context, topic string, partition int32, at time.Time) (int64, error) {
	offset, err := c.listOffset(ctx, topic, partition, at.UnixMilli())
	if err == nil && offset < 0 {
		return c.listOffset(ctx, topic, partition, atLatest)
	}
	return offset, err
}

func (c *Client) listOffset(ctx context.Context, topic string, partition int32, at int64) (int64, error) {
	return c.listOffsetAs(ctx, topic, partition, at, readUncommittedLevel)
}

// listOffsetAs is listOffset for readers of one isolation level, which tells apart what the latest offset is.
func (c *Client) listOffsetAs(ctx context.Context, topic string, partition int32, at int64, level int8) (int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel = -1, level
	t, p := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp, p.CurrentLeaderEpoch = partition, at, -1
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	var found *kmsg.ListOffsetsResponseTopicPartition
	_, err := c.askSafe(ctx, ToLeader(topic, partition), req, func(r kmsg.Response) int16 {
		found = nil
		for _, t := range r.(*kmsg.ListOffsetsResponse).Topics {
			for i := range t.Partitions {
				found = &t.Partitions[i]
			}
		}
		if found == nil {
			return int16(UnknownTopicOrPartition)
		}
		return found.ErrorCode
	})
	if err != nil {
		return 0, fmt.Errorf("list offsets of %s/%d: %w", topic, partition, err)
	}
	return found.Offset, nil
}

// Committed is a group's offset in a partition.
type Committed struct {
	Exists   bool
	Offset   int64
	Metadata string
}

// Committed asks for a group's offset in a partition, once no transaction holds a newer one open. Errors:
// pipeline.ErrUnavailable.
func (c *Client) Committed(ctx context.Context, group, topic string, partition int32) (Committed, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.RequireStable = group, true
	t := kmsg.NewOffsetFetchRequestTopic()
	t.Topic, t.Partitions = topic, []int32{partition}
	req.Topics = append(req.Topics, t)
	var out Committed
	_, err := c.askSafe(ctx, ToGroup(group), req, func(r kmsg.Response) (code int16) {
		out, code = readCommitted(r.(*kmsg.OffsetFetchResponse))
		return code
	})
	if err != nil {
		return Committed{}, fmt.Errorf("fetch offset of group %s in %s/%d: %w", group, topic, partition, err)
	}
	return out, nil
}

func readCommitted(r *kmsg.OffsetFetchResponse) (out Committed, code int16) {
	if Error(r.ErrorCode) == GroupIDNotFound {
		return out, 0
	}
	if r.ErrorCode != 0 {
		return out, r.ErrorCode
	}
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 || p.Offset < 0 {
				return out, p.ErrorCode
			}
			out = Committed{Exists: true, Offset: p.Offset}
			if p.Metadata != nil {
				out.Metadata = *p.Metadata
			}
		}
	}
	return out, 0
}

// DeleteOffsets removes a group's offsets in a topic's partitions [0, partitions). The group must have no member that
// reads the topic. Errors: GroupSubscribed where it has one, pipeline.ErrUnavailable.
func (c *Client) DeleteOffsets(ctx context.Context, group, topic string, partitions int32) error {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = group
	t := kmsg.NewOffsetDeleteRequestTopic()
	t.Topic = topic
	for i := range partitions {
		p := kmsg.NewOffsetDeleteRequestTopicPartition()
		p.Partition = i
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	_, err := c.askSafe(ctx, ToGroup(group), req, func(r kmsg.Response) int16 {
		res := r.(*kmsg.OffsetDeleteResponse)
		if res.ErrorCode != 0 {
			return res.ErrorCode
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					return p.ErrorCode
				}
			}
		}
		return 0
	})
	if err != nil {
		return fmt.Errorf("delete offsets of group %s in %s: %w", group, topic, err)
	}
	return nil
}
