package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/produce"
)

// sampleLog is a CSV log of n events of a few customers, a minute apart, the first a day ago.
func sampleLog(n int) string {
	var b strings.Builder
	b.WriteString(eventlog.CSVHeader + "\n")
	first := time.Now().Add(-24 * time.Hour).Unix()
	for i := range n {
		fmt.Fprintf(&b, "c%d,%d,purchase,%d.50\n", i*7%13, first+int64(i), i)
	}
	return b.String()
}

func TestProduceSendsEveryEventOnceKeyedAndInOrder(t *testing.T) {
	s := startServices(t, "events")
	const n = 20_000
	path := writeLog(t, "shop.csv.gz", sampleLog(n))
	got := run(t, s.environ, nil, "produce", "--json", path).want(t, exitOK)
	var sum produce.Summary
	err := json.Unmarshal([]byte(got.stdout), &sum)
	if err != nil || sum.Events != n || !sum.Complete || sum.Partitions != 4 || got.stderr != "" {
		t.Errorf("summary %s, stderr %q: %v", got.stdout, got.stderr, err)
	}
	seen := map[string]bool{}
	last := map[string]int64{}
	hash := kgo.StickyKeyPartitioner(nil).ForTopic("events") // murmur2, as in the Java client
	for _, r := range s.readAll(t, n) {
		var e struct {
			ID, Customer, Type string
			Time               int64
		}
		if err := json.Unmarshal(r.Value, &e); err != nil {
			t.Fatal(err)
		}
		if seen[e.ID] || e.Customer != string(r.Key) || e.Time*1000 != r.Timestamp.UnixMilli() ||
			int(r.Partition) != hash.Partition(r, 4) {
			t.Fatalf("record %s %s at %s in partition %d", r.Key, r.Value, r.Timestamp, r.Partition)
		}
		if e.Time < last[e.Customer] {
			t.Fatalf("%s comes after an event at %d", r.Value, last[e.Customer])
		}
		seen[e.ID], last[e.Customer] = true, e.Time
	}
	if len(seen) != n {
		t.Errorf("%d different ids of %d lines", len(seen), n)
	}
}

// TestProduceSurvivesLostAnswers makes Kafka drop batches, or write them and answer with an unknown outcome: each event
// is still there once.
func TestProduceSurvivesLostAnswers(t *testing.T) {
	s := startServices(t, "events")
	produce := []kmsg.Key{kmsg.Produce}
	faults := s.kafka.Fault(
		kfake.Fault{Keys: produce, Err: kerr.RequestTimedOut, Count: 3},
		kfake.Fault{Keys: produce, Err: kerr.NotEnoughReplicasAfterAppend, Count: 3},
		kfake.Fault{Keys: produce, Err: kerr.NotLeaderForPartition, Count: 3},
	)
	cut := 0
	s.kafka.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		s.kafka.KeepControl()
		if cut++; cut%5 != 1 {
			return nil, nil, false
		}
		return nil, errors.New("connection cut"), true
	})
	path := writeLog(t, "shop.csv", sampleLog(3000))
	run(t, s.environ, nil, "produce", "--rate", "20000", path).want(t, exitOK)
	different := map[string]bool{}
	for _, r := range s.readAll(t, 3000) {
		different[string(r.Value)] = true
	}
	if faults.Hits() != 9 || cut < 5 {
		t.Errorf("%d faults, %d requests", faults.Hits(), cut)
	}
	if len(different) != 3000 || s.end(t) != 3000 {
		t.Errorf("%d different events, %d records", len(different), s.end(t))
	}
}

// end is how many records the input holds.
func (s *services) end(t testing.TB) (n int64) {
	t.Helper()
	for p := range int32(4) {
		n += s.kafka.PartitionInfo("events", p).HighWatermark
	}
	return n
}

func TestProduceReadsStandardInput(t *testing.T) {
	s := startServices(t, "events")
	got := run(t, s.environ, strings.NewReader(sampleLog(10)), "produce", "-").want(t, exitOK)
	if !strings.HasPrefix(got.stdout, "10 events to events (4 partitions) in ") {
		t.Error(got.stdout)
	}
	for _, r := range s.readAll(t, 10) {
		if strings.Contains(string(r.Value), `"id"`) {
			t.Errorf("%s has an id that the next run would use again", r.Value)
		}
	}
}

