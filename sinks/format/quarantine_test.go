package format_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/sinks/format"
)

// asRecord is what a reader of the topic gets of a record that was sent.
func asRecord(offset int64, o pipeline.Outgoing) *pipeline.Record {
	return &pipeline.Record{Offset: offset, Timestamp: o.Timestamp, Key: o.Key, Value: o.Value, Headers: o.Headers}
}

func headersOf(b []byte) (all []kafkabatch.Header) {
	for key, value := range kafkabatch.Headers(b) {
		all = append(all, kafkabatch.Header{Key: string(key), Value: value})
	}
	return all
}

// someHeaders draws headers, also such as ebb itself adds, which a sender may have copied from a DLQ.
func someHeaders(r *rapid.T) (all []kafkabatch.Header) {
	name := rapid.OneOf(rapid.StringN(0, 6, -1), rapid.SampledFrom([]string{
		"__streams.errors.exception",
		"__streams.errors.offset",
		"ebb.error.code",
		"ebb.error.timestamp",
		"ebb.replay.from",
		"ebb.replay.mark",
	}))
	for range rapid.IntRange(0, 5).Draw(r, "headers") {
		h := kafkabatch.Header{Key: name.Draw(r, "name")}
		if !rapid.Bool().Draw(r, "null") {
			h.Value = rapid.SliceOf(rapid.Byte()).Draw(r, "value")
		}
		all = append(all, h)
	}
	return all
}

func someBytes(r *rapid.T, name string) []byte {
	if rapid.Bool().Draw(r, name+" null") {
		return nil
	}
	return rapid.SliceOf(rapid.Byte()).Draw(r, name)
}

// TestQuarantinedReadsBack: what is taken out of the DLQ is the input record, whatever that was, and sent again it is
// that record and the marking; quarantined and sent again once more, it still is, and shows how often.
func TestQuarantinedReadsBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		headers := someHeaders(r)
		in := pipeline.Record{
			Timestamp: rapid.Int64().
				Draw(r, "time"),
			Key:     someBytes(r, "key"),
			Value:   someBytes(r, "value"),
			Headers: kafkabatch.AppendHeaders(nil, nil, headers...),
		}
		record := in
		for round := 1; round <= 3; round++ {
			offset := rapid.Int64Range(0, 1<<40).Draw(r, "offset")
			code := pipeline.Code(rapid.IntRange(1, 17).Draw(r, "code"))
			dead := render(&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: offset, Code: code}, &record)
			dead.Timestamp = min(dead.Timestamp, 1_000) // as a broker's clock may hold it back
			q, ok := format.ReadQuarantined(asRecord(7, dead))
			want := format.Place{Topic: "shop.events", Partition: 3, Offset: offset}
			if !ok || q.Source != want || q.Code != code.String() || q.Timestamp != in.Timestamp || q.Replays != round-1 ||
				!strings.HasSuffix(q.Reason, q.Code) {
				r.Fatalf("read as %+v, %v", q, ok)
			}
			if diff := cmp.Diff(headers, q.Headers); diff != "" && len(headers)+len(q.Headers) > 0 {
				r.Fatalf("headers (-sent +read):\n%s", diff)
			}
			again := q.Replay(format.Place{Topic: "shop.events.dlq", Partition: 1, Offset: 7})
			if again.Topic != "shop.events" || again.Partition != 3 || again.Timestamp != in.Timestamp ||
				!same(again.Key, in.Key) ||
				!same(again.Value, in.Value) {
				r.Fatalf("sent again as %+v", again)
			}
			got := headersOf(again.Headers)
			marking := got[len(got)-3:]
			if string(marking[0].Value) != "shop.events.dlq/1@7" || string(marking[1].Value) != want.String() ||
				string(marking[2].Value) != string(rune('0'+round)) {
				r.Fatalf("marked %+v", marking)
			}
			record = *asRecord(0, again)
		}
	})
}

func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// TestReadQuarantinedRefuses what ebb did not put there, or what somebody has changed.
func TestReadQuarantinedRefuses(t *testing.T) {
	whole := headersOf(
		render(
			&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 5, Code: pipeline.NotJSON},
			&pipeline.Record{},
		).Headers,
	)
	with := func(change func([]kafkabatch.Header) []kafkabatch.Header) *pipeline.Record {
		return &pipeline.Record{Headers: kafkabatch.AppendHeaders(nil, nil, change(slices.Clone(whole))...)}
	}
	without := func(name string) func([]kafkabatch.Header) []kafkabatch.Header {
		return func(h []kafkabatch.Header) []kafkabatch.Header {
			return slices.DeleteFunc(h, func(h kafkabatch.Header) bool { return h.Key == name })
		}
	}
	set := func(name, value string) func([]kafkabatch.Header) []kafkabatch.Header {
		return func(h []kafkabatch.Header) []kafkabatch.Header {
			i := slices.IndexFunc(h, func(h kafkabatch.Header) bool { return h.Key == name })
			h[i].Value = []byte(value)
			return h
		}
	}
	if _, ok := format.ReadQuarantined(with(func(h []kafkabatch.Header) []kafkabatch.Header { return h })); !ok {
		t.Error("what ebb wrote is not read")
	}
	if q, ok := format.ReadQuarantined(with(without("ebb.error.timestamp"))); !ok || q.Timestamp != 0 {
		t.Error("what an older ebb wrote is not read")
	}
	for name, r := range map[string]*pipeline.Record{
		"no headers":           {},
		"another program":      with(set("__streams.errors.exception", "java.lang.Exception")),
		"no code":              with(without("ebb.error.code")),
		"no topic":             with(without("__streams.errors.topic")),
		"no partition":         with(without("__streams.errors.partition")),
		"no offset":            with(without("__streams.errors.offset")),
		"an offset below 0":    with(set("__streams.errors.offset", "-1")),
		"a partition below 0":  with(set("__streams.errors.partition", "-1")),
		"a partition too high": with(set("__streams.errors.partition", "2147483648")),
		"no number":            with(set("ebb.error.timestamp", "yesterday")),
	} {
		if q, ok := format.ReadQuarantined(r); ok {
			t.Errorf("%s: read as %+v", name, q)
		}
	}
}

