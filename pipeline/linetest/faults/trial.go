package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/chaos/breakable"
	"ebb/pipeline/linetest/ports"
)

// trial is one fault: a group with topics of its own, its processes, and what was sent.
type trial struct {
	*services
	ctx     context.Context //nolint:containedctx // ends with the trial
	program string
	dir     string
	row     *row
	verbose io.Writer // nil: no

	group, input, alerts string
	records              string // where control records and packs go, but for their ends
	partitions           int    // of the input at first; alerts are those of a log in so many

	log    []event      // of the shop
	sent   int          // of these
	spread atomic.Int32 // partitions that events are sent to by now

	ebb      *member // the latest one
	members  []*member
	injected time.Time // when the fault was done
}

func newTrial(ctx context.Context, o *options, s *services, dir string) (*trial, error) {
	name := "faults-" + filepath.Base(dir)
	t := &trial{
		services: s, ctx: ctx, program: o.program, dir: dir,
		group: name, input: name + ".events", alerts: name + ".alerts", records: name, partitions: 4,
	}
	t.spread.Store(int32(t.partitions))
	if err := s.redis.FlushAll(ctx).Err(); err != nil {
		return nil, err
	}
	return t, os.Mkdir(dir, 0o700)
}

// close ends the processes, and gives the servers back as they were.
func (t *trial) close(ctx context.Context) error {
	for _, m := range t.members {
		m.kill()
	}
	return errors.Join(
		t.quota(ctx, writing, 0), t.quota(ctx, reading, 0), t.quota(ctx, requests, 0),
		t.redis.ConfigSet(ctx, "maxmemory-policy", "noeviction").Err(), t.redis.ConfigSet(ctx, "maxmemory", "0").Err(),
	)
}

// own are the topics that the group writes beside alerts, by their number of partitions.
func (t *trial) own() map[string]int {
	return map[string]int{
		t.input + ".dlq": t.partitions, t.records + ".control": t.partitions, t.records + ".packs": 1, t.alerts: 2,
		t.group + ".decisions": 2,
	}
}

// topics creates the input, and what the group writes where it is missing.
func (t *trial) topics() error {
	all := t.own()
	all[t.input] = t.partitions
	for _, topic := range slices.Sorted(maps.Keys(all)) {
		if err := t.create(topic, all[topic]); err != nil && !strings.Contains(err.Error(), "TOPIC_ALREADY_EXISTS") {
			return err
		}
	}
	return nil
}

// create makes a topic that keeps records of any age.
func (t *trial) create(topic string, partitions int) error {
	forever := "-1"
	config := map[string]*string{"retention.ms": &forever}
	if strings.HasSuffix(topic, ".dlq") { // room for what is added to a record
		larger := "2097152"
		config["max.message.bytes"] = &larger
	}
	created, err := t.admin.CreateTopics(t.ctx, int32(partitions), 1, config, topic)
	if err := errors.Join(err, created.Error()); err != nil {
		return fmt.Errorf("create %s: %w", topic, err)
	}
	return breakable.Until(t.ctx, time.Minute, "the broker knows "+topic, func(ctx context.Context) error {
		_, err := t.ends(ctx, topic)
		return err
	})
}

// remake deletes a topic and creates it again.
func (t *trial) remake(topic string, partitions int) error {
	if err := t.remove(topic); err != nil {
		return err
	}
	return breakable.Until(t.ctx, time.Minute, topic+" is created again", func(context.Context) error {
		return t.create(topic, partitions)
	})
}

func (t *trial) remove(topic string) error {
	deleted, err := t.admin.DeleteTopics(t.ctx, topic)
	return errors.Join(err, deleted.Error())
}

// ends are the ends of a topic's partitions.
func (t *trial) ends(ctx context.Context, topic string) (int64, error) {
	listed, err := t.admin.ListEndOffsets(ctx, topic)
	if err := errors.Join(err, listed.Error()); err != nil {
		return 0, err
	}
	return total(listed), nil
}

func total(listed kadm.ListedOffsets) (sum int64) {
	listed.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum
}

// behind is how many records of the input the group has not committed.
func (t *trial) behind(ctx context.Context) (int64, error) {
	end, err := t.ends(ctx, t.input)
	if err != nil {
		return 0, err
	}
	offsets, err := t.admin.FetchOffsets(ctx, t.group)
	if err := errors.Join(err, offsets.Error()); err != nil {
		return 0, err
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == t.input {
			end -= max(o.At, 0)
		}
	})
	return end, nil
}

// configuration of a process: many small commits, events that are never late, and no customer that is forgotten.
const configuration = `kafka: {brokers: ["%s"], group: %s, input: %s, alerts: %s, control: %s.control, packs: %s.packs, instance_id: %s, session_timeout: 6s}
redis: {addresses: ["%s"]}
start: {history: none}
storm: {breaker: "off"}
pack: {name: any, horizon: 60d}
time: {lateness: 0s}
state: {retention: 0s}
batch: {max_bytes: 64KiB}
input: {max_record_bytes: 16KiB}
http: {listen: "%s"}
log: {format: json}
`

// start starts the program as a member of the group, on an input.
func (t *trial) start(name, input string) (*member, error) {
	address, err := ports.Address(t.ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.dir, name+".yaml")
	text := fmt.Sprintf(configuration,
		t.kafka, t.group, input, t.alerts, t.records, t.records, name, t.store, address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	m, err := startMember(t.ctx, filepath.Join(t.dir, name+".log"), address,
		[]string{t.program, "run", "-c", file})
	if err == nil {
		m.config = file
		t.members = append(t.members, m)
	}
	return m, err
}

// restart starts the group's process, after the one before has ended, and waits until it is ready.
func (t *trial) restart() (err error) {
	if t.ebb != nil {
		t.ebb.kill()
	}
	if t.ebb, err = t.start("ebb", t.input); err != nil {
		return err
	}
	return breakable.Until(t.ctx, time.Minute, "it is ready", func(context.Context) error {
		if s := t.ebb.now(); s.status != ready {
			return fmt.Errorf("readyz: %d %s; log: %s", s.status, s.text, t.ebb.tail(3))
		}
		return nil
	})
}