func TestProduceFlushesWhatTricklesIn(t *testing.T) {
	s := startServices(t, "events")
	in, feed := io.Pipe()
	done := make(chan outcome)
	go func() { done <- run(t, s.environ, in, "produce", "-") }()
	if _, err := io.WriteString(feed, sampleLog(3)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.readAll(t, 3)); got != 3 {
		t.Errorf("%d records", got)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	(<-done).want(t, exitOK)
}

func TestProduceRefusals(t *testing.T) {
	now := time.Now().UTC()
	old := now.Add(-400 * advice.Day).Truncate(time.Second)
	event := func(customer string, at time.Time) string {
		return fmt.Sprintf(`{"customer":%q,"type":"purchase","time":%q}`+"\n", customer, at.Format(time.RFC3339))
	}
	tests := []struct {
		name, text string
		args       []string
		config     map[string]string
		code       int
		events     int64
		stdout     string
		stderr     string
	}{
		{
			name:   "bad line",
			text:   event("a", now) + "{}\n" + event("b", now),
			code:   exitFailed,
			events: 1,
			stdout: "1 event to",
			stderr: "ebb produce: FILE:2: names no customer: want customer, userId or anonymousId, or the subject of a " +
				"CloudEvent\n  mend the line, or leave out what cannot be used with --skip-bad\n",
		},
		{
			name:   "bad lines skipped",
			text:   event("a", now) + "{}\n[]\n" + event("b", now),
			args:   []string{"--skip-bad"},
			events: 2,
			stdout: ", 2 bad lines skipped\n",
		},
		{
			name:   "retention would delete",
			text:   event("a", now) + event("b", old.Add(time.Hour)) + event("c", old),
			code:   exitFailed,
			config: map[string]string{"retention.ms": "604800000"},
			stderr: "ebb produce: topic events deletes records older than 7d (retention.ms=604800000); 2 events to send are " +
				"older\n" +
				"  the oldest: FILE:3, of " + old.Format(
				time.RFC3339,
			) + "\n" +
				"  A record carries its event's time, so Kafka would delete these within minutes. Have the topic keep " +
				"everything:\n" +
				"    kafka-configs.sh --bootstrap-server BROKERS --alter --entity-type topics --entity-name events --add-config " +
				"retention.ms=-1\n" +
				"  or send them all the same with --force.\n",
		},
		{
			name:   "retention would delete, forced",
			text:   event("a", old),
			args:   []string{"--force"},
			events: 1,
			stdout: "1 event to",
			config: map[string]string{"retention.ms": "604800000"},
		},
		{
			name:   "retention long enough",
			text:   event("a", old),
			events: 1,
			stdout: "1 event to",
			config: map[string]string{"retention.ms": "63072000000"},
		},
		{
			name:   "compacted topic keeps by key",
			text:   event("a", old),
			events: 1,
			stdout: "1 event to",
			config: map[string]string{"retention.ms": "1000", "cleanup.policy": "compact"},
		},
		{
			name:   "broker's clock",
			text:   event("a", old),
			events: 1,
			stdout: "1 event to",
			config: map[string]string{"retention.ms": "1000", "message.timestamp.type": "LogAppendTime"},
		},
		{
			name:   "larger than the topic takes",
			text:   event(strings.Repeat("a", 200), now),
			code:   exitFailed,
			stdout: "0 events",
			config: map[string]string{"max.message.bytes": "300"},
			stderr: "ebb produce: FILE:1: SIZE bytes are more than topic events takes (max.message.bytes=300)\n  mend the " +
				"line, or leave out what cannot be used with --skip-bad\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startServices(t, "events")
			s.configure(t, "events", test.config)
			path := writeLog(t, "log.ndjson", test.text)
			got := run(t, s.environ, nil, append(append([]string{"produce"}, test.args...), path)...).want(t, test.code)
			plain := strings.NewReplacer(path, "FILE", s.kafka.ListenAddrs()[0], "BROKERS").Replace(got.stderr)
			if i := strings.Index(plain, " bytes are more"); i > 0 {
				plain = plain[:strings.LastIndex(plain[:i], " ")+1] + "SIZE" + plain[i:]
			}
			if diff := cmp.Diff(test.stderr, plain); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.stdout, test.stdout) || test.stdout == "" && got.stdout != "" {
				t.Errorf("stdout %q, want %q in it", got.stdout, test.stdout)
			}
			if n := s.end(t); n != test.events {
				t.Errorf("%d records in the topic, want %d", n, test.events)
			}
		})
	}
}