// TestReplayIDTellsApart records that differ in anything but their headers.
func TestReplayIDTellsApart(t *testing.T) {
	base := format.Quarantined{
		Source:    format.Place{Partition: 1, Offset: 2},
		Key:       []byte("k"),
		Value:     []byte("v"),
		Timestamp: 3,
	}
	for name, change := range map[string]func(*format.Quarantined){
		"partition":       func(q *format.Quarantined) { q.Source.Partition = 2 },
		"offset":          func(q *format.Quarantined) { q.Source.Offset = 3 },
		"timestamp":       func(q *format.Quarantined) { q.Timestamp = 4 },
		"key":             func(q *format.Quarantined) { q.Key = []byte("l") },
		"null key":        func(q *format.Quarantined) { q.Key = nil },
		"value":           func(q *format.Quarantined) { q.Value = []byte("w") },
		"bytes elsewhere": func(q *format.Quarantined) { q.Key, q.Value = []byte("kv"), []byte{} },
		"null value":      func(q *format.Quarantined) { q.Value = nil },
	} {
		other := base
		change(&other)
		if other.ID() == base.ID() {
			t.Errorf("%s: the same id", name)
		}
	}
	other := base
	other.Code, other.Headers = "x", []kafkabatch.Header{{Key: "h"}}
	if other.ID() != base.ID() {
		t.Error("headers or code change the id")
	}
}

func TestMarkReadsBack(t *testing.T) {
	id := rapid.Custom(func(r *rapid.T) format.ReplayID {
		return format.ReplayID{
			Partition: rapid.Int32Min(0).Draw(r, "p"),
			Offset:    rapid.Int64Min(0).Draw(r, "o"),
			Sum:       rapid.Uint64().Draw(r, "s"),
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		ids := rapid.SliceOfN(id, 1, 20).Draw(r, "ids")
		mark := format.Mark("in.dlq", 2, ids, 5)
		got, ok, err := format.ReadMark(asRecord(0, mark))
		if !ok || err != nil || !slices.Equal(got, ids) || mark.Partition != 2 || mark.Topic != "in.dlq" ||
			mark.Timestamp != 5 {
			r.Fatalf("%v became %v, %v, %v", ids, got, ok, err)
		}
		if _, ok := format.ReadQuarantined(asRecord(0, mark)); ok {
			r.Fatal("a mark is taken for a quarantined record")
		}
	})
}

// TestMarkOfOthers: a quarantined record is none, whatever headers its sender gave it; a newer ebb's is not passed
// over.
func TestMarkOfOthers(t *testing.T) {
	forged := kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "ebb.replay.mark", Value: []byte("1")})
	dead := render(
		&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 5, Code: pipeline.NotJSON},
		&pipeline.Record{Value: []byte("0@1 0\n"), Headers: forged},
	)
	if ids, ok, err := format.ReadMark(asRecord(0, dead)); ok || err != nil {
		t.Errorf("a sender's record is a mark of %v: %v", ids, err)
	}
	newer := kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "ebb.replay.mark", Value: []byte("2")})
	if _, ok, err := format.ReadMark(&pipeline.Record{Headers: newer}); !ok || err == nil {
		t.Errorf("a newer ebb's mark: %v, %v", ok, err)
	}
	if _, ok, err := format.ReadMark(&pipeline.Record{Headers: forged, Value: []byte("0@1 zz\n")}); !ok || err == nil {
		t.Errorf("a damaged mark: %v, %v", ok, err)
	}
}

// FuzzDLQRecord reads any record of a DLQ, and what it reads it can send.
func FuzzDLQRecord(f *testing.F) {
	dead := render(
		&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 5, Code: pipeline.NotJSON},
		&pipeline.Record{Key: []byte("k")},
	)
	f.Add(dead.Headers, []byte("v"))
	mark := format.Mark("d", 0, []format.ReplayID{{Partition: 1, Offset: 2, Sum: 3}}, 0)
	f.Add(mark.Headers, mark.Value)
	f.Fuzz(func(t *testing.T, headers, value []byte) {
		r := &pipeline.Record{Headers: headers, Value: value}
		ids, isMark, err := format.ReadMark(r)
		if q, ok := format.ReadQuarantined(r); ok {
			if out := q.Replay(format.Place{Topic: "d"}); !kafkabatch.ValidHeaders(out.Headers) || isMark {
				t.Errorf("sent with headers %x, a mark: %v", out.Headers, isMark)
			}
		}
		if isMark && err == nil && len(ids) > 0 {
			again, _, err := format.ReadMark(asRecord(0, format.Mark("d", 0, ids, 0)))
			if err != nil || !slices.Equal(ids, again) {
				t.Errorf("%v became %v: %v", ids, again, err)
			}
		}
	})
}
