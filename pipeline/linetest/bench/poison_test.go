package main

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestPoisonKinds: each kind is refused with its code, and every code has a kind.
func TestPoisonKinds(t *testing.T) {
	d := decode.New(largestRecord)
	seen := map[string]bool{}
	in := &kgo.Record{Key: []byte("c-1"), Timestamp: time.UnixMilli(1)}
	for i, kind := range poisonKinds() {
		r := poisoned(&kind, 1_000_000+i, in)
		var e pipeline.Event
		d.Decode(&pipeline.Record{Key: r.Key, Value: r.Value}, &e)
		if e.Code.String() != kind.code {
			t.Errorf("%s is refused with %s", kind.code, e.Code)
		}
		seen[kind.code] = true
	}
	for c := pipeline.Usable + 1; c.String() != "unknown"; c++ {
		if !seen[c.String()] {
			t.Errorf("no kind for %s", c)
		}
	}
}

// TestDigestTells: a digest differs if anything is lost, doubled or changed in any part.
func TestDigestTells(t *testing.T) {
	dead := func(change func(*kgo.Record)) *kgo.Record {
		r := &kgo.Record{Key: []byte("k"), Value: []byte("v"), Timestamp: time.UnixMilli(5), Headers: []kgo.RecordHeader{
			{
				Key: "own",
			},
			{Key: "__streams.errors.exception"},
			{Key: "__streams.errors.partition", Value: []byte("2")},
			{Key: "ebb.error.code", Value: []byte("not_json")},
		}}
		change(r)
		return r
	}
	same := func(*kgo.Record) {}
	want := newDigest()
	r := dead(same)
	want.add("not_json", 2, r, r.Headers[:1])
	for name, c := range map[string]struct {
		records []*kgo.Record
		says    string
	}{
		"the same":   {[]*kgo.Record{dead(same)}, ""},
		"lost":       {nil, "0 records with not_json"},
		"doubled":    {[]*kgo.Record{dead(same), dead(same)}, "2 records with not_json"},
		"key":        {[]*kgo.Record{dead(func(r *kgo.Record) { r.Key = []byte("l") })}, "sum"},
		"null value": {[]*kgo.Record{dead(func(r *kgo.Record) { r.Value = nil })}, "sum"},
		"timestamp":  {[]*kgo.Record{dead(func(r *kgo.Record) { r.Timestamp = time.UnixMilli(6) })}, "sum"},
		"header":     {[]*kgo.Record{dead(func(r *kgo.Record) { r.Headers[0].Value = []byte{} })}, "sum"},
		"partition":  {[]*kgo.Record{dead(func(r *kgo.Record) { r.Headers[2].Value = []byte("3") })}, "sum"},
		"code": {
			[]*kgo.Record{dead(func(r *kgo.Record) { r.Headers[3].Value = []byte("time_missing") })},
			"0 records with not_json",
		},
	} {
		got := newDigest()
		for _, r := range c.records {
			if err := got.addQuarantined(r); err != nil {
				t.Fatal(err)
			}
		}
		if diff := got.differs(want); !strings.Contains(diff, c.says) || (diff == "") != (c.says == "") {
			t.Errorf("%s: %q", name, diff)
		}
	}
	if err := want.addQuarantined(&kgo.Record{}); err == nil {
		t.Error("a record without our headers is taken in")
	}
}