// TestProduceChecksStandardInputOnTheWay: an input that cannot be read twice is refused at its first event that
// retention would delete.
func TestProduceChecksStandardInputOnTheWay(t *testing.T) {
	s := startServices(t, "events")
	s.configure(t, "events", map[string]string{"retention.ms": "604800000"})
	got := run(
		t,
		s.environ,
		strings.NewReader(eventlog.CSVHeader+"\n7,1300000000,purchase,1\n"),
		"produce",
		"-",
	).want(t, exitFailed)
	if !strings.Contains(got.stderr, "1 event to send is older\n  the oldest: stdin:2, of 2011-03-13T07:06:40Z\n") ||
		s.end(t) != 0 {
		t.Errorf("%d records; stderr: %s", s.end(t), got.stderr)
	}
}

// configure sets a topic's settings, as kafka-configs.sh would.
func (s *services) configure(t testing.TB, topic string, set map[string]string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	for name, value := range set {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value, c.Op = name, &value, kmsg.IncrementalAlterConfigOpSet
		res.Configs = append(res.Configs, c)
	}
	req.Resources = append(req.Resources, res)
	answer, err := req.RequestWith(t.Context(), s.client(t))
	if err != nil {
		t.Fatal(err)
	}
	if code := answer.Resources[0].ErrorCode; code != 0 {
		t.Fatalf("error code %d for %v", code, set)
	}
}

func TestProduceWithoutTopicOrFile(t *testing.T) {
	s := startServices(t)
	got := run(t, s.environ, nil, "produce", "--topic", "clicks", writeLog(t, "x.csv", sampleLog(1))).want(t, exitFailed)
	want := fmt.Sprintf(
		"ebb produce: there is no topic \"clicks\" at %s\n  create it:\n    ebb check --create --topic clicks\n",
		s.kafka.ListenAddrs()[0],
	)
	if diff := cmp.Diff(want, got.stderr); diff != "" {
		t.Error(diff)
	}
	s = startServices(t, "events")
	missing := filepath.Join(t.TempDir(), "none.csv")
	got = run(t, s.environ, nil, "produce", missing).want(t, exitFailed)
	want = "ebb produce: open " + missing + ": no such file or directory\n"
	if got.stderr != want || got.stdout != "" {
		t.Errorf("stdout %q, stderr %q", got.stdout, got.stderr)
	}
}

// TestProduceSaysHowFarItGot: brokers that refuse for good end it, and the summary holds what was sent.
func TestProduceSaysHowFarItGot(t *testing.T) {
	s := startServices(t, "events")
	s.kafka.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		s.kafka.KeepControl()
		return refuseProduce(req.(*kmsg.ProduceRequest), 29), nil, true // TOPIC_AUTHORIZATION_FAILED
	})
	got := run(t, s.environ, nil, "produce", writeLog(t, "x.csv", sampleLog(5))).want(t, exitFailed)
	if !strings.Contains(got.stderr, "topic authorization failed") ||
		!strings.Contains(got.stderr, "  0 events acknowledged, 5 more may have been written") {
		t.Error(got.stderr)
	}
}

func refuseProduce(req *kmsg.ProduceRequest, code int16) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, rt := range req.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, code
			t.Partitions = append(t.Partitions, p)
		}
		res.Topics = append(res.Topics, t)
	}
	return res
}

func BenchmarkProduce(b *testing.B) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "events"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(kafka.Close)
	const n = 200_000
	path := writeLog(b, "shop.csv", sampleLog(n))
	environ := []string{"EBB_KAFKA_BROKERS=" + kafka.ListenAddrs()[0]}
	b.ReportAllocs()
	for b.Loop() {
		run(b, environ, nil, "produce", path).want(b, exitOK)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
}

