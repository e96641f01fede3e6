package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/chaos/breakable"
)

func partitionsAdded(t *trial) error {
	if err := t.begin(few(), 10_000); err != nil {
		return err
	}
	stop := t.flow(400)
	if err := t.addPartitions(2); err != nil {
		return errors.Join(err, stop())
	}
	err := errors.Join(t.says(t.ebb, "partitions_changed"), stop())
	if err != nil {
		return err
	}
	return t.copied()
}

func partitionsAddedQuietly(t *trial) error {
	if err := t.begin(few(), 10_000); err != nil {
		return err
	}
	if err := t.addPartitions(2); err != nil {
		return err
	}
	if err := t.says(t.ebb, "partitions_changed"); err != nil {
		return err
	}
	return t.copied()
}

func (t *trial) addPartitions(n int) error {
	created, err := t.admin.CreatePartitions(t.ctx, n, t.input)
	t.done()
	t.spread.Add(int32(n))
	return errors.Join(err, created.Error())
}

// copied does what is advised where the number of partitions has changed: a copy of the input with the new number, and
// a new group.
func (t *trial) copied() error {
	if err := t.kept(); err != nil {
		return err
	}
	if err := t.anew(t.group+"-new", t.input+"-new", int(t.spread.Load())); err != nil {
		return err
	}
	if err := t.sendAgain(t.log[:t.sent]); err != nil {
		return err
	}
	return t.goesOn("copied to a new topic, new `kafka.group`")
}

func topicMadeAnewWithFewer(t *trial) error { return t.madeAnew(2_000) }
func topicMadeAnewWithMore(t *trial) error  { return t.madeAnew(16_000) }

// madeAnew deletes the input and creates it again, with so many records.
func (t *trial) madeAnew(n int) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	t.done()
	if err := t.remake(t.input, t.partitions); err != nil {
		return err
	}
	if err := t.send(n); err != nil {
		return err
	}
	if err := t.says(t.ebb, "topic_changed"); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	t.log, t.sent = t.log[t.sent-n:t.sent], n // what the new topic holds
	if err := t.anew(t.group+"-new", t.input, t.partitions); err != nil {
		return err
	}
	return t.goesOn("new `kafka.group`")
}

// topicDeleted deletes the input, and creates it again when that was said.
func topicDeleted(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.remove(t.input); err != nil {
		return err
	}
	t.done()
	if err := errors.Join(t.says(t.ebb, "state waiting"), t.advises(t.ebb, "new kafka.group"), t.kept()); err != nil {
		return err
	}
	sent := t.log[:t.sent]
	if err := t.anew(t.group+"-new", t.input, t.partitions); err != nil {
		return err
	}
	if err := t.sendAgain(sent); err != nil {
		return err
	}
	return t.goesOn("created again, new `kafka.group`")
}

// sendAgain writes events to the input that were sent to another one.
func (t *trial) sendAgain(events []event) error {
	cl, err := t.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	return write(t.ctx, cl, t.input, events, t.partitions)
}

// retentionLowered has the broker delete what the program, held up by a quota, has not read.
func retentionLowered(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.quota(t.ctx, reading, 500); err != nil {
		return err
	}
	before, err := t.ends(t.ctx, t.input)
	if err != nil {
		return err
	}
	if err := t.send(8_000); err != nil {
		return err
	}
	if err := t.keepsFor("1"); err != nil {
		return err
	}
	err = breakable.Until(t.ctx, time.Minute, "retention has deleted records", func(ctx context.Context) error {
		begins, err := t.admin.ListStartOffsets(ctx, t.input)
		if err := errors.Join(err, begins.Error()); err != nil {
			return err
		}
		if total(begins) <= before {
			return fmt.Errorf("the log begins at %d", total(begins))
		}
		return nil
	})
	t.done()
	if err := errors.Join(err, t.quota(t.ctx, reading, 0)); err != nil {
		return err
	}
	if err := t.says(t.ebb, "records_lost"); err != nil {
		return err
	}
	if err := t.kept(); err != nil {
		return err
	}
	return t.withoutLost()
}

// keepsFor sets for how many milliseconds the input keeps records.
func (t *trial) keepsFor(ms string) error {
	_, err := t.admin.AlterTopicConfigs(t.ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: &ms}}, t.input)
	return err
}

// withoutLost does what is advised: to keep records longer, and to go on without those that are gone.
func (t *trial) withoutLost() error {
	if err := t.keepsFor("-1"); err != nil {
		return err
	}
	if err := t.ebb.leave(t.ctx); err != nil {
		return err
	}
	command, err := t.types(t.ebb)
	if err != nil {
		return err
	}
	if err := t.send(2_000); err != nil {
		return err
	}
	if err := errors.Join(t.restart(), t.caughtUp()); err != nil {
		return err
	}
	t.row.Mend = fmt.Sprintf("`retention.ms=-1`, `%s`: goes on with what there is", command)
	return nil
}
