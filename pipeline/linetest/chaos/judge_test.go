package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// decided is a possible fold of two customers.
func decided() []oracle.Alert {
	return []oracle.Alert{
		{Customer: "ann", Transition: "raised", Episode: 1, Sequence: 1, Seconds: 600, LogOdds: 0.5},
		{Customer: "ann", Transition: "escalated", Episode: 1, Sequence: 2, Seconds: 1200, LogOdds: 1.5},
		{Customer: "bob", Transition: "raised", Episode: 1, Sequence: 1, Seconds: 660, LogOdds: 0.6},
	}
}

// published is the alert in its published form.
func published(t *testing.T, a *oracle.Alert, offset int64) *kgo.Record {
	t.Helper()
	id := a.Customer + strconv.Itoa(a.Sequence)
	value, err := json.Marshal(map[string]any{
		"id": id, "customer": a.Customer, "transition": a.Transition, "episode": a.Episode, "sequence": a.Sequence,
		"time": time.Unix(a.Seconds, 0).UTC(), "score": map[string]any{"terms": map[string]any{"all": a.LogOdds}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{
		Key:     []byte(a.Customer),
		Value:   value,
		Offset:  offset,
		Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte(id)}},
	}
}

// Each way in which alerts can be wrong is distinguished from the others.
func TestJudgeAlerts(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func([]oracle.Alert) []oracle.Alert
		want  verdict
	}{
		"as decided":   {func(a []oracle.Alert) []oracle.Alert { return a }, verdict{}},
		"lost":         {func(a []oracle.Alert) []oracle.Alert { return a[:2] }, verdict{Lost: 1}},
		"doubled":      {func(a []oracle.Alert) []oracle.Alert { return append(a, a[1]) }, verdict{Doubled: 1}},
		"out of order": {func(a []oracle.Alert) []oracle.Alert { slices.Reverse(a); return a }, verdict{Miscounted: 1}},
		"wrong score":  {func(a []oracle.Alert) []oracle.Alert { a[0].LogOdds += 1e-5; return a }, verdict{Miscounted: 1}},
		"wrong time":   {func(a []oracle.Alert) []oracle.Alert { a[0].Seconds += 120; return a }, verdict{Miscounted: 1}},
		"a minute off": {func(a []oracle.Alert) []oracle.Alert { a[0].Seconds += 60; return a }, verdict{Shifted: 1}},
		"invented": {func(a []oracle.Alert) []oracle.Alert {
			return append(a, oracle.Alert{Customer: "eve", Transition: "raised", Episode: 1, Sequence: 1})
		}, verdict{Miscounted: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReader()
			for i, a := range c.spoil(decided()) {
				r.take(published(t, &a, int64(i)))
			}
			var v verdict
			v.alerts(decided(), r)
			if v.Lost != c.want.Lost || v.Doubled != c.want.Doubled || v.Miscounted != c.want.Miscounted ||
				v.Shifted != c.want.Shifted {
				t.Errorf("%+v, want %+v", v, c.want)
			}
		})
	}
}

// The DLQ holds the unusable records unchanged, each once, with its code.
func TestJudgeQuarantine(t *testing.T) {
	input := []*kgo.Record{{
		Offset: 3, Partition: 1, Key: []byte("ann"), Value: []byte("poison"), Timestamp: time.UnixMilli(7),
		Headers: []kgo.RecordHeader{{Key: "raw", Value: []byte{0, 0xff}}},
	}}
	want := []oracle.Quarantined{{Partition: 1, Offset: 3, Code: "not_json"}}
	dlq := func() *kgo.Record {
		r := *input[0]
		r.Headers = append(
			slices.Clone(r.Headers),
			kgo.RecordHeader{Key: "ebb.error.code", Value: []byte("not_json")},
			kgo.RecordHeader{
				Key:   "__streams.errors.partition",
				Value: []byte("1"),
			},
			kgo.RecordHeader{Key: "__streams.errors.offset", Value: []byte("3")},
		)
		return &r
	}
	spoilt := func(spoil func(*kgo.Record)) []*kgo.Record {
		r := dlq()
		spoil(r)
		return []*kgo.Record{r}
	}
	for name, c := range map[string]struct {
		dlq                       []*kgo.Record
		lost, doubled, miscounted int
	}{
		"as it was":     {[]*kgo.Record{dlq()}, 0, 0, 0},
		"lost":          {nil, 1, 0, 0},
		"doubled":       {[]*kgo.Record{dlq(), dlq()}, 0, 1, 0},
		"other bytes":   {spoilt(func(r *kgo.Record) { r.Value = []byte("Poison") }), 0, 0, 1},
		"no key":        {spoilt(func(r *kgo.Record) { r.Key = nil }), 0, 0, 1},
		"later":         {spoilt(func(r *kgo.Record) { r.Timestamp = time.UnixMilli(8) }), 0, 0, 1},
		"header gone":   {spoilt(func(r *kgo.Record) { r.Headers = r.Headers[1:] }), 0, 0, 1},
		"another code":  {spoilt(func(r *kgo.Record) { r.Headers[1].Value = []byte("type_missing") }), 0, 0, 1},
		"another place": {spoilt(func(r *kgo.Record) { r.Headers[3].Value = []byte("4") }), 1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var v verdict
			v.quarantine(want, input, c.dlq)
			if v.Lost != c.lost || v.Doubled != c.doubled || v.Miscounted != c.miscounted {
				t.Errorf("%+v", v)
			}
		})
	}
}

// A customer who is back after the retention begins with episode 1 again. That is no alert published twice, and an
// alert published twice is not taken for another life.
func TestReaderLives(t *testing.T) {
	alerts := decided()[:2]
	later := int64(retention/time.Second) + alerts[1].Seconds + 60
	alerts = append(alerts, alerts[0], alerts[1])
	alerts[2].Seconds, alerts[3].Seconds = later, later+60
	r := newReader()
	for i := range alerts {
		rec := published(t, &alerts[i], int64(i))
		rec.Value = bytes.Replace(rec.Value, []byte(`"id":"`), fmt.Appendf(nil, `"id":"%d`, i), 1)
		rec.Headers[0].Value = fmt.Appendf(nil, "%d%s", i, rec.Headers[0].Value)
		r.take(rec)
	}
	v := verdict{}
	v.alerts(alerts, r)
	if len(r.alerts) != 4 || !v.good() {
		t.Errorf("%d alerts, %v: %v", len(r.alerts), &v, v.Examples)
	}
	again := published(t, &alerts[1], 4)
	r.take(again)
	if r.doubled+r.wrong != 1 {
		t.Errorf("an alert of an earlier life is published again: %d doubled, %d wrong", r.doubled, r.wrong)
	}
}
