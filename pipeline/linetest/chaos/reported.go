package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
)

// Faults that members have to report by a hard stop, within a minute. Until somebody mends them nothing more may be
// published; then the members are started again and go on.

// reportedWithin is how long a member may take to report such a fault.
const reportedWithin = time.Minute

// stop is a hard stop that is expected. While it is, stops with its code, and processes that end, are no findings.
type stop struct {
	code     string
	once     sync.Once
	reported chan struct{} // closed by the first
}

// reports reports whether a line of a member's log is the stop.
func (s *stop) reports(line []byte) bool {
	if s == nil || !bytes.Contains(line, []byte(`"code":"`+s.code+`"`)) {
		return false
	}
	s.once.Do(func() { close(s.reported) })
	return true
}

// expect has members stop with a code from now on, until restart.
func (j *injector) expect(code string) *stop {
	s := &stop{code: code, reported: make(chan struct{})}
	j.expected.Store(s)
	return s
}

// await waits until the stop is reported. Otherwise it is a finding: the members were well, and wrong.
func (j *injector) await(ctx context.Context, s *stop, what string) {
	limit := time.NewTimer(reportedWithin)
	defer limit.Stop()
	select {
	case <-s.reported:
	case <-limit.C:
		j.found(
			finding{
				time.Now(),
				"the group",
				fmt.Sprintf("%s, and nobody stopped with %s within %v", what, s.code, reportedWithin),
				"",
			},
		)
	case <-ctx.Done():
	}
}

// takeAll reserves all members and Redis; release is nil where others hold one of them.
func (j *injector) takeAll() (release func()) {
	held := []*sync.Mutex{&j.redisBusy}
	for _, m := range j.members {
		held = append(held, &m.busy)
	}
	for i, mu := range held {
		if !mu.TryLock() {
			for _, taken := range held[:i] {
				taken.Unlock()
			}
			return nil
		}
	}
	return func() {
		for _, mu := range held {
			mu.Unlock()
		}
	}
}

// restart ends the members that still run, mends, and starts all but the guest.
func (j *injector) restart(ctx context.Context, mend func() error) {
	whole := context.WithoutCancel(ctx)
	for _, m := range j.members {
		m.kill()
	}
	j.check(mend())
	j.expected.Store(nil)
	for _, m := range j.members[:members] {
		j.check(m.start(whole))
	}
}

// remove removes a key that members rely on, and puts an older copy of Redis back once that is reported.
func (j *injector) remove(ctx context.Context, f fault) bool {
	release := j.takeAll()
	if release == nil {
		return false
	}
	defer release()
	if !rest(ctx, 0) ||
		breakable.Until(ctx, 20*time.Second, "the file is not being rewritten", j.redis.Now().Settled) != nil {
		return false
	}
	j.check(j.redis.Keep())
	rest(ctx, f.Before)
	key := keyOf(f.Partition, "profiles")
	if f.Hard {
		due, err := j.redis.Client().Keys(ctx, keyOf(f.Partition, "due:*")).Result()
		if err != nil || len(due) == 0 {
			return false
		}
		slices.Sort(due)
		key = due[len(due)-1] // far ahead: nobody loads it soon
	}
	s := j.expect("state_incomplete")
	removed, err := j.redis.Client().Del(ctx, key).Result()
	if err == nil && removed == 1 {
		j.await(ctx, s, key+" was removed")
	}
	j.restart(ctx, func() error {
		return j.redis.PutBack(context.WithoutCancel(ctx), func() { rest(ctx, f.For) })
	})
	return err == nil && removed == 1
}

// evict lets Redis evict, until that is reported.
func (j *injector) evict(ctx context.Context, _ fault) bool {
	release := j.takeAll()
	if release == nil {
		return false
	}
	defer release()
	s := j.expect("redis_evicts")
	err := j.redis.Client().ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err()
	if err == nil {
		j.await(ctx, s, "Redis may evict")
	}
	j.restart(ctx, func() error {
		return j.redis.Client().ConfigSet(context.WithoutCancel(ctx), "maxmemory-policy", "noeviction").Err()
	})
	return err == nil
}

// throttle gives the members a quota for a while.
func (j *injector) throttle(ctx context.Context, f fault) bool {
	if !j.kafkaBusy.TryLock() {
		return false
	}
	defer j.kafkaBusy.Unlock()
	j.check(j.topics.quota(ctx, f.Rate))
	rest(ctx, f.For)
	j.check(j.topics.quota(context.WithoutCancel(ctx), 0))
	return true
}

