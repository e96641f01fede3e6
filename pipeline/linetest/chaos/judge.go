package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// verdict is the result of the run: the published and stored data compared with the fold of the input.
type verdict struct {
	Events  int `json:"events"` // records of the input
	Alerts  int `json:"alerts"` // by the fold
	Lost    int `json:"lost"`
	Doubled int `json:"doubled"`
	// alerts and customers that differ from the fold's, and alerts that it does not have
	Miscounted  int `json:"miscounted"`
	Quarantined int `json:"quarantined"`
	Duplicates  int `json:"duplicates"` // events dropped by their id
	Late        int `json:"late"`
	Customers   int `json:"customers"`
	Shifted     int `json:"shifted"` // alerts a minute off, where rounding decides

	Examples examples `json:"examples,omitempty"`
}

func (v *verdict) good() bool {
	return v.Lost+v.Doubled+v.Miscounted == 0 && v.Shifted*10_000 <= maxShifted*max(v.Alerts, 10_000)
}

// Tolerances, since the fold computes with other elementary functions. Scores agree to maxOdds, figures of a profile to
// a share of maxShare. Of 10,000 alerts maxShifted may be a minute off, where the score is so close to a threshold that
// rounding decides.
const (
	maxOdds    = 4e-6 // six terms, each to six decimals
	maxShare   = 1e-9
	maxShifted = 5
)

// settings is how the input is scored; flags sets the same for ebb.
func settings() oracle.Settings {
	return oracle.Settings{
		Horizon:  60,
		Activity: map[string]bool{"visit": true},
		Friction: map[string]float64{"complaint": 1},
		Lateness: lateness, Retention: retention,
	}
}

const (
	lateness  = 5 * time.Minute
	retention = 150 * 24 * time.Hour // of event time: less than a minute of a run covers
)

func scoringFlags() []string {
	return []string{"--pack", "any", "--activity", "visit", "--friction", "complaint=1", "--horizon", "60d"}
}

// judge compares everything with the fold of the input.
func (t ebbTarget) judge(ctx context.Context) (*verdict, error) {
	input, err := t.everything(ctx)
	if err != nil {
		return nil, err
	}
	want := oracle.Fold(partitioned(input), settings())
	v := &verdict{
		Events: want.Counts.Records, Alerts: len(want.Alerts), Quarantined: want.Counts.Quarantined,
		Duplicates: want.Counts.Duplicates, Late: want.Counts.Late,
	}
	v.alerts(want.Alerts, t.reader)
	dlq, err := t.topics.all(ctx, dlqTopic)
	if err != nil {
		return nil, err
	}
	v.quarantine(want.Quarantined, input, dlq)
	return v, t.profiles(ctx, v, want.Partitions)
}

func partitioned(records []*kgo.Record) [][]oracle.Record {
	parts := make([][]oracle.Record, partitions)
	for _, rec := range records {
		parts[rec.Partition] = append(parts[rec.Partition], oracle.Record{Offset: rec.Offset, Value: rec.Value})
	}
	return parts
}

// alerts compares the published alerts with those of the fold.
func (v *verdict) alerts(want []oracle.Alert, r *reader) {
	v.Doubled += r.doubled
	v.Miscounted += r.wrong
	v.Examples = append(v.Examples, r.said...)
	left := maps.Clone(r.alerts)
	lives := map[string]int{}
	for i := range want {
		w := &want[i]
		person := w.Tenant + "\x00" + w.Customer
		if w.Episode == 1 && w.Sequence == 1 {
			lives[person]++
		}
		key := alertKey{w.Tenant, w.Customer, lives[person], w.Episode, w.Sequence}
		got := left[key]
		delete(left, key)
		if got == nil {
			v.Lost++
			v.Examples.add("lost: %+v", *w)
			continue
		}
		off := max(w.Seconds-got.Time.Unix(), got.Time.Unix()-w.Seconds)
		switch {
		case w.Transition == got.Transition && off == 0 && math.Abs(w.LogOdds-got.odds()) <= maxOdds:
		case w.Transition == got.Transition && off == 60:
			v.Shifted++
		default:
			v.Miscounted++
			v.Examples.add("alert %v with log-odds %g; the fold says %+v", got, got.odds(), *w)
		}
	}
	for _, a := range left {
		v.Miscounted++
		v.Examples.add("the fold knows of no alert %v", a)
	}
}

// quarantine compares the DLQ with the records that the fold cannot use, byte for byte.
func (v *verdict) quarantine(want []oracle.Quarantined, input, dlq []*kgo.Record) {
	type place struct {
		partition int32
		offset    int64
	}
	sent := map[place]*kgo.Record{}
	for _, r := range input {
		sent[place{r.Partition, r.Offset}] = r
	}
	got := map[place]*kgo.Record{}
	for _, r := range dlq {
		p, err := strconv.Atoi(header(r, "__streams.errors.partition"))
		o, err2 := strconv.ParseInt(header(r, "__streams.errors.offset"), 10, 64)
		at := place{int32(p), o}
		switch {
		case err != nil || err2 != nil:
			v.Miscounted++
			v.Examples.add("quarantined record %d/%d does not say where it is from", r.Partition, r.Offset)
		case got[at] != nil:
			v.Doubled++
			v.Examples.add("quarantined twice: %+v", at)
		}
		got[at] = r
	}
	for _, q := range want {
		at := place{int32(q.Partition), q.Offset}
		r := got[at]
		delete(got, at)
		switch {
		case r == nil:
			v.Lost++
			v.Examples.add("not quarantined: %+v", q)
		case !sameRecord(sent[at], r) || header(r, "ebb.error.code") != q.Code:
			v.Miscounted++
			v.Examples.add(
				"quarantined %+v as %q %q, code %s; it was %q",
				q,
				r.Value,
				r.Headers,
				header(r, "ebb.error.code"),
				sent[at].Value,
			)
		}
	}
	for at := range got {
		v.Miscounted++
		v.Examples.add("quarantined without cause: %+v", at)
	}
}

// sameRecord reports whether got is the record that was sent, with further headers after the original ones.
func sameRecord(sent, got *kgo.Record) bool {
	same := func(a, b kgo.RecordHeader) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }
	return bytes.Equal(sent.Key, got.Key) && bytes.Equal(sent.Value, got.Value) &&
		(sent.Value == nil) == (got.Value == nil) &&
		sent.Timestamp.Equal(got.Timestamp) &&
		len(got.Headers) >= len(sent.Headers) &&
		slices.EqualFunc(sent.Headers, got.Headers[:len(sent.Headers)], same)
}

// near reports whether two figures are equal up to rounding.
func near(a, b float64) bool {
	return math.Abs(a-b) <= maxShare*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

func (v *verdict) String() string {
	return fmt.Sprintf("%d events, %d alerts: lost %d, doubled %d, miscounted %d; quarantined %d",
		v.Events, v.Alerts, v.Lost, v.Doubled, v.Miscounted, v.Quarantined)
}
