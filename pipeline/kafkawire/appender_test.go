package kafkawire_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

func appender(t testing.TB, c *kafkawire.Client, cfg kafkawire.AppenderConfig) *kafkawire.Appender {
	t.Helper()
	a, err := c.NewAppender(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// numbered is n records with values that say their number.
func numbered(n int) (records []pipeline.Outgoing, values []string) {
	for i := range n {
		value := fmt.Sprintf("%04d-%s", i, strings.Repeat("x", 90))
		records = append(
			records,
			pipeline.Outgoing{Key: []byte("k"), Value: []byte(value), Timestamp: 1_700_000_000_000 + int64(i)},
		)
		values = append(values, value)
	}
	return records, values
}

// TestAppenderWritesInOrderInManyBatches: 40 records to a request, and two appenders to one partition.
func TestAppenderWritesInOrderInManyBatches(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1)
	records, values := numbered(1000)
	for _, part := range [][]pipeline.Outgoing{records[:500], records[500:]} {
		a := appender(t, c, kafkawire.AppenderConfig{Topic: topic, MaxRequest: 4096})
		for len(part) > 0 {
			n := min(len(part), 123)
			if got, err := a.Append(t.Context(), part[:n]); got != n || err != nil {
				t.Fatalf("%d of %d acknowledged: %v", got, n, err)
			}
			part = part[n:]
		}
	}
	if got := valuesOf(t, addrs, topic, len(values)); !slices.Equal(got, values) {
		t.Errorf("%d values, first %q", len(got), got[0])
	}
}

// TestAppenderStopsAtARecordThatIsTooLarge: what stands before it is acknowledged, and the appender is of no more use.
func TestAppenderStopsAtARecordThatIsTooLarge(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	c := open(t, addrs, topic)
	create(t, c, topic, 1, "max.message.bytes", "2000")
	a := appender(t, c, kafkawire.AppenderConfig{Topic: topic, MaxRequest: 1000})
	records, values := numbered(3)
	records[2].Value = []byte(noise(5000))
	var stop *pipeline.HardStop
	if n, err := a.Append(t.Context(), records); n != 2 || !errors.As(err, &stop) || stop.Code != "record_too_large" {
		t.Errorf("%d acknowledged: %v", n, err)
	}
	if n, err := a.Append(t.Context(), records[:1]); n != 0 || !errors.As(err, &stop) {
		t.Errorf("%d acknowledged after the failure: %v", n, err)
	}
	if got := valuesOf(t, addrs, topic, 2); !slices.Equal(got, values[:2]) {
		t.Errorf("values %q", got)
	}
}

// TestAppenderSendsAgainWhatWasCut: whether the broker got the batch or not, it is there once.
func TestAppenderSendsAgainWhatWasCut(t *testing.T) {
	addrs := brokers(t)
	topic := unique(t, "in")
	create(t, open(t, addrs, topic), topic, 1)
	var trap cutter
	c, err := kafkawire.Open(
		kafkawire.Config{Brokers: addrs, ClientID: "ebb-test", Topics: []string{topic}, Dial: trap.dial},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	a := appender(t, c, kafkawire.AppenderConfig{Topic: topic})
	records, values := numbered(30)
	for i, before := range []bool{true, false, true} {
		trap.arm(kmsg.Produce, before)
		if n, err := a.Append(t.Context(), records[10*i:10*i+10]); n != 10 || err != nil || !trap.sprung() {
			t.Fatalf("%d acknowledged, cut %v: %v", n, trap.sprung(), err)
		}
	}
	if got := valuesOf(t, addrs, topic, len(values)); !slices.Equal(got, values) {
		t.Errorf("values %q", got)
	}
	if start, end, err := c.Bounds(t.Context(), topic, 0); start != 0 || end != 30 || err != nil {
		t.Errorf("offsets %d to %d: %v", start, end, err)
	}
}
