//go:build integration

package linetest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/linetest/oracle"
)

// checkQuarantine fails the test where the DLQ does not hold exactly these records of the input, each once, with its
// code.
func (g *group) checkQuarantine(want []oracle.Quarantined) {
	g.t.Helper()
	var got []oracle.Quarantined
	for _, r := range g.read(g.input + ".dlq") {
		var q oracle.Quarantined
		if _, err := fmt.Sscan(header(r, "__streams.errors.partition"), &q.Partition); err != nil {
			g.t.Fatalf("DLQ record without a partition: %s", wire(r))
		}
		if _, err := fmt.Sscan(header(r, "__streams.errors.offset"), &q.Offset); err != nil {
			g.t.Fatalf("DLQ record without an offset: %s", wire(r))
		}
		q.Code = header(r, "ebb.error.code")
		got = append(got, q)
	}
	order := func(a, b oracle.Quarantined) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if diff := gocmp.Diff(want, got); diff != "" {
		g.t.Errorf("quarantined (-fold +ebb):\n%s", diff)
	}
}

// poison is a record for each code, by the code's name.
func poison() map[string]string {
	flat := func(fields string) string {
		return `{"id":"1","customer":"ann","type":"visit","time":"2026-01-02T03:04:05Z",` + fields + `}`
	}
	order := func(fields string) string { // of which the pack takes money
		return `{"id":"1","customer":"ann","type":"Order Completed","time":"2026-01-02T03:04:05Z",` + fields + `}`
	}
	return map[string]string{
		"not_json":            `{"customer":"ann"`,
		"nested_too_deep":     flat(`"properties":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)),
		"customer_missing":    `{"type":"visit","time":"2026-01-02T03:04:05Z"}`,
		"customer_too_long":   `{"customer":"` + strings.Repeat("a", 257) + `","type":"visit","time":"2026-01-02T03:04:05Z"}`,
		"customer_unreadable": `{"customer":["ann"],"type":"visit","time":"2026-01-02T03:04:05Z"}`,
		"type_missing":        `{"customer":"ann","time":"2026-01-02T03:04:05Z"}`,
		"type_unreadable":     `{"customer":"ann","type":7,"time":"2026-01-02T03:04:05Z"}`,
		"time_missing":        `{"customer":"ann","type":"visit"}`,
		"time_unreadable":     `{"customer":"ann","type":"visit","time":"yesterday"}`,
		"time_out_of_range":   `{"customer":"ann","type":"visit","time":"1869-01-02T03:04:05Z"}`,
		"value_unreadable":    order(`"value":"a lot","currency":"EUR"`),
		"currency_unreadable": order(`"value":"1.20","currency":"euro"`),
		"id_unreadable":       `{"id":{"a":1},"customer":"ann","type":"visit","time":"2026-01-02T03:04:05Z"}`,
		"tenant_unreadable":   flat(`"tenant":` + `["a"]`),
		"record_too_large":    flat(`"properties":"` + strings.Repeat("x", 1<<20) + `"`),
		"record_empty":        "",
		"registry_framed":     "\x00\x00\x00\x00\x07avro",
	}
}

// Every unusable record goes to the DLQ byte for byte, with its headers and timestamp and a code, and stops nothing.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	bad := poison()
	for c := pipeline.Usable + 1; c.String() != "unknown"; c++ {
		if _, ok := bad[c.String()]; !ok {
			t.Errorf("no record for code %s", c)
		}
	}
	var records []record
	for i, code := range slices.Sorted(maps.Keys(bad)) {
		records = append(records, events("good", 3*i, []row{{"ann", 1_767_322_000 + int64(i), "visit"}})...)
		records = append(records, record{
			key:    "ann",
			value:  []byte(bad[code]),
			millis: 1_767_322_000_000 + int64(i),
			headers: []kgo.RecordHeader{
				{Key: "code", Value: []byte(code)},
				{Key: "raw", Value: []byte{0, 0xff}},
				{Key: "empty"},
			},
		})
		if code == "record_empty" {
			records[len(records)-1].value = nil // a tombstone
		}
	}
	w := newWorld(t, 1)
	w.produce(records)
	g := w.group("run", redisAddress(), map[string]string{"pack": "retail"}) // any takes no money
	s := g.run(nil, nil, "--until-end").finish()
	if s.Events != len(records) || s.Quarantined != len(bad) {
		t.Errorf("summary %+v, want %d events and %d quarantined", s, len(records), len(bad))
	}
	dlq := w.read(w.input + ".dlq")
	if len(dlq) != len(bad) {
		t.Errorf("%d records in the DLQ, want %d", len(dlq), len(bad))
	}
	for since, want := range map[string]string{"1h": fmt.Sprintf(`"records":%d,`, len(bad)), "2100-01-01T00:00:00Z": `"records":0,`} {
		list := start(t, nil, "dlq", "list", "-c", g.config(nil), "--json", "--since", since) // their events are months old
		if s := list.wait(); s.ExitStatus() != 0 || !strings.Contains(list.stdout.String(), want) {
			t.Errorf("quarantined since %s: %s", since, list.stdout.String())
		}
	}
	for _, r := range dlq {
		code := header(r, "code")
		t.Run(code, func(t *testing.T) { checkPoison(t, r, code, bad[code], w.input) })
	}
}

func checkPoison(t *testing.T, r *kgo.Record, code, value, topic string) {
	t.Helper()
	if !bytes.Equal(r.Value, []byte(value)) || (r.Value == nil) != (code == "record_empty") || string(r.Key) != "ann" {
		t.Errorf("key %q and value of %d bytes, want ann and the %d bytes that were sent", r.Key, len(r.Value), len(value))
	}
	if got := header(r, "ebb.error.code"); got != code {
		t.Errorf("code %s, want %s", got, code)
	}
	if r.Timestamp.UnixMilli()/1000 != 1_767_322_000 {
		t.Errorf("timestamp %s is not the record's own", r.Timestamp)
	}
	if got := r.Headers[:3]; string(got[1].Value) != "\x00\xff" || got[2].Key != "empty" || len(got[2].Value) != 0 {
		t.Errorf("headers %q do not begin with the record's own", got)
	}
	want := map[string]string{"__streams.errors.topic": topic, "__streams.errors.partition": "0"}
	for key, v := range want {
		if got := header(r, key); got != v {
			t.Errorf("header %s = %q, want %q", key, got, v)
		}
	}
	for _, key := range []string{"__streams.errors.offset", "__streams.errors.message"} {
		if header(r, key) == "" {
			t.Errorf("header %s is missing", key)
		}
	}
}
