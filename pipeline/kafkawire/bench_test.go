package kafkawire_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// BenchmarkFetch reads 200,000 events of 211 bytes again and again, broker and all. cpu-ns is this process's part,
// which is the reader's where the broker is another.
func BenchmarkFetch(b *testing.B) {
	addrs := brokers(b)
	topic := unique(b, "in")
	c := open(b, addrs, topic)
	create(b, c, topic, 1)
	w := appender(b, c, kafkawire.AppenderConfig{Topic: topic})
	const records = 200_000
	batch := make([]pipeline.Outgoing, 1000)
	for n := 0; n < records; n += len(batch) {
		for i := range batch {
			value := fmt.Appendf(
				nil,
				`{"id":"event-%08d","customer":"customer-%06d","type":"Order Completed","pad":"%0120d"}`,
				n+i,
				n+i,
				0,
			)
			batch[i] = pipeline.Outgoing{Key: value[25:40], Value: value, Timestamp: 1_700_000_000_000}
		}
		if _, err := w.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	f := fetcher(b, c, topic)
	var got pipeline.Fetched
	b.ReportAllocs()
	began := processorTime(b)
	for b.Loop() {
		seen := 0
		for next := int64(0); next < records; next = got.Next {
			if err := f.Fetch(b.Context(), next, &got); err != nil {
				b.Fatal(err)
			}
			seen += len(got.Records)
		}
		if seen != records {
			b.Fatalf("%d records", seen)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
	b.ReportMetric(float64((processorTime(b)-began).Nanoseconds())/float64(b.N*records), "cpu-ns/record")
}

// processorTime is what this process has taken of the processor.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkTransaction publishes one record, and a thousand, with an offset: one transaction right after the other, and
// one every 20 ms, of which only the work is counted.
func BenchmarkTransaction(b *testing.B) {
	addrs := brokers(b)
	for _, only1 := range []bool{false, true} {
		for _, records := range []int{1, 1000} {
			for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
				name := fmt.Sprintf("version%d/records%d/every%v", map[bool]int{false: 2, true: 1}[only1], records, pause)
				b.Run(name, func(b *testing.B) { benchTransaction(b, addrs, only1, records, pause) })
			}
		}
	}
}

func benchTransaction(b *testing.B, addrs []string, only1 bool, records int, pause time.Duration) {
	in, out := unique(b, "in"), unique(b, "out")
	c := open(b, addrs, in, out)
	create(b, c, in, 1)
	create(b, c, out, 1)
	p := producer(b, c, unique(b, "txn"), only1)
	var all []pipeline.Outgoing
	for i := range records {
		all = append(all, pipeline.Outgoing{Topic: out, Partition: -1, Key: fmt.Append(nil, i), Value: make([]byte, 700)})
	}
	tx := unfenced(unique(b, "group"), in, 0, all...)
	tick := time.NewTicker(max(pause, 1))
	defer tick.Stop()
	b.ReportAllocs()
	for b.Loop() {
		tx.Offset++
		if pause > 0 {
			b.StopTimer()
			<-tick.C
			b.StartTimer()
		}
		if err := p.Commit(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
}
