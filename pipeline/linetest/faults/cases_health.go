package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
	"ebb/pipeline/linetest/oracle"
)

// alertsDeleted deletes the topic of alerts, which is created again when that was said.
func alertsDeleted(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	before, err := t.published(t.ctx)
	if err != nil {
		return err
	}
	stop := t.flow(400)
	err = t.remove(t.alerts)
	t.done()
	if err := errors.Join(err, t.says(t.ebb, "state stalled"), stop()); err != nil {
		return err
	}
	t.row.Alerts = "wait in the outbox"
	command, err := t.types(t.ebb)
	if err != nil {
		return err
	}
	want := fold(t.log[:t.sent], t.partitions)
	n := 0
	err = breakable.Until(t.ctx, 2*time.Minute, "the other alerts are published", func(ctx context.Context) error {
		got, err := t.published(ctx)
		if n = len(got); err == nil && n < len(want)-len(before) {
			err = fmt.Errorf("%d of %d; %s", n, len(want)-len(before), t.ebb.tail(2))
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err = t.right(); err == nil && n > len(want)-len(before) {
		err = fmt.Errorf("%d alerts, of which %d were published before", n, n-len(want)+len(before))
	}
	t.row.Mend = fmt.Sprintf("`%s`: the other %d alerts right", command, n)
	return err
}

func quotaLetsNothingThrough(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.quota(t.ctx, writing, 1); err != nil {
		return err
	}
	t.done()
	stop := t.flow(400)
	if err := errors.Join(t.says(t.ebb, "state stalled"), stop()); err != nil {
		return err
	}
	if err := t.quota(t.ctx, writing, 0); err != nil {
		return err
	}
	t.row.Alerts = "wait in the outbox"
	return t.goesOnAlone("quota taken away, no restart")
}

func quota100k(t *trial) error { return t.limited(100_000, 4*time.Minute) }
func quota20k(t *trial) error  { return t.limited(20_000, 12*time.Minute) }

// limited has many alerts published under a quota: slowly, all the while, each once.
func (t *trial) limited(bytesPerSecond float64, within time.Duration) error {
	if err := t.begin(many(), 4_000); err != nil {
		return err
	}
	before, err := t.published(t.ctx)
	if err != nil {
		return err
	}
	if err := t.quota(t.ctx, writing, bytesPerSecond); err != nil {
		return err
	}
	t.done()
	if err := t.send(t.enough(len(before) + 10_000)); err != nil {
		return err
	}
	began := time.Now()
	longest, err := t.moving(within)
	if err != nil {
		return err
	}
	n, err := t.whole(time.Minute)
	if err != nil {
		return err
	}
	t.tell(t.ebb)
	t.row.Ready = "ready"
	if t.unready() {
		t.row.Ready = "not ready at times"
	}
	t.row.Alerts = fmt.Sprintf("%d published in %.0f s, at most %.0f s apart, each once", n-len(before),
		time.Since(began).Seconds(), longest.Seconds())
	t.row.Mend = "nothing to mend"
	return nil
}

// enough is how many events more make so many alerts, give or take a few.
func (t *trial) enough(alerts int) int {
	all := fold(t.log, t.partitions)
	slices.SortFunc(all, func(a, b oracle.Alert) int { return cmp.Compare(a.Seconds, b.Seconds) })
	last := all[min(alerts, len(all)-1)].Seconds
	n, _ := slices.BinarySearchFunc(t.log, last, func(e event, at int64) int { return cmp.Compare(e.seconds, at) })
	return n - t.sent
}

// moving waits until everything is published, and returns for how long no alert came at most.
func (t *trial) moving(within time.Duration) (longest time.Duration, err error) {
	last, at := int64(0), time.Now()
	err = breakable.Until(t.ctx, within, "everything is published", func(ctx context.Context) error {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		stable, err := t.admin.ListCommittedOffsets(ctx, t.alerts)
		if err := errors.Join(err, stable.Error()); err != nil {
			return err
		}
		if n := total(stable); n != last {
			longest, last, at = max(longest, time.Since(at)), n, time.Now()
		}
		if status, ended := t.ebb.exited(); ended {
			return fmt.Errorf("ended with status %d: %s", status, t.ebb.tail(2))
		}
		n, err := t.behind(ctx)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d records behind, %d in the topic of alerts; %s", n, last, t.ebb.tail(3))
		}
		return err
	})
	return longest, err
}

// unready reports whether an answer of /readyz since the fault was another than ready.
func (t *trial) unready() bool {
	_, answers := t.ebb.since(t.injected)
	for _, a := range answers {
		if a.status != ready {
			return true
		}
	}
	return false
}

// outbox is nil once partition 1 has something to publish.
func (t *trial) outbox(ctx context.Context) error {
	n, err := t.redis.LLen(ctx, t.key("outbox")).Result()
	if err == nil && n == 0 {
		err = errors.New("it is empty")
	}
	return err
}

// standing is what /readyz says of a partition.
type standing struct {
	Partition int    `json:"partition"`
	State     string `json:"state"`
	Lag       int64  `json:"lag"`
}

func (r *remark) partitions() (all []standing, err error) {
	var body struct {
		Partitions []standing `json:"partitions"`
	}
	if err := json.Unmarshal([]byte(r.text), &body); err != nil {
		return nil, fmt.Errorf("read the answer %q: %w", r.text, err)
	}
	return body.Partitions, nil
}

// readingThrottled holds the program up while it has much to read: it must say so, and never that it is at the end.
func readingThrottled(t *trial) error {
	if err := t.begin(few(), 8_000); err != nil {
		return err
	}
	if err := t.quota(t.ctx, reading, 1_000); err != nil {
		return err
	}
	if err := t.send(12_000); err != nil {
		return err
	}
	t.done()
	if err := t.says(t.ebb, "state stalled"); err != nil {
		return err
	}
	_, answers := t.ebb.since(t.injected.Add(5 * time.Second)) // of answers, one is that lags grow
	for i := range answers {
		all, err := answers[i].partitions()
		if err != nil {
			return err
		}
		sum := int64(0)
		for _, p := range all {
			if sum += p.Lag; p.Lag < 0 {
				return fmt.Errorf("a lag is below 0: %s", answers[i].text)
			}
		}
		if sum == 0 {
			return fmt.Errorf("12,000 records behind, it shows no lag: %s", answers[i].text)
		}
	}
	if err := t.quota(t.ctx, reading, 0); err != nil {
		return err
	}
	t.row.Alerts = "wait in the input; the lag is shown"
	return t.goesOnAlone("quota taken away, no restart")
}

// othersRun waits until every partition but one runs, and has nothing left to read.
func (t *trial) othersRun(but int) error {
	return breakable.Until(t.ctx, time.Minute, "the other partitions run", func(context.Context) error {
		now := t.ebb.now()
		all, err := now.partitions()
		if err != nil {
			return err
		}
		running := 0
		for _, p := range all {
			if p.Partition != but && p.State == "running" && p.Lag == 0 {
				running++
			}
		}
		if running != t.partitions-1 {
			return fmt.Errorf("readyz: %s", now.text)
		}
		return nil
	})
}
