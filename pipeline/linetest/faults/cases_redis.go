package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline/linetest/chaos/breakable"
)

// key is the name in Redis of a part of the state of partition 1.
func (t *trial) key(part string) string { return fmt.Sprintf("ebb:{%s:p1}:%s", t.group, part) }

func policyChanged(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := t.flow(400)
	err := t.redis.ConfigSet(t.ctx, "maxmemory-policy", "allkeys-lru").Err()
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "redis_evicts"), stop()); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	if err := t.configured(); err != nil {
		return err
	}
	return t.goesOn("`config set maxmemory-policy noeviction`")
}

// configured does what is advised of the policy.
func (t *trial) configured() error {
	if do := t.ebb.advice().Do; !strings.Contains(do, "noeviction") {
		return fmt.Errorf("it does not advise noeviction: %q", do)
	}
	return errors.Join(
		t.redis.ConfigSet(t.ctx, "maxmemory-policy", "noeviction").Err(), t.redis.ConfigSet(t.ctx, "maxmemory", "0").Err(),
	)
}

func policyChangedAndFull(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := t.flow(400)
	err := t.pressed()
	t.done()
	err = errors.Join(err, t.says(t.ebb, "redis_evicts", "state_incomplete", "state_lost"), stop())
	if err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	if err := t.configured(); err != nil {
		return err
	}
	return t.rebuilt("`config set maxmemory-policy noeviction`, ")
}

// pressed has Redis evict: it holds more than it may by now.
func (t *trial) pressed() error {
	if err := t.redis.ConfigSet(t.ctx, "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		return err
	}
	used, err := t.redis.InfoMap(t.ctx, "memory").Result()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(used["Memory"]["used_memory"], 10, 64)
	if err != nil {
		return err
	}
	return t.redis.ConfigSet(t.ctx, "maxmemory", strconv.FormatInt(n-20_000, 10)).Err()
}

// rebuilt does what is advised where state is missing. The first start after Redis is mended says it where the stop
// itself was for another reason.
func (t *trial) rebuilt(before string) error {
	if !strings.Contains(t.ebb.advice().Do, "ebb rebuild") {
		if err := t.ebb.leave(t.ctx); err != nil {
			return err
		}
		m, err := t.start("ebb", t.input)
		if err != nil {
			return err
		}
		t.ebb = m
		if err := t.advises(m, "ebb rebuild"); err != nil {
			return err
		}
	}
	if err := t.ebb.leave(t.ctx); err != nil {
		return err
	}
	command, err := t.types(t.ebb)
	if err != nil {
		return err
	}
	return t.goesOn(before + "`" + command + "`")
}

func profilesDeleted(t *trial) error {
	return t.deleted(400, func() error { return t.redis.Del(t.ctx, t.key("profiles")).Err() })
}

func bucketDeleted(t *trial) error {
	return t.deleted(0, func() error {
		keys, err := t.redis.Keys(t.ctx, t.key("due:*")).Result()
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return errors.New("partition 1 has no due bucket")
		}
		return t.redis.Del(t.ctx, keys[0]).Err()
	})
}

// outboxDeleted deletes what is decided and not published: a quota holds it there.
func outboxDeleted(t *trial) error {
	if err := t.begin(many(), 4_000); err != nil {
		return err
	}
	if err := t.quota(t.ctx, writing, 5_000); err != nil {
		return err
	}
	if err := t.send(t.enough(3_000)); err != nil {
		return err
	}
	if err := breakable.Until(t.ctx, bound, "the outbox holds something", t.outbox); err != nil {
		return err
	}
	err := t.redis.Del(t.ctx, t.key("outbox")).Err()
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "state_incomplete"), t.quota(t.ctx, writing, 0)); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	return t.rebuilt("")
}

func metaDeleted(t *trial) error {
	return t.deleted(400, func() error { return t.redis.Del(t.ctx, t.key("meta")).Err() })
}

func redisEmptied(t *trial) error {
	return t.deleted(0, func() error { return t.redis.FlushAll(t.ctx).Err() })
}

// deleted lets somebody delete keys, while so many events a second come, and rebuilds.
func (t *trial) deleted(perSecond int, remove func() error) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := func() error { return nil }
	if perSecond > 0 {
		stop = t.flow(perSecond)
	}
	err := remove()
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "state_incomplete", "state_lost"), stop()); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	return t.rebuilt("")
}

// partitionDamaged writes garbage over the state of one partition while the program is down. The others run.
func partitionDamaged(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.ebb.leave(t.ctx); err != nil {
		return err
	}
	if err := t.redis.Set(t.ctx, t.key("meta"), "garbage", redis.KeepTTL).Err(); err != nil {
		return err
	}
	if err := t.send(4_000); err != nil {
		return err
	}
	t.done()
	m, err := t.start("ebb", t.input)
	if err != nil {
		return err
	}
	t.ebb = m
	if err := t.says(m, "redis_damaged", "state_unreadable"); err != nil {
		return err
	}
	if err := t.othersRun(1); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	t.row.Alerts += ", the others run"
	return t.rebuilt("")
}
