//go:build integration

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	outside "ebb/pipeline/linetest/services"
)

// TestMain finds or starts a real Kafka and a real Redis.
func TestMain(m *testing.M) {
	os.Exit(outside.Main(m, outside.Kafka, outside.Redis))
}

// TestCommandsOnRealServices follows a first user: check, create, produce into a topic that would not keep the events,
// mend it, produce, read the published alerts.
func TestCommandsOnRealServices(t *testing.T) {
	kafka, redis := os.Getenv(outside.Kafka), os.Getenv(outside.Redis)
	name := "first-" + strings.ToLower(rand.Text()[:10])
	input, alerts, control, packs := name+".events", name+".alerts", name+".control", name+".packs"
	environ := []string{
		"EBB_KAFKA_BROKERS=" + kafka, "EBB_REDIS_ADDRESSES=" + redis, "EBB_KAFKA_GROUP=" + name, "EBB_KAFKA_INPUT=" + input,
		"EBB_KAFKA_ALERTS=" + alerts, "EBB_KAFKA_CONTROL=" + control, "EBB_KAFKA_PACKS=" + packs,
		"EBB_START_HISTORY=none", "EBB_STORM_BREAKER=off",
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(kafka, ",")...),
		kgo.TransactionalID(name),
		kgo.DefaultProduceTopic(alerts),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin := kadm.NewClient(client)
	t.Cleanup(func() {
		// other tests use the cluster too
		_, _ = admin.DeleteTopics(context.WithoutCancel(t.Context()), input, input+".dlq", alerts, control, packs)
	})
	retention := func(ms string) {
		t.Helper()
		answers, err := admin.AlterTopicConfigs(
			t.Context(),
			[]kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &ms}},
			input,
		)
		if err == nil {
			err = answers[0].Err
		}
		for err == nil { // until the broker has taken it over
			var now kadm.ResourceConfigs
			if now, err = admin.DescribeTopicConfigs(t.Context(), input); err == nil && slices.ContainsFunc(
				now[0].Configs, func(c kadm.Config) bool { return c.Key == "retention.ms" && c.MaybeValue() == ms },
			) {
				return
			}
		}
		t.Fatal(err)
	}

	got := run(t, environ, nil, "check").want(t, exitFailed)
	if strings.Count(got.stdout, "there is no topic "+name) != 6 {
		t.Errorf("check:\n%s", got.stdout)
	}
	if got := run(t, environ, nil, "check", "--create").want(t, exitOK); strings.Count(got.stdout, "created with ") != 6 {
		t.Errorf("check --create:\n%s", got.stdout)
	}

	log := writeLog(
		t,
		"shop.csv.gz",
		eventlog.CSVHeader+"\n"+strings.Repeat("7,1300000000,purchase,1.50\n8,1290000000,purchase,2\n", 500),
	)
	retention("604800000")
	got = run(t, environ, nil, "produce", log).want(t, exitFailed)
	if !strings.Contains(got.stderr, "1,000 events to send are older") ||
		!strings.Contains(got.stderr, "shop.csv.gz:3, of 2010-11-17T13:20:00Z") ||
		!strings.Contains(got.stderr, connect.KeepForever(kafka, input)) {
		t.Errorf("produce:\n%s", got.stderr)
	}
	got = run(t, environ, nil, "check").want(t, exitOK)
	if !strings.Contains(got.stdout, "-> "+connect.KeepForever(kafka, input)) {
		t.Errorf("check does not name the retention:\n%s", got.stdout)
	}
	retention("-1")
	got = run(t, environ, nil, "produce", log).want(t, exitOK)
	if !strings.HasPrefix(got.stdout, "1,000 events to "+input+" (4 partitions)") {
		t.Errorf("produce:\n%s", got.stdout)
	}
	if got := run(t, environ, nil, "check").want(t, exitOK); !strings.Contains(got.stdout, "1,000 records to read") {
		t.Errorf("check:\n%s", got.stdout)
	}

	want := []string{`{"customer":"a"}`, `{"customer":"b"}`, `{"customer":"c"}`}
	for _, commit := range []bool{true, false} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, v := range want {
			value := fmt.Sprintf("%s%s", v, map[bool]string{false: " aborted"}[commit])
			if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte(v), Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Fields(run(t, environ, nil, "alerts", "--from-start", "--until-end", "--json").want(t, exitOK).stdout)
	slices.Sort(lines)
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
