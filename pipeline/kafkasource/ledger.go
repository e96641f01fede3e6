package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

// Ledger reads what was published about packs: pipeline.Ledger's. Any goroutine may use it.
type Ledger struct {
	Client         *kafkawire.Client
	Control        string // topic of control records
	PackTopic      string // topic of packs
	PacksPartition int32  // of that, in which all of them stand
}

var _ pipeline.Ledger = (*Ledger)(nil)

// Controls is pipeline.Ledger's.
func (l *Ledger) Controls(ctx context.Context, id pipeline.Identity) (all []pipeline.Control, err error) {
	err = l.read(ctx, l.Control, int32(id.Partition), func(r *pipeline.Record) error {
		// What is none of ours is passed over: that nothing is missing, the published position tells.
		if c, err := pipeline.ReadControl(r.Value); err == nil && c.Of(id) {
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

// errFound ends a search.
var errFound = errors.New("found")

// Packs is pipeline.Ledger's.
func (l *Ledger) Packs(ctx context.Context, hashes []string) (all []pipeline.PackBytes, err error) {
	err = l.read(ctx, l.PackTopic, l.PacksPartition, func(r *pipeline.Record) error {
		hash := string(r.Key)
		known := func(k pipeline.PackBytes) bool { return k.Hash == hash }
		if slices.Contains(hashes, hash) && !slices.ContainsFunc(all, known) {
			all = append(all, pipeline.PackBytes{Hash: hash, Canonical: slices.Clone(r.Value)})
		}
		if len(all) == len(hashes) {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return all, err
}

// read gives take each committed record of a partition that was there when it began. What another group's open
// transaction holds back is waited for.
func (l *Ledger) read(ctx context.Context, topic string, partition int32, take func(*pipeline.Record) error) error {
	start, end, err := l.Client.Bounds(ctx, topic, partition)
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	scan := kafkascan.Scan{Client: l.Client, Topic: topic, Partition: partition, From: start, To: end, Record: take}
	err = scan.Run(ctx)
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, pipeline.ErrUnavailable) { // held back until then
		err = fmt.Errorf("%w: %w", pipeline.ErrUnavailable, err)
	}
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	return nil
}
