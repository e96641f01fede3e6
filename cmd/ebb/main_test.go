package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/cmd/ebb/advice"
)

// output is a stream that a test may read while the program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// outcome is the result of a run of the program.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the program in this process as the command line would, with only these variables.
func run(t testing.TB, environ []string, stdin io.Reader, args ...string) outcome {
	t.Helper()
	var stdout, stderr output
	p := process{args: args, environ: environ, stdin: stdin, stdout: &stdout, stderr: &stderr}
	code := p.run(t.Context(), func(int) { panic("second signal") })
	return outcome{code, stdout.String(), stderr.String()}
}

// want fails the test if the program did not end with code.
func (o outcome) want(t testing.TB, code int) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", o.code, code, o.stdout, o.stderr)
	}
	return o
}

// services are a Kafka and a Redis inside the test.
type services struct {
	kafka    *kfake.Cluster
	redis    *miniredis.Miniredis
	environ  []string
	requests atomic.Int64 // received by Kafka
}

// startServices starts both, with these topics of four partitions.
func startServices(t testing.TB, topics ...string) *services {
	t.Helper()
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID("test")}
	if len(topics) > 0 {
		opts = append(opts, kfake.SeedTopics(4, topics...))
	}
	kafka, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	s := &services{kafka: kafka, redis: miniredis.RunT(t)}
	kafka.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		s.requests.Add(1)
		return nil, nil, false
	})
	s.environ = []string{
		"EBB_KAFKA_BROKERS=" + strings.Join(kafka.ListenAddrs(), ","),
		"EBB_REDIS_ADDRESSES=" + s.redis.Addr(),
		"EBB_START_HISTORY=none", // what there is raises alerts at once; see run_first_test.go
		"EBB_STORM_BREAKER=off",  // however many fall due at once; see run_storm_test.go
	}
	return s
}

// client is an independent client of the test's Kafka.
func (s *services) client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.kafka.ListenAddrs()...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// readAll reads n committed records of the input.
func (s *services) readAll(t testing.TB, n int) []*kgo.Record {
	t.Helper()
	c := s.client(
		t,
		kgo.ConsumeTopics("events"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	var records []*kgo.Record
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(records) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records: %v", len(records), n, err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

// answerEmpty makes Kafka answer a fetch without records whenever yes returns true, like a newly elected leader that
// does not have its followers' positions yet. One goroutine calls yes.
func (s *services) answerEmpty(yes func(topic string, partition int32, offset int64) bool) {
	s.kafka.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		s.kafka.KeepControl()
		req := r.(*kmsg.FetchRequest)
		if len(req.Topics) != 1 || len(req.Topics[0].Partitions) != 1 { // not from ebb
			return nil, nil, false
		}
		asked := req.Topics[0].Partitions[0]
		if !yes(req.Topics[0].Topic, asked.Partition, asked.FetchOffset) {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.FetchResponse)
		t, p := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
		p.Partition, p.HighWatermark, p.LastStableOffset = asked.Partition, asked.FetchOffset, asked.FetchOffset
		t.Topic, t.Partitions = req.Topics[0].Topic, append(t.Partitions, p)
		res.Topics = append(res.Topics, t)
		return res, nil, true
	})
}

// answerEmptyAtFirst makes Kafka answer the first fetch at each offset without records.
func (s *services) answerEmptyAtFirst() {
	type place struct {
		topic     string
		partition int32
		offset    int64
	}
	asked := map[place]int{}
	s.answerEmpty(func(topic string, partition int32, offset int64) bool {
		asked[place{topic, partition, offset}]++
		return asked[place{topic, partition, offset}] == 1
	})
}

// answerEmptyUntil makes Kafka return no records until the returned function is called. asked is closed with the first
// fetch from the partition.
func (s *services) answerEmptyUntil(t testing.TB, partition int32) (asked <-chan struct{}, until func()) {
	t.Helper()
	first, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.answerEmpty(func(_ string, of int32, _ int64) bool {
		if of == partition {
			once.Do(func() { close(first) })
		}
		select {
		case <-over:
			return false
		default:
			return true
		}
	})
	return first, func() { close(over) }
}

// eventually polls until ok returns true, or fails the test.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestCommandLines(t *testing.T) {
	tests := []struct {
		args   string
		code   int
		stderr string
	}{
		{"prodce x", exitUsage, "ebb: there is no command \"prodce\"; did you mean produce?\n  see: ebb --help\n"},
		{"produce", exitUsage, "ebb produce: FILE is missing; - is standard input\n  see: ebb produce --help\n"},
		{
			"produce --rat 5 x",
			exitUsage,
			"ebb produce: unknown flag: --rat; did you mean --rate?\n  see: ebb produce --help\n",
		},
		{"produce --rate -1 x", exitUsage, "ebb produce: --rate must be above 0, found -1\n  see: ebb produce --help\n"},
		{
			"produce --progress loud x",
			exitUsage,
			"ebb produce: --progress is auto, plain or none, found \"loud\"\n  see: ebb produce --help\n",
		},
		{"alerts now", exitUsage, "ebb alerts: it takes flags alone, found \"now\"\n  see: ebb alerts --help\n"},
		{
			"help prodce",
			exitUsage,
			"ebb help: there is no command \"prodce\"; did you mean produce?\n  see: ebb help --help\n",
		},
		{"help dlq lst", exitUsage, "ebb help: there is no command \"lst\"; did you mean list?\n  see: ebb help --help\n"},
		{"explain a b", exitUsage, "ebb explain: it takes one FILE, found \"b\" behind it\n  see: ebb explain --help\n"},
		{"alerts -x", exitUsage, "ebb alerts: unknown shorthand flag: 'x' in -x\n  see: ebb alerts --help\n"},
		{"demo --for soon", exitUsage, "ebb demo: --for is a time such as 1m30s, found \"soon\"\n  see: ebb demo --help\n"},
		{"demo --seed -1", exitUsage, "ebb demo: --seed is a whole number from 0 on, found \"-1\"\n  see: ebb demo --help\n"},
		{
			"dlq show --limit few",
			exitUsage,
			"ebb dlq show: --limit is a whole number, found \"few\"\n  see: ebb dlq show --help\n",
		},
		{"produce --rate fast x", exitUsage, "ebb produce: --rate is a number, found \"fast\"\n  see: ebb produce --help\n"},
		{
			"packs show nowhere.yaml",
			exitUsage,
			"ebb packs show: load pack: open nowhere.yaml: no such file or directory\n",
		},
		{"produce nowhere.csv", exitFailed, "ebb produce: open nowhere.csv: no such file or directory\n"},
		{
			"check --partitions 0",
			exitUsage,
			"ebb check: --partitions and --replicas must be 1 or more\n  see: ebb check --help\n",
		},
		{
			"alerts -c nowhere.yaml",
			exitUsage,
			"ebb alerts: 1 problem in the configuration\n  nowhere.yaml: cannot be read: no such file or directory\n",
		},
		{
			"alerts --brokers here",
			exitUsage,
			"ebb alerts: 1 problem in the configuration\n  --brokers: kafka.brokers: \"here\" is no address: write host:port\n",
		},
		{
			"alerts --brokers 127.0.0.1:1",
			exitFailed,
			"ebb alerts: no answer from Kafka at 127.0.0.1:1: connection refused\n  start it, or name another with --brokers, " +
				"EBB_KAFKA_BROKERS or kafka.brokers; a secured one needs kafka.tls and kafka.sasl\n",
		},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := run(t, nil, nil, strings.Fields(test.args)...).want(t, test.code)
			if diff := cmp.Diff(test.stderr, got.stderr); diff != "" || got.stdout != "" {
				t.Errorf("stdout %q, stderr (-want +got):\n%s", got.stdout, diff)
			}
		})
	}
}

