package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/advice"
)

// publish writes values to a topic in one transaction, which it commits or aborts.
func (s *services) publish(t testing.TB, topic string, commit bool, values ...string) {
	t.Helper()
	c := s.client(t, kgo.TransactionalID("test"), kgo.DefaultProduceTopic(topic))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		err := c.ProduceSync(t.Context(), &kgo.Record{Key: fmt.Appendf(nil, "c%d", i), Value: []byte(v)}).FirstErr()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
		t.Fatal(err)
	}
}

func TestAlertsJSONIsWhatWasPublishedByteForByte(t *testing.T) {
	s := startServices(t, "ebb.alerts")
	want := []string{`{"customer":"a", "odd" : 1e3}`, `{"customer":"b<&>"}`, `{"customer":"\u00e9é"}`}
	s.publish(t, "ebb.alerts", true, want[:2]...)
	s.publish(t, "ebb.alerts", false, "aborted", "aborted too")
	s.publish(t, "ebb.alerts", true, want[2])
	got := run(t, s.environ, nil, "alerts", "--from-start", "--until-end", "--json").want(t, exitOK)
	lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	slices.Sort(lines)
	slices.Sort(want)
	if diff := cmp.Diff(want, lines); diff != "" || got.stderr != "" {
		t.Errorf("stderr %q\n%s", got.stderr, diff)
	}
}

func TestAlertsReadsToTheEndFoundAtTheStart(t *testing.T) {
	s := startServices(t, "ebb.alerts", "other")
	if got := run(t, s.environ, nil, "alerts", "--until-end").want(t, exitOK); got.stdout != "" {
		t.Errorf("an empty topic gave %q", got.stdout)
	}
	var values []string
	for i := range 3000 {
		values = append(values, fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 300)))
	}
	s.publish(t, "other", true, values...)
	got := run(t, s.environ, nil, "alerts", "--topic", "other", "--until-end", "--json").want(t, exitOK)
	if n := strings.Count(got.stdout, "\n"); n != len(values) {
		t.Errorf("%d of %d alerts", n, len(values))
	}
}

// TestAlertsFollows: without --from-start alerts prints only what comes after its start, as it comes, until a signal
// stops it.
func TestAlertsFollows(t *testing.T) {
	s := startServices(t, "ebb.alerts")
	s.publish(t, "ebb.alerts", true, `{"customer":"old"}`)
	ctx, cancel := context.WithCancelCause(t.Context())
	var stdout, stderr output
	p := process{
		args:    []string{"alerts", "--json"},
		environ: s.environ,
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(ctx, func(int) { panic("second signal") }) }()
	n := 0
	eventually(t, "a new alert is shown", func() bool {
		n++
		s.publish(t, "ebb.alerts", true, fmt.Sprintf(`{"customer":"new %d"}`, n))
		return strings.Contains(stdout.String(), `{"customer":"new`)
	})
	cancel(advice.Stopped{Signal: 2})
	if got := <-code; got != exitOK || stderr.String() != "" || strings.Contains(stdout.String(), "old") {
		t.Errorf("exit code %d, stdout %q, stderr %q", got, stdout.String(), stderr.String())
	}
}

// TestAlertsSaysWhatRetentionTook: a reader that stands still while the topic deletes goes on after the gap, and
// reports it.
func TestAlertsSaysWhatRetentionTook(t *testing.T) {
	s := startServices(t, "ebb.alerts")
	s.publish(t, "ebb.alerts", true, "a", "b", "c", "d", "e", "f", "g", "h")
	partition := int32(0)
	for s.kafka.PartitionInfo("ebb.alerts", partition).HighWatermark < 2 {
		partition++
	}
	asked, deleted := s.answerEmptyUntil(t, partition)
	done := make(chan outcome)
	go func() { done <- run(t, s.environ, nil, "alerts", "--until-end", "--json") }()
	<-asked
	if err := s.kafka.DeleteRecords("ebb.alerts", partition, 1); err != nil {
		t.Fatal(err)
	}
	deleted()
	got := (<-done).want(t, exitOK)
	want := fmt.Sprintf(
		"ebb alerts: ebb.alerts/%d: the topic's retention has deleted offsets 0 to 0 before they were read\n",
		partition,
	)
	if n := strings.Count(got.stdout, "\n"); n != 7 || got.stderr != want {
		t.Errorf("%d alerts, said %q", n, got.stderr)
	}
}

func displayWidth(line string) int { return text.StringWidthWithoutEscSequences(line) }
