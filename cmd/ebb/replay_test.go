package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/replay"
)

// TestReplay: what a group has published, over two runs with a change of settings between them, a replay decides again,
// byte for byte, and keeps in a topic. Alerts that were forged, changed or lost show.
func TestReplay(t *testing.T) {
	s := startServices(t, "again")
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=")
	run(t, s.environ, nil, "check", "--create", "--partitions", "2").want(t, exitOK)
	nothing := run(t, s.environ, nil, "replay").want(t, exitOK)
	if !strings.Contains(nothing.stdout, "0 records") {
		t.Errorf("of a group that has not worked: %s", nothing.stdout)
	}
	for i, lateness := range []string{"5m", "1h"} {
		var log strings.Builder
		for n := range 300 {
			fmt.Fprintf(&log, `{"customer":"c%d","type":"Order Completed","time":"202%d-0%d-01T00:%02d:00Z"}`+"\n",
				n%40, 4+i, 1+n/40, n%60)
		}
		run(t, s.environ, nil, "produce", writeLog(t, "visits.ndjson", log.String())).want(t, exitOK)
		run(t, append(s.environ, "EBB_TIME_LATENESS="+lateness), nil, "run", "--until-end", "--leave").want(t, exitOK)
	}
	again := replayed(t, s.environ, exitOK, "--into", "again")
	if again.Published < 50 || again.Same != again.Published || again.Replayed != again.Same ||
		len(again.Differences) > 0 {
		t.Errorf("%+v", again)
	}
	first := publishedAlerts(t, s, "ebb.alerts", int(again.Published))
	if copies := publishedAlerts(t, s, "again", int(again.Published)); len(copies) != len(first) {
		t.Errorf("%d copies of %d alerts", len(copies), len(first))
	}

	forged := *first[0]
	forged.Topic, forged.Value = "ebb.alerts", []byte(strings.Replace(string(forged.Value), `"tier":`, `"tier_":`, 1))
	other := *first[0]
	other.Topic, other.Headers = "ebb.alerts", append([]kgo.RecordHeader{}, other.Headers...)
	for i := range other.Headers {
		if other.Headers[i].Key == "ce_id" {
			other.Headers[i].Value = []byte("00000000000000000000000000000000")
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &forged, &other).FirstErr(); err != nil {
		t.Fatal(err)
	}
	apart := replayed(t, s.environ, exitFailed)
	if apart.Changed != 1 || apart.Missing != 1 || apart.Extra != 0 || apart.Twice != 1 || len(apart.Differences) != 3 {
		t.Errorf("%+v", apart)
	}
	text := run(t, s.environ, nil, "replay").want(t, exitFailed).stdout
	for _, want := range []string{
		"1 changed, 1 published and not decided again, 1 published again", "tier_: ", "(none)",
		`transition: "raised"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestReplayFindsWhatIsPublishedTwice: an alert that was published twice is no match, though its bytes are those decided.
func TestReplayFindsWhatIsPublishedTwice(t *testing.T) {
	s := startServices(t)
	s.environ = append(s.environ, "EBB_HTTP_LISTEN=", "EBB_PACK=any", "EBB_PACK_HORIZON=30d")
	run(t, s.environ, nil, "check", "--create", "--partitions", "1").want(t, exitOK)
	run(t, s.environ, nil, "produce", writeLog(t, "visits.ndjson", firstLog(2024, 0))).want(t, exitOK)
	run(t, s.environ, nil, "run", "--until-end", "--leave", "--history", "none").want(t, exitOK)
	once := replayed(t, s.environ, exitOK)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	again := *publishedAlerts(t, s, "ebb.alerts", 1)[0]
	if err := client.ProduceSync(t.Context(), &again).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if twice := replayed(t, s.environ, exitFailed); twice.Twice != 1 || twice.Same != once.Same ||
		len(twice.Differences) != 1 || twice.Differences[0].Published == "" {
		t.Errorf("%+v", twice)
	}
}

// replayed is the report of a replay.
func replayed(t *testing.T, environ []string, exit int, args ...string) (r replay.Report) {
	t.Helper()
	out := run(t, environ, nil, append([]string{"replay", "--json"}, args...)...).want(t, exit)
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatalf("%s: %v", out.stdout, err)
	}
	return r
}

// publishedAlerts are the first n records of a topic.
func publishedAlerts(t *testing.T, s *services, topic string, n int) (all []*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(s.kafka.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for len(all) < n {
		all = append(all, client.PollFetches(t.Context()).Records()...)
	}
	return all
}