func TestHealthOfNobody(t *testing.T) {
	got := run(t, []string{"EBB_HTTP_LISTEN=127.0.0.1:1"}, nil, "health").want(t, exitFailed)
	want := "ebb health: nobody answers at http://127.0.0.1:1/livez: connection refused\n  is ebb run at work, with " +
		"this http.listen (127.0.0.1:1)?\n"
	if diff := cmp.Diff(want, got.stderr); diff != "" {
		t.Error(diff)
	}
}

func TestHelpOfEveryCommandHasExamples(t *testing.T) {
	commands := []*cobra.Command{newRootCommand(nil)}
	for i := 0; i < len(commands); i++ {
		commands = append(commands, commands[i].Commands()...)
	}
	for _, cmd := range commands {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			if cmd.Example == "" || cmd.Short == "" || cmd.Long == "" {
				t.Errorf("short %q, long %q, example %q", cmd.Short, cmd.Long, cmd.Example)
			}
			got := run(t, nil, nil, append(strings.Fields(cmd.CommandPath())[1:], "--help")...).want(t, exitOK)
			for line := range strings.Lines(got.stdout) {
				if n := displayWidth(strings.TrimRight(line, "\n")); n > 80 {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			cmd.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Value.Type() != "bool" && !strings.Contains(f.Usage, "`") {
					t.Errorf("--%s does not say what it takes: %s", f.Name, f.Usage)
				}
			})
			if strings.Contains(got.stdout, "default -1") {
				t.Error("a default that stands for something else is shown")
			}
		})
	}
}

// silentInput is a standard input on which nothing comes. It signals when a reader begins.
type silentInput struct {
	asked chan struct{}
	once  sync.Once
}

func newSilentInput() *silentInput { return &silentInput{asked: make(chan struct{})} }

func (s *silentInput) Read([]byte) (int, error) {
	s.once.Do(func() { close(s.asked) })
	select {}
}

// TestSignals sends real signals to this process, which the program has registered for.
func TestSignals(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts")
	tests := []struct {
		name   string
		signal syscall.Signal
		args   []string
		code   int
		stderr string
	}{
		{
			"work cut short by Ctrl-C",
			syscall.SIGINT,
			[]string{"produce", "-"},
			130,
			"ebb produce: stopped by Ctrl-C: 0 events acknowledged\n",
		},
		{
			"work cut short by SIGTERM",
			syscall.SIGTERM,
			[]string{"produce", "-"},
			143,
			"ebb produce: stopped by SIGTERM: 0 events acknowledged\n",
		},
		{"following ends with Ctrl-C", syscall.SIGINT, []string{"alerts"}, exitOK, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := s.requests.Load()
			var stdout, stderr output
			stdin := newSilentInput()
			p := process{args: test.args, environ: s.environ, stdin: stdin, stdout: &stdout, stderr: &stderr}
			code := make(chan int)
			go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
			if test.args[0] == "produce" {
				<-stdin.asked // it sends what it reads from now on
			}
			eventually(t, "the program has begun", func() bool { return s.requests.Load() > before+3 })
			if err := syscall.Kill(syscall.Getpid(), test.signal); err != nil {
				t.Fatal(err)
			}
			if got := <-code; got != test.code {
				t.Errorf("exit code %d, want %d", got, test.code)
			}
			if diff := cmp.Diff(test.stderr, stderr.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGINT
	signals <- syscall.SIGTERM
	var cause error
	code := 0
	watchSignals(signals, func(err error) { cause = err }, func(c int) { code = c })
	if !errors.Is(cause, advice.Stopped{Signal: syscall.SIGINT}) || code != 143 {
		t.Errorf("cause %v, exit code %d", cause, code)
	}
}
