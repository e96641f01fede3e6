package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// setting changes a setting of a topic; value "": back to the cluster's.
func (t *trial) setting(topic, name, value string) error {
	change := kadm.AlterConfig{Name: name, Value: &value}
	if value == "" {
		change = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name}
	}
	altered, err := t.admin.AlterTopicConfigs(t.ctx, []kadm.AlterConfig{change}, topic)
	if err == nil {
		err = altered[0].Err
	}
	return err
}

// refusedBySetting changes a setting of the topic of alerts so that it takes none, and takes it back.
func (t *trial) refusedBySetting(name, value string, code sign) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	err := t.setting(t.alerts, name, value)
	t.done()
	stop := t.flow(400)
	if err := errors.Join(err, t.says(t.ebb, code), stop(), t.kept()); err != nil {
		return err
	}
	if err := t.setting(t.alerts, name, ""); err != nil {
		return err
	}
	return t.goesOn("setting taken back, ebb started again")
}

func recordsTooLarge(t *trial) error {
	return t.refusedBySetting("max.message.bytes", "300", "record_too_large")
}

func recordsTooOld(t *trial) error {
	return t.refusedBySetting("message.timestamp.before.max.ms", "1000", "record_refused")
}

// deadLettersDeleted deletes the topic of records that cannot be used, and sends some.
func deadLettersDeleted(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.remove(t.input + ".dlq"); err != nil {
		return err
	}
	cl, err := t.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	poison := &kgo.Record{Topic: t.input, Key: []byte("c00001"), Value: []byte("poison")}
	err = cl.ProduceSync(t.ctx, poison).FirstErr()
	t.done()
	if err := errors.Join(err, t.send(1_000), t.says(t.ebb, "state stalled")); err != nil {
		return err
	}
	t.row.Alerts = "wait in the outbox"
	command, err := t.types(t.ebb)
	if err != nil {
		return err
	}
	if err := t.goesOnAlone(fmt.Sprintf("`%s`, no restart", command)); err != nil {
		return err
	}
	if n, err := t.ends(t.ctx, t.input+".dlq"); err != nil || n == 0 {
		return errors.Join(err, errors.New("the record is not in the new topic"))
	}
	return nil
}

// controlDeleted deletes the topic of control records, without which a rebuild would not know what was in force. The
// program is to write it down again, and a rebuild to go by it.
func controlDeleted(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	topic := t.records + ".control"
	stop := t.flow(400)
	err := t.remove(topic)
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "control_lost"), stop(), t.kept()); err != nil {
		return err
	}
	command, err := t.types(t.ebb)
	if err != nil {
		return err
	}
	if err := t.send(1_000); err != nil { // each partition writes it down before its next record
		return err
	}
	if err := t.goesOn(fmt.Sprintf("`%s`", command)); err != nil {
		return err
	}
	if n, err := t.ends(t.ctx, topic); err != nil || n == 0 {
		return errors.Join(err, errors.New("what is in force does not stand in the new topic"))
	}
	t.ebb.kill()
	if out, err := t.ebbs(t.ebb, "ebb rebuild --from earliest"); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return t.goesOn(fmt.Sprintf("`%s`, also behind a rebuild", command))
}

// inputCompacted has the input keep only the newest event of each customer.
func inputCompacted(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := t.flow(400)
	err := t.setting(t.input, "cleanup.policy", "compact")
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "input_compacted"), stop(), t.kept()); err != nil {
		return err
	}
	if err := t.setting(t.input, "cleanup.policy", "delete"); err != nil {
		return err
	}
	return t.goesOn("`cleanup.policy=delete`, ebb started again")
}

// redisFull lets Redis reach its limit, which is not to evict.
func redisFull(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	stop := t.flow(400)
	err := t.redis.ConfigSet(t.ctx, "maxmemory", "1").Err()
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "redis_full"), stop()); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	if err := t.redis.ConfigSet(t.ctx, "maxmemory", "0").Err(); err != nil {
		return err
	}
	return t.goesOn("`config set maxmemory`, ebb started again")
}

// requestsThrottled leaves the program next to nothing of the brokers' time. How much it reads all the same depends on
// what the first answer holds: within the bound everything is published, or it is said that it is not.
func requestsThrottled(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.quota(t.ctx, requests, 0.01); err != nil {
		return err
	}
	t.done()
	if err := t.send(1_000); err != nil {
		return err
	}
	t.row.Alerts = "wait in the input"
	if unsaid := t.says(t.ebb, "state stalled"); unsaid != nil {
		if _, err := t.whole(time.Second); err != nil {
			return errors.Join(unsaid, err)
		}
		t.row.Ready, t.row.Alerts = "ready", "right"
	}
	if err := t.quota(t.ctx, requests, 0); err != nil {
		return err
	}
	return t.goesOnAlone("quota taken away, no restart")
}
