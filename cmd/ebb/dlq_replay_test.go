package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/deadletter"
	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/sinks/format"
)

// TestDLQReplay sends a part, then everything, then everything again: each record once.
func TestDLQReplay(t *testing.T) {
	l := newLetters(t)
	if got := l.replay(); got.Replayed != 0 || !got.Complete {
		t.Errorf("an empty DLQ: %+v", got)
	}
	l.quarantine(60)
	if got := l.replay("--dry-run"); got.Replayed != 60 || !got.DryRun || got.Codes["not_json"] != 20 {
		t.Errorf("dry run: %+v", got)
	}
	got := l.replay("--code", "not_json", "--partition", "0") // every third of every fourth
	if got.Replayed != 5 || got.Before != 0 || !got.Complete || got.Codes["not_json"] != 5 {
		t.Errorf("a part: %+v", got)
	}
	l.arrived(0, 12, 24, 36, 48)
	if got := l.replay("--code", "not_json"); got.Replayed != 15 || got.Before != 5 {
		t.Errorf("more of it: %+v", got)
	}
	if got := l.replay(); got.Replayed != 40 || got.Before != 20 {
		t.Errorf("everything: %+v", got)
	}
	if got := l.replay(); got.Replayed != 0 || got.Before != 60 || !got.Complete {
		t.Errorf("once more: %+v", got)
	}
	l.arrived(upTo(60)...)
	if out := l.dlq(exitOK, "replay").stdout; out != "0 records replayed to events; 60 replayed before, not sent again\n" {
		t.Errorf("%q", out)
	}
	l.quarantine(3)
	if out := l.dlq(exitOK, "replay").stdout; out != "3 records replayed to events; 60 replayed before, not sent again\n" {
		t.Errorf("%q", out)
	}
	l.arrived(upTo(63)...)
}

// TestDLQReplayTwoGroups: a record that two groups have quarantined counts as one.
func TestDLQReplayTwoGroups(t *testing.T) {
	l := newLetters(t)
	l.quarantine(10)
	l.put(l.sent...)
	if got := l.replay("--dry-run"); got.Replayed != 10 || got.Before != 10 {
		t.Errorf("dry run: %+v", got)
	}
	if got := l.replay(); got.Replayed != 10 || got.Before != 10 {
		t.Errorf("%+v", got)
	}
	l.put(l.sent...)
	if got := l.replay(); got.Replayed != 0 || got.Before != 30 {
		t.Errorf("again: %+v", got)
	}
	l.arrived(upTo(10)...)
}

// TestDLQReplayAgain: a record that is still unusable is quarantined again, shows that, and may be replayed again.
func TestDLQReplayAgain(t *testing.T) {
	l := newLetters(t)
	l.quarantine(1)
	l.replay()
	back := l.arrived(0)[0]
	r := pipeline.Record{Offset: 400, Timestamp: back.Timestamp.UnixMilli(), Key: back.Key, Value: back.Value}
	var headers []kafkabatch.Header
	for _, h := range back.Headers {
		headers = append(headers, kafkabatch.Header{Key: h.Key, Value: h.Value})
	}
	r.Headers = kafkabatch.AppendHeaders(nil, nil, headers...)
	l.put(r)
	var listed deadletter.Listing
	err := json.Unmarshal([]byte(l.dlq(exitOK, "list", "--json").stdout), &listed)
	if err != nil || listed.Records != 2 || listed.Replayed != 1 || len(listed.Groups) != 2 ||
		listed.Groups[0].Again+listed.Groups[1].Again != 1 {
		t.Errorf("%+v, %v", listed, err)
	}
	out := l.dlq(exitOK, "show", "--partition", "0", "--offsets", "400").stdout
	if !strings.Contains(out, "  replayed 1 times before, the last time from events.dlq/") ||
		strings.Contains(out, "ebb.replay") {
		t.Errorf("%s", out)
	}
	if got := l.replay(); got.Replayed != 1 || got.Before != 1 {
		t.Errorf("%+v", got)
	}
	last := l.readAll(t, 2)[1]
	if h := last.Headers; len(h) != 5 || string(h[3].Value) != "events/0@400" || string(h[4].Value) != "2" {
		t.Errorf("the second time it is marked %q", h)
	}
}

