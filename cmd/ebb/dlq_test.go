package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/deadletter"
	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/scoring/scoringtest/golden"
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

func (l *letters) dlq(code int, args ...string) outcome {
	l.t.Helper()
	return run(l.t, l.environ, nil, append([]string{"dlq"}, args...)...).want(l.t, code)
}

// replay runs dlq replay and returns its outcome.
func (l *letters) replay(args ...string) (r deadletter.Replayed) {
	l.t.Helper()
	if err := json.Unmarshal(
		[]byte(l.dlq(exitOK, append([]string{"replay", "--json"}, args...)...).stdout),
		&r,
	); err != nil {
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
	if string(r.Key) != string(want.Key) || (r.Key == nil) != (want.Key == nil) || string(r.Value) != string(want.Value) ||
		r.Timestamp.UnixMilli() != want.Timestamp ||
		r.Partition != int32(i%4) {
		l.t.Errorf("record %d came back as %+v", i, r)
	}
	if len(r.Headers) != 5 || string(r.Headers[0].Value) != string([]byte{byte(i), 0xff}) || r.Headers[1].Value != nil {
		l.t.Fatalf("record %d has the headers %q", i, r.Headers)
	}
	if h := r.Headers[2:]; h[0].Key != "ebb.replay.from" || !strings.HasPrefix(string(h[0].Value), "events.dlq/") ||
		h[1].Key != "ebb.replay.source" || string(h[1].Value) != fmt.Sprintf(
		"events/%d@%d",
		i%4,
		i,
	) || h[2].Key != "ebb.replay.count" || string(h[2].Value) != "1" {
		l.t.Errorf("record %d is marked %q", i, h)
	}
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestDLQList(t *testing.T) {
	l := newLetters(t)
	if got := l.dlq(exitOK, "list"); got.stdout != "0 records in events.dlq, 0 bytes, 0 replayed\n" {
		t.Errorf("an empty DLQ: %q", got.stdout)
	}
	l.quarantine(30)
	if err := l.client(t).
		ProduceSync(t.Context(), &kgo.Record{Topic: "events.dlq", Value: []byte("somebody's")}).
		FirstErr(); err != nil {
		t.Fatal(err)
	}
	l.replay("--code", "customer_missing", "--yes")
	var b strings.Builder
	for _, args := range []string{
		"",
		"--code not_json --code nested_too_deep",
		"--partition 3 --offsets 11-19",
		"--partition 1 --offsets 13",
		"--partition 1 --offsets 9-13 --json",
	} {
		fmt.Fprintf(
			&b,
			"$ ebb dlq list %s\n%s\n",
			args,
			l.dlq(exitOK, append([]string{"list"}, strings.Fields(args)...)...).stdout,
		)
	}
	golden.File(t, "dlq_list.golden", b.String())
}

// TestDLQSince: --since and --until are about when a record was quarantined, whenever its event was.
func TestDLQSince(t *testing.T) {
	l := newLetters(t)
	count := func(args ...string) (n int64) {
		var got deadletter.Listing
		if err := json.Unmarshal(
			[]byte(l.dlq(exitOK, append([]string{"list", "--json"}, args...)...).stdout),
			&got,
		); err != nil {
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

func TestDLQShow(t *testing.T) {
	l := newLetters(t)
	if got := l.dlq(exitOK, "show"); got.stdout != "" || got.stderr != "no such record in events.dlq\n" {
		t.Errorf("an empty DLQ: %q, %q", got.stdout, got.stderr)
	}
	odd := kafkabatch.AppendHeaders(
		nil,
		nil,
		kafkabatch.Header{Key: "\x1b[2J", Value: []byte("\r\n")},
		kafkabatch.Header{Key: "null"},
	)
	l.put(
		pipeline.Record{Offset: 0, Timestamp: dlqStart, Key: []byte("k"), Value: []byte("{\"customer\":\n\t\"é\"")},
		pipeline.Record{
			Offset:    1,
			Timestamp: dlqStart,
			Key:       []byte("k"),
			Value:     []byte("\x00\x00\x00\x00\x07avro and more than one line of it"),
			Headers:   odd,
		},
		pipeline.Record{Offset: 2, Timestamp: dlqStart, Key: []byte("k")},
		pipeline.Record{Offset: 3, Timestamp: -1, Key: []byte("k"), Value: []byte("\x1b]0;title\x07")},
	)
	l.replay("--partition", "2")
	var b strings.Builder
	for _, args := range []string{"", "--limit 1", "--partition 2 --json"} {
		got := l.dlq(exitOK, append([]string{"show"}, strings.Fields(args)...)...)
		fmt.Fprintf(&b, "$ ebb dlq show %s\n%s%s\n", args, got.stdout, got.stderr)
	}
	since := regexp.MustCompile(`"quarantined_at":"[^"]+"`)
	golden.File(t, "dlq_show.golden", since.ReplaceAllString(b.String(), `"quarantined_at":"NOW"`))
}

// TestDLQShowJSONIsExact: the output of --json is the record, whatever its bytes.
func TestDLQShowJSONIsExact(t *testing.T) {
	l := newLetters(t)
	l.quarantine(30)
	seen := 0
	for line := range strings.Lines(l.dlq(exitOK, "show", "--json").stdout) {
		var r struct {
			Input     format.Place
			Timestamp int64
			Key       *string
			Value     string
			Headers   []struct {
				Key   string
				Value *string
			}
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		want := &l.sent[r.Input.Offset]
		value, err := base64.StdEncoding.DecodeString(r.Value)
		if err != nil || string(value) != string(want.Value) || r.Timestamp != want.Timestamp ||
			(r.Key == nil) != (want.Key == nil) ||
			len(r.Headers) != 2 ||
			r.Headers[1].Value != nil {
			t.Errorf("%s: %v", line, err)
		}
		seen++
	}
	if seen != 30 {
		t.Errorf("%d records", seen)
	}
}

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
	if err := json.Unmarshal(
		[]byte(l.dlq(exitOK, "list", "--json").stdout),
		&listed,
	); err != nil || listed.Records != 2 || listed.Replayed != 1 || len(listed.Groups) != 2 ||
		listed.Groups[0].Again+listed.Groups[1].Again != 1 {
		t.Errorf("%+v, %v", listed, err)
	}
	if out := l.dlq(
		exitOK,
		"show",
		"--partition",
		"0",
		"--offsets",
		"400",
	).stdout; !strings.Contains(out, "  replayed 1 times before, the last time from events.dlq/") ||
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
	if out := l.dlq(
		exitOK,
		"replay",
	).stdout; out != "2 records replayed to events; 2 of partitions that the input does not have\n" {
		t.Errorf("%q", out)
	}
	l.arrived(0, 1)
}

// TestDLQReplayCutShort breaks the connection at chosen transactions. After repeated runs until nothing is left, each
// record came once.
func TestDLQReplayCutShort(t *testing.T) {
	l := newLetters(t)
	l.quarantine(40)
	r := rand.New(rand.NewPCG(7, 7))
	for _, key := range []kmsg.Key{kmsg.EndTxn, kmsg.Produce, kmsg.InitProducerID} {
		var armed atomic.Bool
		armed.Store(true)
		l.kafka.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			l.kafka.KeepControl()
			if armed.Swap(false) {
				return nil, errors.New("cut"), true
			}
			return nil, nil, false
		})
		got := run(t, l.environ, nil, "dlq", "replay", "--json", "--partition", strconv.Itoa(r.IntN(4)))
		if armed.Load() {
			t.Fatalf("%s: not reached", key.Name())
		}
		if got.code != exitOK && !strings.Contains(got.stderr, "run it again") {
			t.Errorf("%s: exit code %d, %s", key.Name(), got.code, got.stderr)
		}
	}
	l.replay()
	if got := l.replay(); got.Replayed != 0 || got.Before != 40 {
		t.Errorf("%+v", got)
	}
	l.arrived(upTo(40)...)
}

// TestDLQReplayBesideItself runs two at a time, repeatedly, and no record comes twice.
func TestDLQReplayBesideItself(t *testing.T) {
	l := newLetters(t)
	for round := range 5 {
		l.quarantine(20)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				got := run(t, l.environ, nil, "dlq", "replay")
				if got.code != exitOK && !strings.Contains(got.stderr, "has taken over") &&
					!strings.Contains(got.stderr, "run it again") {
					t.Errorf("exit code %d: %s", got.code, got.stderr)
				}
			})
		}
		both.Wait()
		if got := l.replay(); got.Before+got.Replayed != int64(20*(round+1)) {
			t.Errorf("%+v", got)
		}
		l.arrived(upTo(20 * (round + 1))...)
	}
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

func TestDLQWithoutTopic(t *testing.T) {
	s := startServices(t, "events")
	for _, command := range []string{"list", "show", "replay"} {
		got := run(t, s.environ, nil, "dlq", command).want(t, exitFailed)
		if want := "ebb dlq " + command + ": there is no topic \"events.dlq\""; !strings.HasPrefix(got.stderr, want) ||
			!strings.Contains(got.stderr, "ebb check --create") {
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
	if !slices.Contains(deadletter.CodeNames(), "registry_framed") || slices.Contains(deadletter.CodeNames(), "usable") {
		t.Error(deadletter.CodeNames())
	}
}

// TestDLQReplayStopped: at Ctrl-C the transaction under way is ended, the next is not begun, and nothing is lost or
// doubled.
func TestDLQReplayStopped(t *testing.T) {
	l := newLetters(t)
	const n = 3 * deadletter.ChunkRecords
	l.quarantine(n)
	ctx, cancel := context.WithCancelCause(t.Context())
	l.kafka.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel(advice.Stopped{Signal: syscall.SIGINT})
		return nil, nil, false
	})
	var stdout, stderr output
	p := process{
		args:    []string{"dlq", "replay"},
		environ: l.environ,
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	code := p.run(ctx, func(int) { panic("second signal") })
	sent, _, _ := strings.Cut(stdout.String(), " records replayed to events\n")
	if code != 130 || sent == "0" || stderr.String() != "ebb dlq replay: stopped by Ctrl-C: "+sent+" records replayed\n" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
	got := l.replay()
	if got.Before == 0 || got.Before+got.Replayed != n || advice.Grouped(got.Before) != sent {
		t.Errorf("stopped after %s, then %+v", sent, got)
	}
	l.arrived(upTo(n)...)
}

// TestDLQShowsNoOrders: control sequences in the DLQ do not reach a person's terminal.
func TestDLQShowsNoOrders(t *testing.T) {
	l := newLetters(t)
	forged := format.Renderer{DLQ: "events.dlq", Input: "\x1b[2Jevents"}
	o, _ := forged.Render(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON}, &pipeline.Record{})
	k := &kgo.Record{Topic: o.Topic, Value: o.Value}
	for key, value := range kafkabatch.Headers(o.Headers) {
		if string(key) == "ebb.error.code" {
			value = []byte("\x1b]0;title\x07")
		}
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: string(key), Value: value})
	}
	if err := l.client(t).ProduceSync(t.Context(), k).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "show"} {
		out := l.dlq(exitOK, command).stdout
		if strings.ContainsAny(out, "\x1b\x07") || !strings.Contains(out, `\x1b]0;title\a`) {
			t.Errorf("%s: %q", command, out)
		}
	}
}

