package format

import (
	"math"

	"ebb/pipeline"
)

// PacksPartition is the partition of the topic of packs that all of them stand in: there are few, and whoever looks for
// one by its hash need not know how the topic is divided.
const PacksPartition = 0

// asOfNow is the timestamp of records that are about no event: the publisher brings it down to its clock.
const asOfNow = math.MaxInt64

// pack makes the record of a pack in its canonical form, keyed by its hash: in a compacted topic each stands there
// once.
func (r *Renderer) pack(e *pipeline.Entry) pipeline.Outgoing {
	return pipeline.Outgoing{
		Topic:     r.Packs,
		Partition: PacksPartition,
		Key:       []byte(e.Pack.Hash),
		Value:     e.Canonical,
		Timestamp: asOfNow,
	}
}

// control makes a control record. It stands in the partition of the same number as the input's.
func (r *Renderer) control(e *pipeline.Entry) pipeline.Outgoing {
	c := pipeline.Control{
		Group: r.Group, Topic: r.Input, TopicID: r.InputID, Partition: int(r.Partition), Offset: e.Begins(), Change: e.Change,
	}
	return pipeline.Outgoing{
		Topic:     r.Control,
		Partition: r.Partition,
		Key:       []byte(c.Key()),
		Value:     c.Encode(),
		Timestamp: asOfNow,
	}
}