// TestDLQReplayHomeless: records without a place in the input are skipped, and reported.
func TestDLQReplayHomeless(t *testing.T) {
	l := newLetters(t)
	l.quarantine(2)
	render := format.Renderer{DLQ: "events.dlq", Input: "older.events", Partition: 0}
	o, _ := render.Render(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON}, &pipeline.Record{})
	far := format.Renderer{DLQ: "events.dlq", Input: "events", Partition: 4}
	o2, _ := far.Render(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON}, &pipeline.Record{})
	for _, o := range []pipeline.Outgoing{o, o2} {
		k := &kgo.Record{Topic: "events.dlq", Value: o.Value}
		for key, value := range kafkabatch.Headers(o.Headers) {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: string(key), Value: value})
		}
		if err := l.client(t).ProduceSync(t.Context(), k).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	out := l.dlq(exitOK, "replay").stdout
	if out != "2 records replayed to events; 2 of partitions that the input does not have\n" {
		t.Errorf("%q", out)
	}
	l.arrived(0, 1)
}

// TestDLQReplayKeepsWhatRetentionWouldTake: replay refuses to send what retention would delete at once.
func TestDLQReplayKeepsWhatRetentionWouldTake(t *testing.T) {
	l := newLetters(t)
	l.quarantine(4)
	l.configure(t, "events", map[string]string{"retention.ms": "604800000"})
	got := l.dlq(exitFailed, "replay")
	if !strings.Contains(
		got.stderr,
		"topic events deletes records older than 7d (retention.ms=604800000); 4 events to send are older",
	) ||
		!strings.Contains(got.stderr, "the oldest: events/0@0, of 2023-11-14T22:13:20Z") {
		t.Error(got.stderr)
	}
	if got := l.replay("--force"); got.Replayed != 4 {
		t.Errorf("%+v", got)
	}
}

// TestDLQReplayLarge sends records that take several fetches and several transactions, unchanged byte for byte,
// although each fetch overwrites the one before.
func TestDLQReplayLarge(t *testing.T) {
	l := newLetters(t)
	noise := rand.New(rand.NewPCG(3, 3))
	for i := range 40 {
		value := fmt.Appendf(nil, "{\"broken\": %d ", i)
		for len(value) < 300_000 {
			value = strconv.AppendUint(value, noise.Uint64(), 36)
		}
		l.sent = append(l.sent, pipeline.Record{
			Offset:    int64(i),
			Timestamp: dlqStart,
			Key:       []byte("the same"),
			Value:     value,
			Headers: kafkabatch.AppendHeaders(
				nil,
				nil,
				kafkabatch.Header{Key: "trace", Value: []byte{byte(i), 0xff}},
				kafkabatch.Header{Key: "null"},
			),
		})
	}
	l.put(l.sent...)
	if got := l.replay(); got.Replayed != 40 {
		t.Errorf("%+v", got)
	}
	l.arrived(upTo(40)...)
}

// TestDLQMarksStandBehindWhatTheyName: a mark comes after the records that it names, in the same partition, so that
// retention deletes it after them.
func TestDLQMarksStandBehindWhatTheyName(t *testing.T) {
	l := newLetters(t)
	l.quarantine(40)
	l.replay("--code", "not_json")
	l.replay()
	c := l.client(
		t,
		kgo.ConsumeTopics("events.dlq"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	before, named := map[int32]map[format.ReplayID]bool{}, 0
	for named < 40 {
		fetched := c.PollFetches(t.Context())
		if err := fetched.Err(); err != nil {
			t.Fatal(err)
		}
		for _, k := range fetched.Records() {
			r := pipeline.Record{Timestamp: k.Timestamp.UnixMilli(), Key: k.Key, Value: k.Value}
			var headers []kafkabatch.Header
			for _, h := range k.Headers {
				headers = append(headers, kafkabatch.Header{Key: h.Key, Value: h.Value})
			}
			r.Headers = kafkabatch.AppendHeaders(nil, nil, headers...)
			if q, ok := format.ReadQuarantined(&r); ok {
				if before[k.Partition] == nil {
					before[k.Partition] = map[format.ReplayID]bool{}
				}
				before[k.Partition][q.ID()] = true
			}
			ids, _, err := format.ReadMark(&r)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if named++; !before[k.Partition][id] {
					t.Errorf("partition %d has a mark of %+v, which does not stand before it", k.Partition, id)
				}
			}
		}
	}
}