// TestDLQCodesComplete: a shell completes the codes.
func TestDLQCodesComplete(t *testing.T) {
	got := run(t, nil, nil, "__complete", "dlq", "show", "--code", "").want(t, exitOK)
	if want := strings.Join(deadletter.CodeNames(), "\n") + "\n:4\n"; got.stdout != want { // 4: no file names
		t.Errorf("%q, want %q", got.stdout, want)
	}
}

// TestDLQReplayBehindAnOpenTransaction: a killed replay has left a transaction open, and nothing after it can be read.
// The next replay ends it at once, and sends what comes after it.
func TestDLQReplayBehindAnOpenTransaction(t *testing.T) {
	l := newLetters(t)
	killed := l.client(
		t,
		kgo.TransactionalID(deadletter.TransactionalID("events.dlq")),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err := killed.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for n := range int32(4) {
		if err := killed.ProduceSync(
			t.Context(),
			&kgo.Record{Topic: "events.dlq", Partition: n, Value: []byte("never committed")},
		).
			FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	l.quarantine(10)
	if got := l.dlq(
		exitOK,
		"replay",
		"--dry-run",
	); !strings.HasPrefix(got.stdout, "0 records") ||
		!strings.Contains(got.stderr, "a transaction is open in events.dlq") {
		t.Errorf("dry run: %q, %q", got.stdout, got.stderr)
	}
	if got := l.replay(); got.Replayed != 10 || got.Foreign != 0 {
		t.Errorf("%+v", got)
	}
	l.arrived(upTo(10)...)
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

// TestDLQReadsThroughEmptyAnswers: a new leader holds nothing up, and nothing is left out.
func TestDLQReadsThroughEmptyAnswers(t *testing.T) {
	l := newLetters(t)
	l.quarantine(30)
	l.replay("--code", "not_json", "--yes")
	l.answerEmptyAtFirst()
	got := l.dlq(exitOK, "list")
	if !strings.HasSuffix(got.stdout, "\n30 records in events.dlq, 650 bytes, 10 replayed\n") || got.stderr != "" {
		t.Errorf("stdout:\n%s\nstderr: %s", got.stdout, got.stderr)
	}
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
