package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

// Ledger reads the published packs and control records: it implements pipeline.Ledger. Any goroutine may use it.
type Ledger struct {
	Client         *kafkawire.Client
	Control        []string // topics of control records, that of the newest ones last
	PackTopic      string   // topic of packs
	PacksPartition int32    // the one that holds all of them
}

var _ pipeline.Ledger = (*Ledger)(nil)

// Controls implements pipeline.Ledger.
func (l *Ledger) Controls(ctx context.Context, id pipeline.Identity) (all []pipeline.Control, err error) {
	for i, topic := range l.Control {
		err := l.read(ctx, topic, int32(id.Partition), func(r *pipeline.Record) error {
			// Records of others are skipped: the published position shows that none is missing.
			if c, err := pipeline.ReadControl(r.Value); err == nil && c.Of(id) {
				all = append(all, c)
			}
			return nil
		})
		earlier := i < len(l.Control)-1
		if earlier && errors.Is(err, kafkawire.UnknownTopicOrPartition) { // others had fewer partitions
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Blank implements pipeline.Ledger.
func (l *Ledger) Blank(ctx context.Context, id pipeline.Identity) (bool, error) {
	for i, topic := range slices.Backward(l.Control) {
		_, end, err := l.Client.Bounds(ctx, topic, int32(id.Partition))
		if errors.Is(err, kafkawire.UnknownTopicOrPartition) || err == nil && end == 0 {
			continue
		}
		if err != nil || i == len(l.Control)-1 {
			return false, err
		}
		if ever, err := l.wrote(ctx, topic, id); err != nil || ever { // other groups write there, too
			return false, err
		}
	}
	return true, nil
}

// wrote reports whether a topic holds a control record of a partition.
func (l *Ledger) wrote(ctx context.Context, topic string, id pipeline.Identity) (bool, error) {
	err := l.read(ctx, topic, int32(id.Partition), func(r *pipeline.Record) error {
		if c, err := pipeline.ReadControl(r.Value); err == nil && c.Of(id) {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// errFound ends a search.
var errFound = errors.New("found")

// Packs implements pipeline.Ledger.
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

// patience is how long a reading goes on without progress. A reading that makes progress may take longer: an idle
// partition writes up to 1,440 control records a day.
const patience = 10 * time.Second

// read hands take each committed record of a partition up to its present end. It waits for the records behind another
// group's open transaction.
func (l *Ledger) read(ctx context.Context, topic string, partition int32, take func(*pipeline.Record) error) error {
	start, end, err := l.Client.Bounds(ctx, topic, partition)
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	scan := kafkascan.Scan{
		Client: l.Client, Topic: topic, Partition: partition, From: start, To: end, Record: take, Patience: patience,
	}
	err = scan.Run(ctx)
	_, held := errors.AsType[*kafkascan.HeldUpError](err)
	if (held || errors.Is(err, context.DeadlineExceeded)) && !errors.Is(err, pipeline.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", pipeline.ErrUnavailable, err)
	}
	if err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	return nil
}
