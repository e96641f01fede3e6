package main

import (
	"context"
	"fmt"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

// fault is something that happens to a cluster. To try one more, write its function and add it to the list.
type fault struct {
	name string
	do   func(*trial) error
}

func faults() []fault {
	return []fault{
		{"partitions are added to the input", partitionsAdded},
		{"partitions are added to the input while nothing comes", partitionsAddedQuietly},
		{"the input is deleted and created anew, with fewer records", topicMadeAnewWithFewer},
		{"the input is deleted and created anew, with more records", topicMadeAnewWithMore},
		{"the input is deleted", topicDeleted},
		{"retention deletes records before they are read", retentionLowered},
		{"Redis is set to evict", policyChanged},
		{"Redis is set to evict, and is full", policyChangedAndFull},
		{"Redis is full", redisFull},
		{"somebody deletes profiles from Redis", profilesDeleted},
		{"somebody deletes a due bucket from Redis", bucketDeleted},
		{"somebody deletes the outbox from Redis", outboxDeleted},
		{"somebody deletes a partition's meta from Redis", metaDeleted},
		{"somebody empties Redis while nothing comes", redisEmptied},
		{"one partition of the state is damaged at a start", partitionDamaged},
		{"the topic of alerts is deleted", alertsDeleted},
		{"the topic of dead letters is deleted", deadLettersDeleted},
		{"the topic of control records is deleted", controlDeleted},
		{"the input is set to be compacted", inputCompacted},
		{"the topic of alerts takes no record of the size of an alert", recordsTooLarge},
		{"the topic of alerts takes no record of the age of an alert", recordsTooOld},
		{"a quota on writing of 1 B/s", quotaLetsNothingThrough},
		{"a quota on writing of 100 kB/s, 10,000 alerts to publish", quota100k},
		{"a quota on writing of 20 kB/s, 10,000 alerts to publish", quota20k},
		{"a quota on reading of 1 kB/s", readingThrottled},
		{"a quota on requests of 0.01 %", requestsThrottled},
		{"a second process of the group has another input", otherInput},
		{"a consumer of the newer protocol joins the group", newerProtocol},
	}
}

// few is the shop of a trial with events beside it, many of one that has alerts to publish by the ten thousand.
func few() size  { return size{customers: 800, days: 700, stay: 700} }
func many() size { return size{customers: 11_000, days: 300, stay: 12} }

// begin makes the topics, starts the program, and waits until it has published alerts of the first n events.
func (t *trial) begin(s size, n int) error {
	t.log = shop(s)
	if err := t.topics(); err != nil {
		return err
	}
	if err := t.send(n); err != nil {
		return err
	}
	if err := t.restart(); err != nil {
		return err
	}
	return t.caughtUp()
}

// caughtUp waits until everything that was sent is processed and published.
func (t *trial) caughtUp() error {
	return breakable.Until(t.ctx, 2*time.Minute, "everything is processed", func(ctx context.Context) error {
		n, err := t.behind(ctx)
		if err == nil && n != 0 {
			err = fmt.Errorf("%d records behind; log: %s", n, t.ebb.tail(3))
		}
		return err
	})
}

// kept notes that what was published by now is right.
func (t *trial) kept() error {
	n, err := t.right()
	if err != nil {
		return err
	}
	t.row.Alerts = fmt.Sprintf("stopped before a wrong one, %d right", n)
	return nil
}

// goesOn starts the program again, and waits until all that was sent has become the alerts that it has to.
func (t *trial) goesOn(mended string) error {
	if err := t.restart(); err != nil {
		return fmt.Errorf("after %s: %w", mended, err)
	}
	return t.goesOnAlone(mended)
}

// goesOnAlone does the same of a process that runs.
func (t *trial) goesOnAlone(mended string) error {
	n, err := t.whole(3 * time.Minute)
	if err != nil {
		return fmt.Errorf("after %s: %w", mended, err)
	}
	t.row.Mend = fmt.Sprintf("%s: all %d alerts right", mended, n)
	return nil
}

// anew goes over to a new group, which reads an input and writes alerts to a topic of its own, to tell them apart.
func (t *trial) anew(group, input string, partitions int) error {
	if input != t.input {
		t.records = group // its control records have as many partitions as the input
	}
	t.group, t.input, t.alerts, t.partitions = group, input, group+".alerts", partitions
	t.spread.Store(int32(partitions))
	return t.topics()
}
