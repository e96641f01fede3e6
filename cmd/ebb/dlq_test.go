package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/deadletter"
	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/sinks/format"
)

// letters is a DLQ in a test's Kafka, filled like the line fills it.
type letters struct {
	*services
	t    testing.TB
	sent []pipeline.Record // the input records, by number
}

const dlqStart = 1_700_000_000_000 // timestamp of the first record

func newLetters(t testing.TB) *letters {
	t.Helper()
	l := &letters{services: startServices(t, "events", "events.dlq"), t: t}
	for _, topic := range []string{"events", "events.dlq"} {
		l.configure(t, topic, map[string]string{"retention.ms": "-1"})
	}
	return l
}

// codeOf is the code of the n-th record.
func codeOf(n int) pipeline.Code { return pipeline.Code(1 + n%3) }

// quarantine puts n more records into the DLQ: the i-th comes from partition i%4 of the input, offset i.
func (l *letters) quarantine(n int) {
	l.t.Helper()
	for range n {
		i := len(l.sent)
		r := pipeline.Record{
			Offset: int64(
				i,
			),
			Timestamp: dlqStart + int64(i)*60_000,
			Key:       fmt.Appendf(nil, "customer %d", i%5),
			Value:     fmt.Appendf(nil, "{\"broken\": %d", i),
			Headers: kafkabatch.AppendHeaders(
				nil,
				nil,
				kafkabatch.Header{Key: "trace", Value: []byte{byte(i), 0xff}},
				kafkabatch.Header{Key: "null"},
			),
		}
		if i%10 == 9 {
			r.Key = nil
		}
		l.sent = append(l.sent, r)
	}
	l.put(l.sent[len(l.sent)-n:]...)
}

// put quarantines records as a group does that reads them.
func (l *letters) put(records ...pipeline.Record) {
	l.t.Helper()
	l.putBy(l.client(l.t), records...)
}

// putBy is put by a client.
func (l *letters) putBy(c *kgo.Client, records ...pipeline.Record) {
	l.t.Helper()
	var out []*kgo.Record
	for i := range records {
		r := &records[i]
		render := format.Renderer{DLQ: "events.dlq", Input: "events", Partition: int32(r.Offset % 4)}
		o, _ := render.Render(
			nil,
			&pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: r.Offset, Code: codeOf(int(r.Offset))},
			r,
		)
		k := &kgo.Record{Topic: o.Topic, Key: o.Key, Value: o.Value, Timestamp: time.UnixMilli(o.Timestamp)}
		for key, value := range kafkabatch.Headers(o.Headers) {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: string(key), Value: value})
		}
		out = append(out, k)
	}
	if err := c.ProduceSync(l.t.Context(), out...).FirstErr(); err != nil {
		l.t.Fatal(err)
	}
}

// TestDLQUndelivered: the same commands show the alerts that ebb deliver gave up.
func TestDLQUndelivered(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "ebb.alerts.dlq")
	letter := format.Undelivered{
		Topic: "ebb.alerts.dlq", Group: "ebb.deliver", From: format.Place{Topic: "ebb.alerts", Partition: 2, Offset: 41},
		Reason: format.ReasonExpired, Attempts: 7, Failure: "timeout",
	}
	o := letter.Outgoing(&pipeline.Record{Key: []byte("c-1"), Value: []byte(`{"id":"a"}`), Timestamp: dlqStart})
	k := &kgo.Record{Topic: o.Topic, Key: o.Key, Value: o.Value, Timestamp: time.UnixMilli(o.Timestamp)}
	for key, value := range kafkabatch.Headers(o.Headers) {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: string(key), Value: value})
	}
	if err := s.client(t).ProduceSync(t.Context(), k).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var listed deadletter.Listing
	out := run(t, s.environ, nil, "dlq", "list", "--undelivered", "--json").want(t, exitOK).stdout
	if err := json.Unmarshal(
		[]byte(out),
		&listed,
	); err != nil || listed.Records != 1 || listed.Groups[0].Code != "expired" ||
		listed.Groups[0].Topic != "ebb.alerts" ||
		listed.Groups[0].Partition != 2 {
		t.Errorf("%v: %s", err, out)
	}
	out = run(t, s.environ, nil, "dlq", "show", "--undelivered", "--code", "expired").want(t, exitOK).stdout
	if !strings.Contains(out, "ebb.alerts/2@41") || !strings.Contains(out, `{"id":"a"}`) {
		t.Errorf("shown:\n%s", out)
	}
	out = run(t, s.environ, nil, "dlq", "show", "--undelivered", "--code", "unreadable").want(t, exitOK).stdout
	if strings.Contains(out, "ebb.alerts/2@41") {
		t.Errorf("shown:\n%s", out)
	}
}

