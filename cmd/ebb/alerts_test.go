package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
)

// alertJSON is an alert as published, as far as a reader looks at it.
func alertJSON(tenant, customer, transition, tier, minute, reason string, risk float64) string {
	b, err := json.Marshal(map[string]any{
		"id": "00", "tenant": tenant, "customer": customer, "kind": "lapse", "transition": transition, "tier": tier, "risk_score": risk,
		"reasons": []any{map[string]any{"code": "overdue", "text": reason}}, "time": minute,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// publish writes values to a topic in one transaction, which it commits or aborts.
func (s *services) publish(t testing.TB, topic string, commit bool, values ...string) {
	t.Helper()
	c := s.client(t, kgo.TransactionalID("test"), kgo.DefaultProduceTopic(topic))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Key: fmt.Appendf(nil, "c%d", i), Value: []byte(v)}).FirstErr(); err != nil {
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

// TestAlertsFollows: without --from-start only what comes after the start, as it comes, until it is told to stop.
func TestAlertsFollows(t *testing.T) {
	s := startServices(t, "ebb.alerts")
	s.publish(t, "ebb.alerts", true, `{"customer":"old"}`)
	ctx, cancel := context.WithCancelCause(t.Context())
	var stdout, stderr output
	p := process{args: []string{"alerts", "--json"}, environ: s.environ, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
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

// TestAlertsSaysWhatRetentionTook: a reader that stands still while the topic deletes goes on behind, and says so.
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
	want := fmt.Sprintf("ebb alerts: ebb.alerts/%d: the topic's retention has deleted offsets 0 to 0 before they were read\n", partition)
	if n := strings.Count(got.stdout, "\n"); n != 7 || got.stderr != want {
		t.Errorf("%d alerts, said %q", n, got.stderr)
	}
}

func TestAlertLines(t *testing.T) {
	alerts := []string{
		alertJSON("", "1042", "raised", "at_risk", "2011-06-12T08:40:00Z", "usually back every 12 days, silent for 31 days", 63.418),
		alertJSON("", "1042", "escalated", "critical", "2011-07-02T00:01:00Z", "usually back every 12 days, silent for 51 days", 81),
		alertJSON("acme", "a-customer-with-a-very-long-name", "raised", "critical", "2011-07-02T00:02:00Z", "usually back every day, silent for 9 days", 99.96),
		alertJSON("", "1042", "recovered", "healthy", "2011-07-04T17:03:00Z", "back after 53 days", 7.25),
		alertJSON("", "東京の顧客", "raised", "at_risk", "2011-07-05T00:00:00Z", "usually back every 3 hours, silent for 2 days", 60),
		alertJSON("", "evil\x1b[2J\r\n", "raised", "at_risk", "2011-07-05T00:00:00Z", "\x1b[31mred", 60),
		`{"not":"an alert"}`,
		"\x1b]0;title\x07 no JSON",
	}
	screens := []struct {
		name   string
		screen terminal.Screen
	}{
		{"no terminal", terminal.Screen{Width: 80}},
		{"80 columns", terminal.Screen{Terminal: true, Width: 80}},
		{"160 columns in colour", terminal.Screen{Terminal: true, Color: true, Width: 160}},
	}
	var got strings.Builder
	for _, s := range screens {
		fmt.Fprintf(&got, "## %s\n", s.name)
		s.screen.Writer = io.Discard
		line := &alertLine{screen: s.screen}
		for _, a := range alerts {
			text := line.of([]byte(a))
			got.WriteString(strings.ReplaceAll(text, "\x1b", "␛") + "\n")
			if width := displayWidth(text); s.screen.Terminal && width > s.screen.Width {
				t.Errorf("%s: %d columns: %s", s.name, width, text)
			}
		}
		got.WriteByte('\n')
	}
	golden(t, "alert_lines.golden", got.String())
}

func displayWidth(line string) int { return text.StringWidthWithoutEscSequences(line) }