// TestProduceIDsOverTime: reports of one name hold different events, and one that is sent again holds the same.
func TestProduceIDsOverTime(t *testing.T) {
	s := startServices(t, "events")
	dirs := [2]string{t.TempDir(), t.TempDir()}
	s.configure(t, "events", map[string]string{"retention.ms": "-1"})
	first := time.Now().Add(-10 * advice.Day).Unix()
	for week, dir := range dirs {
		text := eventlog.CSVHeader + "\n"
		for i, customer := range []string{"q1", "q2", "q3"} {
			text += fmt.Sprintf("%s,%d,Order Completed,%d0.00\n", customer, first+int64(week*604800+i), week+1)
		}
		if err := os.WriteFile(filepath.Join(dir, "report.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one, other := filepath.Join(dirs[0], "report.csv"), filepath.Join(dirs[1], "report.csv")
	run(t, s.environ, nil, "produce", one).want(t, exitOK)
	run(t, s.environ, nil, "produce", one, other).want(t, exitOK)
	times := map[string]int{}
	for _, r := range s.readAll(t, 9) {
		var e struct{ ID string }
		if err := json.Unmarshal(r.Value, &e); err != nil {
			t.Fatal(err)
		}
		times[e.ID]++
	}
	var twice, once int
	for _, n := range times {
		once += map[bool]int{true: 1}[n == 1]
		twice += map[bool]int{true: 1}[n == 2]
	}
	if once != 3 || twice != 3 {
		t.Errorf("ids %v, want 3 twice and 3 once", times)
	}
}

// unusableLines are lines of every envelope, good ones and such as ebb cannot use.
const unusableLines = `{"type":"track","event":"Filter Applied","userId":"s1","messageId":"m1","timestamp":"NOW","properties":{"value":"red"}}
{"type":"track","event":"Order Completed","userId":"s2","messageId":"m2","timestamp":"NOW","properties":{"revenue":"$19.99","currency":"USD"}}
{"specversion":"1.0","id":"8","source":"/s","type":"Order Completed","subject":"c8","time":"NOW","data":{"value":"n/a"}}
{"type":"track","event":"Order Completed","userId":"s3","messageId":"m3","timestamp":"soon"}
{"type":"track","event":"Order Completed","userId":"s3","messageId":"m3"}
{"type":"track","userId":"s3","messageId":"m3","timestamp":"NOW"}
{"specversion":"1.0","id":"9","source":"/s","type":"Order Completed","subject":"order-9","time":"NOW","data_base64":"eyJjdXN0b21lciI6"}
{"specversion":"1.0","id":"9","source":"/s","type":"Order Completed","subject":"order-9","time":"NOW","data":"{\"customer\":"}
{"type":"identify","userId":"s4","messageId":"m4","timestamp":"NOW"}
{"specversion":"1.0","id":"10","source":"/s","type":"Order Completed","subject":"c10","data":{"value":"12.90"}}
`

// TestProduceRefusesWhatEbbCannotUse, in whatever envelope it comes.
func TestProduceRefusesWhatEbbCannotUse(t *testing.T) {
	s := startServices(t, "events")
	now := time.Now().UTC().Format(time.RFC3339)
	path := writeLog(t, "log.ndjson", strings.ReplaceAll(unusableLines, "NOW", now))
	got := run(t, s.environ, nil, "produce", path).want(t, exitFailed)
	if !strings.Contains(got.stderr, path+":2: the value is no decimal number") ||
		!strings.Contains(got.stderr, "--skip-bad") || s.end(t) != 1 {
		t.Errorf("%d records; stderr: %s", s.end(t), got.stderr)
	}
	s = startServices(t, "events")
	got = run(t, s.environ, nil, "produce", "--skip-bad", path).want(t, exitOK)
	if !strings.HasPrefix(got.stdout, "3 events to ") ||
		!strings.HasSuffix(got.stdout, ", 7 bad lines skipped, 1 without a value, which is no money\n") || s.end(t) != 3 {
		t.Errorf("%d records; stdout: %s", s.end(t), got.stdout)
	}
	s = startServices(t, "events") // a pack that takes no money
	got = run(
		t,
		s.environ,
		strings.NewReader(""),
		"produce",
		"--skip-bad",
		"-c",
		writeLog(t, "any.yaml", "pack: any\n"),
		path,
	).want(t, exitOK)
	if !strings.HasPrefix(got.stdout, "5 events to ") {
		t.Errorf("stdout: %s", got.stdout)
	}
}

// TestProduceTellsWhatIsInVain: a log that runs backwards, and one of types that the pack knows by other names, are
// read and lead to no alerts; whoever sends them is told.
func TestProduceTellsWhatIsInVain(t *testing.T) {
	now := time.Now().Unix()
	log := func(kind string, days ...int64) string {
		var b strings.Builder
		for _, day := range days {
			fmt.Fprintf(&b, "{\"customer\":\"c-%d\",\"type\":%q,\"time\":%d}\n", day%2, kind, now-day*86_400)
		}
		return writeLog(t, "log.ndjson", b.String())
	}
	for _, c := range []struct {
		name, path string
		late, vain bool
	}{
		{"in order", log("Order Completed", 6, 5, 4, 3, 2), false, false},
		{"backwards", log("Order Completed", 1, 3, 4, 6), true, false},
		{"renamed", log("order_completed", 6, 5, 4, 3), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startServices(t, "events")
			got := run(t, s.environ, nil, "produce", c.path).want(t, exitOK).stdout
			if strings.Contains(got, "3 of them more than a day older") != c.late ||
				strings.Contains(got, "none of them is of a type that the pack retail names") != c.vain {
				t.Errorf("stdout: %s", got)
			}
		})
	}
}