func (l *letters) dlq(code int, args ...string) outcome {
	l.t.Helper()
	return run(l.t, l.environ, nil, append([]string{"dlq"}, args...)...).want(l.t, code)
}

// replay runs dlq replay and returns its outcome.
func (l *letters) replay(args ...string) (r deadletter.Replayed) {
	l.t.Helper()
	err := json.Unmarshal([]byte(l.dlq(exitOK, append([]string{"replay", "--json"}, args...)...).stdout), &r)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// arrived reads the input and fails the test unless it holds exactly the records of these numbers, each once,
// unchanged, and marked. It returns them in that order.
func (l *letters) arrived(numbers ...int) (records []*kgo.Record) {
	l.t.Helper()
	got := map[int]*kgo.Record{}
	if len(numbers) == 0 {
		return nil
	}
	for _, r := range l.readAll(l.t, len(numbers)) {
		var i int
		if _, err := fmt.Sscanf(string(r.Value), "{\"broken\": %d", &i); err != nil || got[i] != nil {
			l.t.Fatalf("record %q: twice, or %v", r.Value, err)
		}
		got[i] = r
		l.check(i, r)
	}
	for _, i := range numbers {
		if got[i] == nil {
			l.t.Fatalf("record %d is not there", i)
		}
		records = append(records, got[i])
	}
	if len(got) != len(numbers) {
		l.t.Errorf("%d records, want %d", len(got), len(numbers))
	}
	return records
}

func (l *letters) check(i int, r *kgo.Record) {
	l.t.Helper()
	want := &l.sent[i]
	if string(r.Key) != string(want.Key) || (r.Key == nil) != (want.Key == nil) ||
		string(r.Value) != string(want.Value) ||
		r.Timestamp.UnixMilli() != want.Timestamp ||
		r.Partition != int32(i%4) {
		l.t.Errorf("record %d came back as %+v", i, r)
	}
	if len(r.Headers) != 5 || string(r.Headers[0].Value) != string([]byte{byte(i), 0xff}) || r.Headers[1].Value != nil {
		l.t.Fatalf("record %d has the headers %q", i, r.Headers)
	}
	h := r.Headers[2:]
	if h[0].Key != "ebb.replay.from" || !strings.HasPrefix(string(h[0].Value), "events.dlq/") ||
		h[1].Key != "ebb.replay.source" || string(h[1].Value) != fmt.Sprintf("events/%d@%d", i%4, i) ||
		h[2].Key != "ebb.replay.count" || string(h[2].Value) != "1" {
		l.t.Errorf("record %d is marked %q", i, h)
	}
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// TestDLQSince: --since and --until are about when a record was quarantined, whenever its event was.
func TestDLQSince(t *testing.T) {
	l := newLetters(t)
	count := func(args ...string) (n int64) {
		var got deadletter.Listing
		err := json.Unmarshal([]byte(l.dlq(exitOK, append([]string{"list", "--json"}, args...)...).stdout), &got)
		if err != nil {
			t.Fatal(err)
		}
		return got.Records
	}
	committed, err := kgo.NewClient(kgo.SeedBrokers(l.kafka.ListenAddrs()...), kgo.TransactionalID("a group"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(committed.Close)
	if err := committed.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	l.putBy(committed, pipeline.Record{Offset: 0, Timestamp: dlqStart, Value: []byte("{")},
		pipeline.Record{Offset: 1, Timestamp: time.Now().UnixMilli(), Value: []byte("{")})
	before := time.Now()
	if err := committed.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	after := time.Now().Add(time.Second)
	for args, want := range map[string]int64{
		"": 2, "--since 1h": 2, "--until 1h": 0, // of an event of years ago too
		"--since " + before.Add(-time.Second).Format(time.RFC3339Nano): 2,
		"--until " + after.Format(time.RFC3339Nano):                    2,
		"--since " + after.Format(time.RFC3339Nano):                    0,
		"--since 2023-11-14T22:00:00Z --until 2023-11-15T00:00:00Z":    0,
	} {
		if got := count(strings.Fields(args)...); got != want {
			t.Errorf("%s: %d records, want %d", args, got, want)
		}
	}
	l.put(
		pipeline.Record{Offset: 2, Timestamp: dlqStart, Value: []byte("{")},
	) // no transaction: there is its own time alone
	if got := count("--since", "1h"); got != 2 {
		t.Errorf("%d records since an hour, want those of the transaction", got)
	}
}

func TestDLQWithoutTopic(t *testing.T) {
	s := startServices(t, "events")
	for _, command := range []string{"list", "show", "replay"} {
		got := run(t, s.environ, nil, "dlq", command).want(t, exitFailed)
		want := "ebb dlq " + command + ": there is no topic \"events.dlq\""
		if !strings.HasPrefix(got.stderr, want) || !strings.Contains(got.stderr, "ebb check --create") {
			t.Error(got.stderr)
		}
	}
}

func TestDLQCommandLines(t *testing.T) {
	for args, want := range map[string]string{
		"dlq lst": "ebb dlq: there is no command \"lst\"; did you mean list?\n  see: ebb dlq " +
			"--help\n",
		"dlq list --code not_jason": "ebb dlq list: there is no code \"not_jason\" (docs/events.md lists them); " +
			"did you mean not_json?\n  see: ebb dlq list --help\n",
		"dlq show --offsets 3-4": "ebb dlq show: --offsets needs --partition: each partition has offsets of " +
			"its own\n  see: ebb dlq show --help\n",
		"dlq show --partition 1 --offsets 4-3": "ebb dlq show: --offsets is FROM-TO, FROM- or one offset, found \"4-3\"\n  " +
			"see: ebb dlq show --help\n",
		"dlq show --dlq-partition -3": "ebb dlq show: --dlq-partition must be 0 or more, found -3\n  see: ebb dlq " +
			"show --help\n",
		"dlq show --limit -1": "ebb dlq show: --limit must be 0 or more, found -1\n  see: ebb dlq show " +
			"--help\n",
		"dlq list --since yesterday": "ebb dlq list: --since is a time such as 2026-01-01T00:00:00Z, or how long " +
			"ago, such as 2h or 3d; found \"yesterday\"\n  see: ebb dlq list --help\n",
		"dlq replay --since 1h --until 2h": "ebb dlq replay: --since 1h is not before --until 2h\n  see: ebb dlq " +
			"replay --help\n",
	} {
		t.Run(args, func(t *testing.T) {
			got := run(t, nil, nil, strings.Fields(args)...).want(t, exitUsage)
			if diff := cmp.Diff(want, got.stderr); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSelectionTakesOpenSpans(t *testing.T) {
	f := dlqFlags{partition: 2, offsets: "5-", dlqPartition: 1, dlqOffsets: "7"}
	s, err := f.selection(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	at := func(partition int32, offset int64) format.Place {
		return format.Place{Partition: partition, Offset: offset}
	}
	for place, want := range map[format.Place]bool{at(2, 5): true, at(2, 1<<60): true, at(2, 4): false, at(1, 5): false} {
		if got := s.Input.Takes(&place); got != want {
			t.Errorf("%v: %v", place, got)
		}
	}
	if !slices.Contains(deadletter.CodeNames(), "registry_framed") ||
		slices.Contains(deadletter.CodeNames(), "usable") {
		t.Error(deadletter.CodeNames())
	}
}

// TestDLQCodesComplete: a shell completes the codes.
func TestDLQCodesComplete(t *testing.T) {
	got := run(t, nil, nil, "__complete", "dlq", "show", "--code", "").want(t, exitOK)
	if want := strings.Join(deadletter.CodeNames(), "\n") + "\n:4\n"; got.stdout != want { // 4: no file names
		t.Errorf("%q, want %q", got.stdout, want)
	}
}