// quota bounds how many bytes per second the members produce; 0: no longer.
func (t *topics) quota(ctx context.Context, rate float64) error {
	client := "ebb"
	op := kadm.AlterClientQuotaOp{Key: "producer_byte_rate", Value: rate, Remove: rate == 0}
	altered, err := t.admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}}, Ops: []kadm.AlterClientQuotaOp{op},
	}})
	if err != nil {
		return fmt.Errorf("set a quota: %w", err)
	}
	for _, a := range altered {
		if a.Err != nil {
			return fmt.Errorf("set a quota: %w", a.Err)
		}
	}
	return nil
}

// lastFault ends a run that was good so far: partitions are added to the input, or it is made anew, while the members
// work and the shop goes on. Each member has to stop within a minute, and nothing is published of what came after.
func (r *run) lastFault(ctx context.Context) error {
	r.say.phase("the input changes")
	before, err := r.topics.settled(ctx, alertTopic)
	if err != nil {
		return err
	}
	for _, m := range r.members[:members] {
		if err := m.start(ctx); err != nil {
			return err
		}
	}
	if err := breakable.Until(ctx, r.patience, "the members are back", func(ctx context.Context) error {
		for _, m := range r.members[:members] {
			if l := m.current(); l == nil || !l.worked.Load() {
				return fmt.Errorf("%s is not", m.name)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	what, code, change := "partitions were added to the input", "partitions_changed", r.topics.grow
	if r.seed%2 == 1 {
		what, code, change = "the input was made anew", "topic_changed", r.topics.renew
	}
	s := r.inject.expect(code)
	if err := change(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	r.feed.close()
	if err := r.topics.continued(ctx, r.feed.shop.next(20_000)); err != nil {
		return err
	}
	r.inject.await(ctx, s, what)
	ended := breakable.Until(ctx, reportedWithin, "every member has stopped", func(context.Context) error {
		for _, m := range r.members[:members] {
			if m.up() {
				return fmt.Errorf("%s runs", m.name)
			}
		}
		return nil
	})
	if ended != nil {
		r.found(finding{time.Now(), "the group", what, ended.Error()})
	}
	after, err := r.topics.settled(ctx, alertTopic)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		r.found(finding{time.Now(), "the group", what, fmt.Sprintf("published on, from %v to %v", before, after)})
	}
	r.report.Last = what
	return nil
}

// grow adds partitions to the input.
func (t *topics) grow(ctx context.Context) error {
	const added = 2
	grown, err := t.admin.CreatePartitions(ctx, added, inputTopic)
	if err == nil {
		err = grown.Error()
	}
	if err != nil {
		return err
	}
	return t.described(ctx, func(input kadm.TopicDetail) bool { return len(input.Partitions) == partitions+added })
}

// renew deletes the input and creates it again.
func (t *topics) renew(ctx context.Context) error {
	deleted, err := t.admin.DeleteTopics(ctx, inputTopic)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return err
	}
	var anew kadm.CreateTopicResponse
	err = breakable.Until(ctx, time.Minute, "the input is there again", func(ctx context.Context) error {
		anew, err = t.admin.CreateTopic(ctx, partitions, 1, topicConfig(), inputTopic)
		return err
	})
	if err != nil {
		return err
	}
	return t.described(ctx, func(input kadm.TopicDetail) bool { return input.ID == anew.ID })
}

// described waits until the broker describes the input so: the controller answers before the broker follows, and what
// comes until then is hashed over the partitions of before and has to be processed.
func (t *topics) described(ctx context.Context, so func(input kadm.TopicDetail) bool) error {
	return breakable.Until(ctx, time.Minute, "the broker describes the changed input", func(ctx context.Context) error {
		listed, err := t.admin.ListTopics(ctx, inputTopic)
		if err == nil && !so(listed[inputTopic]) {
			err = errors.New("it is as before")
		}
		return err
	})
}

// continued writes records as producers do that hash keys over the partitions that there are now.
func (t *topics) continued(ctx context.Context, records []record) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(t.broker), kgo.DefaultProduceTopic(inputTopic), kgo.UnknownTopicRetries(-1),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return err
	}
	defer cl.Close()
	sent := make([]*kgo.Record, len(records))
	for i, r := range records {
		sent[i] = &kgo.Record{Key: []byte(r.key), Value: r.value, Headers: r.headers}
	}
	return cl.ProduceSync(ctx, sent...).FirstErr()
}
