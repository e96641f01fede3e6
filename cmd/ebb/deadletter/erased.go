package deadletter

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// erasure is where a customer was erased: Kafka removes no single record, so those that were quarantined before, with the
// key of the record that asked for it, are neither shown nor sent again.
type erasure struct {
	id     pipeline.Identity
	key    pipeline.ErasedHash
	offset int64 // of the input
}

// readErasures finds who was erased, by the control records of the group. A user who may not read those hides nothing.
func (q *Queue) readErasures(ctx context.Context) error {
	control, err := connect.FindControl(ctx, q.client, q.cfg)
	if unknown(err) {
		return nil
	}
	if err != nil {
		return connect.Explain(err, q.cfg)
	}
	input, err := q.client.Topic(ctx, q.cfg.Kafka.Input)
	if unknown(err) {
		return nil
	}
	if err != nil {
		return connect.Explain(err, q.cfg)
	}
	ledger := control.Ledger(q.client, q.cfg)
	for n := range min(input.Partitions, control.Partitions) {
		id := pipeline.Identity{
			Group: q.cfg.Kafka.Group, Input: input.Name, Topic: input.ID, Cluster: input.Cluster, Partition: int(n),
		}
		all, err := ledger.Controls(ctx, id)
		if unknown(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read control records: %w", err)
		}
		for i := range all {
			if c := &all[i]; c.Kind == pipeline.ControlErased {
				q.erased[n] = append(q.erased[n], erasure{id, c.Erased.Key, c.Offset})
			}
		}
	}
	return nil
}

// unknown reports whether a topic is not there, or hidden from the user.
func unknown(err error) bool {
	return errors.Is(err, kafkawire.UnknownTopicOrPartition) || errors.Is(err, kafkawire.TopicDenied)
}

// hides reports whether a letter is of a customer who was erased behind it.
func (q *Queue) hides(l *Letter) bool {
	if l.Source.Topic != q.cfg.Kafka.Input {
		return false
	}
	for _, e := range q.erased[l.Source.Partition] {
		if l.Source.Offset < e.offset && e.id.ErasedHash(l.Key) == e.key {
			return true
		}
	}
	return false
}
