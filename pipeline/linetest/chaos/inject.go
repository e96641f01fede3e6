package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

// injector carries out the faults of a plan. Faults overlap, but no fault touches what another one holds until that is
// whole again.
type injector struct {
	members []*member // the last one is the guest
	kafka   *breakable.Broker
	redis   *breakable.RedisPair
	topics  *topics
	found   func(finding)
	failed  func(error) // called when the test's own machinery failed: the run is void

	kafkaBusy, redisBusy sync.Mutex

	expected *atomic.Pointer[stop] // of all members; nil: none

	mu     sync.Mutex
	counts map[kind]int // carried out
	missed int          // their targets were held by another fault
	now    map[kind]int // in progress
}

// run carries out the plan until its end or until ctx ends, and returns once everything is whole again.
func (j *injector) run(ctx context.Context, plan []fault) {
	began := time.Now()
	var faults sync.WaitGroup
	for _, f := range plan {
		if !rest(ctx, time.Until(began.Add(f.At))) {
			break
		}
		faults.Go(func() { j.inject(ctx, f) })
	}
	faults.Wait()
}

// rest waits for d and reports whether ctx is still valid.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// inject carries out one fault, from harm to repair. If ctx ends, the repair comes at once.
func (j *injector) inject(ctx context.Context, f fault) {
	do := map[kind]func(context.Context, fault) bool{
		kill: j.kill, freeze: j.freeze, drain: j.drain, guest: j.guest,
		kafka9: j.killKafka, redis9: j.killRedis, older: j.olderRedis, failover: j.failOver,
		remove: j.remove, evict: j.evict, throttle: j.throttle,
	}[f.Kind]
	if do == nil {
		do = j.disturb
	}
	j.note(f.Kind, 1)
	done := do(ctx, f)
	j.note(f.Kind, -1)
	j.mu.Lock()
	defer j.mu.Unlock()
	if done {
		j.counts[f.Kind]++
	} else {
		j.missed++
	}
}

func (j *injector) note(k kind, by int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now[k] += by
}

// take reserves the member that f names, or another one that is up and free.
func (j *injector) take(f fault) *member {
	for i := range members {
		m := j.members[(max(f.Member, 0)+i)%members]
		if !m.busy.TryLock() {
			continue
		}
		if m.up() {
			return m
		}
		m.busy.Unlock()
	}
	return nil
}

// onMember harms a member, waits, and starts it again if it is down.
func (j *injector) onMember(ctx context.Context, f fault, harm func(*member)) bool {
	m := j.take(f)
	if m == nil {
		return false
	}
	defer m.busy.Unlock()
	harm(m)
	rest(ctx, f.For)
	j.check(m.start(context.WithoutCancel(ctx)))
	return true
}

func (j *injector) kill(ctx context.Context, f fault) bool { return j.onMember(ctx, f, (*member).kill) }

func (j *injector) drain(ctx context.Context, f fault) bool {
	return j.onMember(ctx, f, (*member).terminate)
}

func (j *injector) freeze(ctx context.Context, f fault) bool {
	m := j.take(f)
	if m == nil {
		return false
	}
	defer m.busy.Unlock()
	m.freeze()
	rest(ctx, f.For)
	m.thaw()
	return true
}

func (j *injector) guest(ctx context.Context, f fault) bool {
	m := j.members[members]
	if !m.busy.TryLock() {
		return false
	}
	defer m.busy.Unlock()
	j.check(m.start(context.WithoutCancel(ctx)))
	rest(ctx, f.For)
	m.stayDown()
	if f.Hard {
		m.kill()
	} else {
		m.terminate()
	}
	return true
}

func (j *injector) killKafka(ctx context.Context, f fault) bool {
	if !j.kafkaBusy.TryLock() {
		return false
	}
	defer j.kafkaBusy.Unlock()
	whole := context.WithoutCancel(ctx)
	j.check(j.kafka.Kill(whole))
	rest(ctx, f.For)
	j.check(j.kafka.Start(whole))
	return true
}

func (j *injector) killRedis(ctx context.Context, f fault) bool {
	if !j.redisBusy.TryLock() {
		return false
	}
	defer j.redisBusy.Unlock()
	n := j.redis.Now()
	j.check(n.Kill())
	rest(ctx, f.For)
	j.check(n.Start(context.WithoutCancel(ctx)))
	return true
}

func (j *injector) olderRedis(ctx context.Context, f fault) bool {
	if !j.redisBusy.TryLock() {
		return false
	}
	defer j.redisBusy.Unlock()
	settled := j.redis.Now().Settled
	if !rest(ctx, 0) || breakable.Until(ctx, 20*time.Second, "the file is not being rewritten", settled) != nil {
		return false
	}
	j.check(j.redis.Keep())
	rest(ctx, f.Before)
	j.check(j.redis.PutBack(context.WithoutCancel(ctx), func() { rest(ctx, f.For) }))
	return true
}

func (j *injector) failOver(ctx context.Context, f fault) bool {
	if !j.redisBusy.TryLock() {
		return false
	}
	defer j.redisBusy.Unlock()
	if breakable.Until(ctx, 20*time.Second, "the replica follows", j.redis.Synced) != nil {
		return false
	}
	j.redis.Sync.Worsen(breakable.Trouble{Kind: breakable.Hole})
	rest(ctx, f.Before)
	j.check(j.redis.FailOver(context.WithoutCancel(ctx)))
	return true
}

func (j *injector) check(err error) {
	if err != nil {
		j.failed(err)
	}
}

// disturb changes the weather of links for a while.
func (j *injector) disturb(ctx context.Context, f fault) bool {
	var links []*breakable.Link
	for i, m := range j.members {
		l := m.kafka
		if f.Service == toRedis {
			l = m.redis
		}
		if (f.Member < 0 || f.Member == i) && l.Busy.TryLock() {
			links = append(links, l)
			defer l.Busy.Unlock()
		}
	}
	for _, l := range links {
		l.Worsen(f.trouble())
	}
	if f.Kind != cut {
		rest(ctx, f.For)
	}
	for _, l := range links {
		j.check(l.Mend(f.trouble()))
	}
	return len(links) > 0
}
