package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
	"ebb/pipeline/linetest/oracle"
)

// alert is a published alert.
type alert struct {
	ID         string    `json:"id"`
	Customer   string    `json:"customer"`
	Transition string    `json:"transition"`
	Episode    int       `json:"episode"`
	Sequence   int       `json:"sequence"`
	Time       time.Time `json:"time"`
	Score      struct {
		Terms map[string]float64 `json:"terms"` // log-odds, to six decimals
	} `json:"score"`
}

func (a *alert) odds() (sum float64) {
	for _, t := range a.Score.Terms {
		sum += t
	}
	return sum
}

// place is which alert of a customer it is.
type place struct {
	customer          string
	episode, sequence int
}

// Tolerances, for the fold computes with other elementary functions: scores agree to maxOdds, and of 10,000 alerts
// maxShifted may be a minute off, where the score so nearly equals a threshold that rounding decides.
const (
	maxOdds    = 4e-6 // six terms, each to six decimals
	maxShifted = 5
)

// right returns an error where an alert that is published is not one of the fold of all that the shop ever sends, or
// stands twice.
func (t *trial) right() (published int, err error) {
	got, err := t.published(t.ctx)
	if err != nil {
		return 0, err
	}
	_, err = compare(fold(t.log, t.partitions), got)
	return len(got), err
}

// whole waits until the alerts are those of the fold of what was sent, and no other.
func (t *trial) whole(patience time.Duration) (published int, err error) {
	want := fold(t.log[:t.sent], t.partitions)
	err = breakable.Until(t.ctx, patience, "every alert is published", func(ctx context.Context) error {
		got, err := t.published(ctx)
		if err != nil {
			return err
		}
		published = len(got)
		if len(got) < len(want) {
			if status, ended := t.ebb.exited(); ended {
				return fmt.Errorf("%d of %d; the program has ended with status %d", len(got), len(want), status)
			}
			return fmt.Errorf("%d of %d", len(got), len(want))
		}
		missing, err := compare(want, got)
		if err == nil && missing > 0 {
			err = fmt.Errorf("%d of %d are missing", missing, len(want))
		}
		return err
	})
	return published, err
}

// compare holds alerts against those of a fold, in the order of each customer. It returns how many are missing.
func compare(want []oracle.Alert, got []alert) (missing int, err error) {
	left := make(map[place]*oracle.Alert, len(want))
	for i := range want {
		w := &want[i]
		left[place{w.Customer, w.Episode, w.Sequence}] = w
	}
	shifted := 0
	var wrong []error
	seen := map[string]bool{}
	for i := range got {
		a := &got[i]
		at := place{a.Customer, a.Episode, a.Sequence}
		w := left[at]
		delete(left, at)
		switch off := int64(0); {
		case seen[a.ID]:
			wrong = append(wrong, fmt.Errorf("alert %s of %v is published twice", a.ID, at))
		case w == nil:
			wrong = append(wrong, fmt.Errorf("the fold knows of no alert %v", at))
		case w.Transition != a.Transition:
			wrong = append(wrong, fmt.Errorf("alert %v is %s, the fold says %s", at, a.Transition, w.Transition))
		default:
			off = max(w.Seconds-a.Time.Unix(), a.Time.Unix()-w.Seconds)
			if off == 60 {
				shifted++
			} else if off != 0 || math.Abs(w.LogOdds-a.odds()) > maxOdds {
				wrong = append(wrong, fmt.Errorf("alert %v of %v with %g, the fold says %+v", at, a.Time, a.odds(), *w))
			}
		}
		seen[a.ID] = true
	}
	if shifted*10_000 > maxShifted*max(len(got), 10_000) {
		wrong = append(wrong, fmt.Errorf("%d of %d alerts are a minute off", shifted, len(got)))
	}
	if n := len(wrong); n > 0 {
		return len(left), fmt.Errorf("%d of %d alerts are wrong: %w", n, len(got), errors.Join(wrong[:min(n, 3)]...))
	}
	return len(left), nil
}

// published reads what a reader of committed data finds in the topic of alerts.
func (t *trial) published(ctx context.Context) (alerts []alert, err error) {
	ends, err := t.admin.ListCommittedOffsets(ctx, t.alerts)
	if err := errors.Join(err, ends.Error()); err != nil {
		return nil, err
	}
	from, missing := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], missing[o.Partition] = kgo.NewOffset().AtStart(), o.Offset
		}
	})
	if len(from) == 0 {
		return nil, nil
	}
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(t.kafka), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.alerts: from}),
	)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for len(missing) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= missing[r.Partition]-1 {
				delete(missing, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			var a alert
			if bad := json.Unmarshal(r.Value, &a); bad != nil {
				err = fmt.Errorf("alert %s: %w", r.Value, bad)
			}
			alerts = append(alerts, a)
		})
	}
	return alerts, err
}
