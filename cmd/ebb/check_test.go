package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring/scoringtest/golden"
)

// plainly makes a run's output comparable: addresses, digests, hashes and versions become words.
func (s *services) plainly(text string) string {
	text = strings.NewReplacer(s.kafka.ListenAddrs()[0], "KAFKA", s.redis.Addr(), "REDIS").Replace(text)
	text = regexp.MustCompile(`(digest|hash) [0-9a-f]+`).ReplaceAllString(text, "$1 HASH")
	text = regexp.MustCompile(`(with pack|configured one is) [0-9a-f]+`).ReplaceAllString(text, "$1 HASH")
	return regexp.MustCompile(`topic id [\w-]{20,}|has id [\w-]{20,}`).ReplaceAllString(text, "topic id ID")
}

// TestCheckFindings shows the finding of each fault: testdata/check.golden is made to be read.
func TestCheckFindings(t *testing.T) {
	all := []string{"events", "events.dlq", "ebb.alerts", "ebb.control", "ebb.packs", "ebb.decisions"}
	big := map[string]string{"max.message.bytes": "2000000", "retention.ms": "-1"}
	keep := map[string]string{"retention.ms": "-1"}
	own := func(t *testing.T, s *services) {
		s.configure(t, "ebb.control", keep)
		s.configure(t, "ebb.packs", map[string]string{"cleanup.policy": "compact"})
		s.configure(t, "ebb.decisions", keep)
	}
	sane := func(t *testing.T, s *services) {
		own(t, s)
		s.configure(t, "events", keep)
		s.configure(t, "events.dlq", big)
		s.configure(t, "ebb.alerts", keep)
	}
	tests := []struct {
		name   string
		topics []string
		set    func(t *testing.T, s *services)
		env    []string
		args   []string
		code   int
	}{
		{name: "all is well", topics: all, set: sane},
		{name: "topics missing", code: exitFailed},
		{name: "topics created", args: []string{"--create", "--partitions", "3"}},
		{name: "settings that lose data", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			s.configure(t, "events", map[string]string{"cleanup.policy": "compact"})
			s.configure(t, "ebb.alerts", map[string]string{"cleanup.policy": "compact,delete"})
			s.configure(t, "events.dlq", map[string]string{"retention.ms": "3600000"})
		}},
		{name: "own topics that forget", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.configure(t, "ebb.control", map[string]string{"retention.ms": "604800000"})
			s.configure(t, "ebb.packs", map[string]string{"cleanup.policy": "delete", "retention.ms": "604800000"})
		}},
		{name: "settings that may lose data", topics: all, set: func(t *testing.T, s *services) {
			own(t, s)
			s.configure(t, "events", map[string]string{"retention.ms": "604800000"})
			s.configure(t, "events.dlq", big)
			s.configure(t, "ebb.alerts", map[string]string{"retention.ms": "86400000"})
		}},
		{name: "input bounded by size", topics: all, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.configure(t, "events", map[string]string{"retention.bytes": "1073741824"})
		}},
		{name: "no broker answers", env: []string{"EBB_KAFKA_BROKERS=127.0.0.1:1,127.0.0.1:2"}, code: exitFailed},
		{name: "one broker of two answers", topics: all, set: sane, args: []string{"--brokers", "KAFKA,127.0.0.1:1"}},
		{
			name:   "no Redis answers",
			topics: all,
			set:    sane,
			env:    []string{"EBB_REDIS_ADDRESSES=127.0.0.1:1"},
			code:   exitFailed,
		},
		{name: "Redis wants a password", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.redis.RequireAuth("secret")
		}},
		{name: "pack unknown", topics: all, set: sane, env: []string{"EBB_PACK=retial"}, code: exitFailed},
		{
			name:   "several things at once",
			env:    []string{"EBB_KAFKA_HEARTBEAT=1h", "EBB_PACK=retial", "EBB_SHOES=2"},
			topics: all[:1],
			code:   exitUsage,
		},
		{name: "configuration wrong elsewhere", env: []string{"EBB_LOG_LEVEL=loud"}, topics: all[:1], code: exitUsage},
		{name: "customers in several partitions", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.place(t, map[string][]int32{"a": {0, 0, 2}, "b": {1}, "c": {1, 2}, "d": {3, 0, 1, 2}})
		}},
		{name: "customers keyed", topics: all, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.place(t, map[string][]int32{"a": {0, 0}, "b": {1}, "c": {2, 2, 2}})
		}},
		{name: "records without key", topics: all, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.place(t, map[string][]int32{"": {3, 3, 0}})
		}},
		{
			name:   "shadows",
			topics: append([]string{"ebb.shadow"}, all...),
			set:    sane,
			env:    []string{"EBB_SHADOWS=candidate=saas"},
		},
		{
			name:   "shadows without their topic, one of no pack",
			topics: all,
			set:    sane,
			code:   exitFailed,
			env:    []string{"EBB_SHADOWS=candidate=saas,other=./none.yaml"},
		},
		{
			name:   "a shadow's state of another pack",
			topics: append([]string{"ebb.shadow"}, all...),
			code:   exitFailed,
			env:    []string{"EBB_SHADOWS=candidate=saas"},
			set: func(t *testing.T, s *services) {
				sane(t, s)
				s.configure(t, "ebb.shadow", keep)
				s.hold(t, "ebb.shadow.candidate", "0123456789abcdef")
			},
		},
		{name: "transactions refused", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.kafka.Fault(
				kfake.Fault{
					Keys:     []kmsg.Key{kmsg.InitProducerID},
					Err:      kerr.TransactionalIDAuthorizationFailed,
					TopLevel: true,
					Count:    -1,
				},
			)
		}},
		{name: "transaction timeout refused", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.kafka.Fault(
				kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.InvalidTransactionTimeout, TopLevel: true, Count: -1},
			)
		}},
		{name: "another program's group", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.commit(t, 3, "consumer-7")
		}},
		{name: "state lost", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.commit(t, 0, pipeline.Mark{Topic: s.topicID(t, "events")}.Metadata())
		}},
		{name: "state of another pack", topics: all, code: exitFailed, set: func(t *testing.T, s *services) {
			sane(t, s)
			s.commit(t, 0, pipeline.Mark{Topic: s.topicID(t, "events")}.Metadata())
			s.hold(t, "ebb", "0123456789abcdef")
		}},
	}
	var got strings.Builder
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startServices(t, test.topics...)
			if test.set != nil {
				test.set(t, s)
			}
			for i := range test.args {
				test.args[i] = strings.ReplaceAll(test.args[i], "KAFKA", s.kafka.ListenAddrs()[0])
			}
			o := run(t, append(s.environ, test.env...), nil, append([]string{"check"}, test.args...)...).want(t, test.code)
			fmt.Fprintf(&got, "## %s\n", test.name)
			for _, v := range test.env {
				fmt.Fprintf(&got, "$ export %s\n", v)
			}
			fmt.Fprintf(&got, "$ ebb check %s\n%s%s\n", strings.Join(test.args, " "), o.stdout, o.stderr)
			text := s.plainly(got.String())
			got.Reset()
			got.WriteString(text)
		})
	}
	golden.File(t, "check.golden", got.String())
}

