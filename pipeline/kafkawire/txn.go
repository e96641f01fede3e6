package kafkawire

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// addOffsets makes the group's offsets part of the transaction (version 1).
func (p *Producer) addOffsets(ctx context.Context, group string) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID = p.cfg.TransactionalID
	req.ProducerID, req.ProducerEpoch = p.id.ID, p.id.Epoch
	req.Group = group
	_, err := p.client.ask(ctx, p.route, req, func(r kmsg.Response) int16 {
		return r.(*kmsg.AddOffsetsToTxnResponse).ErrorCode
	})
	if err != nil {
		return fmt.Errorf("add offsets: %w", err)
	}
	return nil
}

// commitOffset moves the group's offset within the transaction.
func (p *Producer) commitOffset(ctx context.Context, t *Transaction) error {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID = p.cfg.TransactionalID
	req.ProducerID, req.ProducerEpoch = p.id.ID, p.id.Epoch
	req.Group, req.Generation, req.MemberID, req.InstanceID = t.Group, t.Generation, t.Member, instance(t.Instance)
	topic, part := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Partition, part.Offset, part.LeaderEpoch, part.Metadata = t.Partition, t.Offset, -1, &t.Metadata
	topic.Topic, topic.Partitions = t.Topic, append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	if p.v2 {
		req.Version = txnOffsetCommitV2
	}
	_, err := p.client.ask(ctx, ToGroup(t.Group), req, offsetCommitCode)
	if err != nil {
		return fmt.Errorf("commit offset: %w", err)
	}
	return nil
}

func offsetCommitCode(r kmsg.Response) int16 {
	for _, t := range r.(*kmsg.TxnOffsetCommitResponse).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return p.ErrorCode
			}
		}
	}
	return 0
}

// produce writes the records in order, in as many requests as their size asks for.
func (p *Producer) produce(ctx context.Context, t *Transaction) error {
	p.empty() // of what a failure left
	if t.Records == nil {
		return nil
	}
	partitions := make(map[string]int32)
	size := 0
	for r := range t.Records {
		to, err := p.place(ctx, &r, t.Partition, partitions)
		if err != nil {
			return err
		}
		n := kafkabatch.RecordBound(r.Key, r.Value, r.Headers)
		if size > 0 && size+n > p.most {
			if err := p.flush(ctx); err != nil {
				return err
			}
			size = 0
		}
		b, before := p.batch(to)
		b.Add(r.Key, r.Value, r.Headers, r.Timestamp)
		if size+b.Size()-before <= p.most {
			p.compressor.Pack(b)
		}
		size += b.Size() - before
	}
	return p.flush(ctx)
}

// place says where a record goes. One without a key goes by the partition it came from.
func (p *Producer) place(
	ctx context.Context,
	r *pipeline.Outgoing,
	from int32,
	partitions map[string]int32,
) (target, error) {
	if r.Partition >= 0 {
		return target{r.Topic, r.Partition}, nil
	}
	n, ok := partitions[r.Topic]
	if !ok {
		var err error
		if n, err = p.client.Partitions(ctx, r.Topic); err != nil {
			return target{}, err
		}
		partitions[r.Topic] = n
	}
	if r.Key == nil {
		return target{r.Topic, from % n}, nil
	}
	return target{r.Topic, Partition(r.Key, n)}, nil
}

// batch is the one to be sent next to a partition, and what it takes of the request by now.
func (p *Producer) batch(to target) (b *kafkabatch.Builder, size int) {
	b = p.batches[to]
	if b == nil {
		b = new(kafkabatch.Builder)
		p.batches[to] = b
	}
	if b.Records() > 0 {
		return b, b.Size()
	}
	b.Reset()
	p.order = append(p.order, to)
	return b, 0
}

// flush sends what has been gathered. Where that is more than a topic takes at a time, requests are smaller from then
// on.
func (p *Producer) flush(ctx context.Context) error {
	if len(p.order) == 0 {
		return nil
	}
	records, forced := int32(0), false
	version := int16(0)
	if p.v2 {
		version = produceV2
	} else if err := p.addPartitions(ctx); err != nil {
		return err
	}
	out := make([]sealed, 0, len(p.order))
	for _, to := range p.order {
		b := p.batches[to]
		large, err := p.compressor.Compress(b, p.most)
		if err != nil {
			return err
		}
		records, forced = records+b.Records(), large
		out = append(out, sealed{to, b.Seal(p.id, p.sequence[to])})
		p.sequence[to] = kafkabatch.NextSequence(p.sequence[to], b.Records())
	}
	defer p.empty()
	err := p.client.deliver(ctx, version, &p.cfg.TransactionalID, out)
	large, ok := errors.AsType[*oversize](err)
	switch {
	case ok && records == 1 && (forced || p.cfg.Compression == kafkabatch.Zstd):
		return large.stop()
	case ok: // a single record was not tried with the stronger compression; see Compressor.Compress
		p.most = min(p.most, p.batches[large.to].Size()) / 2
		return fmt.Errorf("%w, %d records in a request; from now on at most %d bytes", large, records, p.most)
	}
	return err
}

// empty takes the batches out of use.
func (p *Producer) empty() {
	for _, to := range p.order {
		p.batches[to].Reset()
	}
	p.order = p.order[:0]
}

// addPartitions makes the partitions about to be written part of the transaction (version 1).
func (p *Producer) addPartitions(ctx context.Context) error {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID = p.cfg.TransactionalID
	req.ProducerID, req.ProducerEpoch = p.id.ID, p.id.Epoch
	for _, to := range p.order {
		if p.added[to] {
			continue
		}
		p.added[to] = true
		t := kmsg.NewAddPartitionsToTxnRequestTopic()
		t.Topic, t.Partitions = to.topic, []int32{to.partition}
		req.Topics = append(req.Topics, t)
	}
	if len(req.Topics) == 0 {
		return nil
	}
	_, err := p.client.ask(ctx, p.route, req, addPartitionsCode)
	if err != nil {
		return fmt.Errorf("add partitions: %w", err)
	}
	return nil
}

func addPartitionsCode(r kmsg.Response) int16 {
	const notAttempted = 55 // because of another partition's code
	code := int16(0)
	for _, t := range r.(*kmsg.AddPartitionsToTxnResponse).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 && (code == 0 || code == notAttempted) {
				code = p.ErrorCode
			}
		}
	}
	return code
}