// place writes events of customers to partitions of the input. Those of the customer "" have no key, and a customer
// each.
func (s *services) place(t testing.TB, partitions map[string][]int32) {
	t.Helper()
	c := s.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for customer, all := range partitions {
		for i, p := range all {
			r, name := &kgo.Record{Topic: "events", Partition: p, Key: []byte(customer)}, customer
			if customer == "" {
				r.Key, name = nil, fmt.Sprint("nobody-", i)
			}
			r.Value = fmt.Appendf(nil, `{"customer":%q,"type":"visit","time":"2026-03-0%dT00:00:00Z"}`, name, i+1)
			if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// commit sets the offset of the group ebb in partition 0 of the input.
func (s *services) commit(t testing.TB, offset int64, metadata string) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: "events", Partition: 0, At: offset, LeaderEpoch: -1, Metadata: metadata})
	answers, err := kadm.NewClient(s.client(t)).CommitOffsets(t.Context(), "ebb", offsets)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *services) topicID(t testing.TB, topic string) string {
	t.Helper()
	client, err := connect.Kafka(&config.Config{Kafka: config.Kafka{Brokers: s.kafka.ListenAddrs()}}, topic)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	found, err := client.Topic(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return found.ID
}

// hold puts state of partition 0, scored with a pack, into Redis.
func (s *services) hold(t testing.TB, group, pack string) {
	t.Helper()
	client, err := redisstore.Open(t.Context(), redisstore.Config{Addresses: []string{s.redis.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := client.Partition(group, 0)
	first, second := pipeline.Token{1}, pipeline.Token{2}
	if _, err := p.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	meta := pipeline.Meta{
		Version:    pipeline.MetaVersion,
		Pack:       pack,
		Partitions: 4,
		Cluster:    "test",
		Topic:      s.topicID(t, "events"),
	}
	if err := p.Commit(t.Context(), &pipeline.Commit{Previous: first, Token: second, Meta: meta}); err != nil {
		t.Fatal(err)
	}
}

// TestCheckKeysGoesOnAfterRetention: a record that is deleted between the partition's bounds and the first fetch is not
// looked at, and the check goes on.
func TestCheckKeysGoesOnAfterRetention(t *testing.T) {
	s := startServices(t, "events", "events.dlq", "ebb.alerts", "ebb.control", "ebb.packs", "ebb.decisions")
	s.place(t, map[string][]int32{"a": {0, 2}, "b": {1}})
	asked, deleted := s.answerEmptyUntil(t, 0)
	done := make(chan outcome)
	go func() { done <- run(t, s.environ, nil, "check") }()
	<-asked
	if err := s.kafka.DeleteRecords("events", 0, 1); err != nil {
		t.Fatal(err)
	}
	deleted()
	if got := <-done; !strings.Contains(got.stdout, "2 customers, each in one partition, among the newest 2 events") {
		t.Errorf("stdout:\n%s", got.stdout)
	}
}

// TestCheckKeysReadsThroughEmptyAnswers: a customer in two partitions is seen although the partitions' leaders are new.
func TestCheckKeysReadsThroughEmptyAnswers(t *testing.T) {
	s := startServices(t, "events", "events.dlq", "ebb.alerts", "ebb.control", "ebb.packs", "ebb.decisions")
	s.place(t, map[string][]int32{"a": {0, 2}, "b": {1}})
	s.answerEmptyAtFirst()
	got := run(t, s.environ, nil, "check").want(t, exitFailed)
	want := "1 of 2 customers occur in more than one partition (one of them in partitions 0 and 2) among the newest " +
		"3 events"
	if !strings.Contains(got.stdout, want) {
		t.Errorf("stdout:\n%s", got.stdout)
	}
}

func TestCheckCreatesTopicsThatFit(t *testing.T) {
	s := startServices(t)
	run(t, s.environ, nil, "check", "--create", "--partitions", "3").want(t, exitOK)
	want := map[string]map[string]string{
		"events":     {"cleanup.policy": "delete", "retention.ms": "-1"},
		"ebb.alerts": {"cleanup.policy": "delete", "retention.ms": "-1"},
		"events.dlq": {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "1114124"},

		"ebb.control":   {"cleanup.policy": "delete", "retention.ms": "-1"},
		"ebb.packs":     {"cleanup.policy": "compact", "retention.ms": "-1"},
		"ebb.decisions": {"cleanup.policy": "delete", "retention.ms": "-1"},
	}
	partitions := map[string]int{"ebb.packs": 1}
	for topic, configs := range want {
		info := s.kafka.TopicInfo(topic)
		if info == nil || len(s.kafka.PartitionInfos(topic)) != max(1, 3-2*partitions[topic]) {
			t.Fatalf("topic %s: %+v", topic, info)
		}
		described, err := kadm.NewClient(s.client(t)).DescribeTopicConfigs(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range described[0].Configs {
			if _, ok := configs[c.Key]; ok {
				got[c.Key] = c.MaybeValue()
			}
		}
		if diff := cmp.Diff(configs, got); diff != "" {
			t.Errorf("%s:\n%s", topic, diff)
		}
	}
	again := run(t, s.environ, nil, "check", "--create").want(t, exitOK)
	if strings.Contains(again.stdout, "created") {
		t.Errorf("created again:\n%s", again.stdout)
	}
}

func TestCheckJSON(t *testing.T) {
	s := startServices(t, "events")
	got := run(t, s.environ, nil, "check", "--json").want(t, exitFailed)
	var r check.Result
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.stderr != "" {
		t.Fatalf("%v\nstdout: %s\nstderr: %s", err, got.stdout, got.stderr)
	}
	problems := 0
	for _, f := range r.Checks {
		if f.Status == check.Problem {
			problems++
			if f.Do == "" {
				t.Errorf("%s: %s: nothing to do about it", f.Check, f.Found)
			}
		}
	}
	if r.OK || r.Problems != 5 || problems != 5 {
		t.Errorf("%+v", r)
	}
}

func TestCheckStopsWhenToldTo(t *testing.T) {
	s := startServices(t, "events")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(advice.Stopped{Signal: 2})
	var stdout, stderr output
	p := process{
		args:    []string{"check"},
		environ: s.environ,
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	if code := p.run(ctx, func(int) {}); code != 130 || stderr.String() != "ebb check: stopped by Ctrl-C\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
