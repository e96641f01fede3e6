package kafkabatch_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// benchBatches are batches of 500 events of 211 bytes each.
func benchBatches(tb testing.TB, batches int, codec int16) (raw []byte, records int) {
	const perBatch = 500
	for i := range batches {
		b := &logBatch{}
		b.FirstOffset, b.LastOffsetDelta, b.Attributes, b.FirstTimestamp = int64(
			i*perBatch,
		), perBatch-1, codec, 1_700_000_000_000
		for j := range perBatch {
			n := i*perBatch + j
			value := fmt.Appendf(
				nil,
				`{"id":"event-%08d","customer":"customer-%06d","type":"Order Completed","time":%d,"value":"12.34"}`,
				n,
				n%200_000,
				1_700_000_000_000+n,
			)
			value = append(value, bytes.Repeat([]byte{' '}, 196-len(value))...)
			b.records = append(b.records, kmsg.Record{
				TimestampDelta64: int64(
					j,
				),
				TimestampDelta: int32(j),
				OffsetDelta:    int32(j),
				Key:            fmt.Appendf(nil, "customer-%06d", n%200_000),
				Value:          value,
			})
		}
		raw = append(raw, b.bytes(tb)...)
	}
	return raw, batches * perBatch
}

// BenchmarkWalk reads batches already in memory: checksum, batches, records.
func BenchmarkWalk(b *testing.B) {
	for codec, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		b.Run(name, func(b *testing.B) {
			raw, records := benchBatches(b, 40, int16(codec))
			reader := kafkabatch.NewReader(16 << 20)
			var out pipeline.Fetched
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if err := readWith(reader, raw, nil, 0, &out); err != nil || len(out.Records) != records {
					b.Fatal(err, len(out.Records))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
		})
	}
}

// TestReadDoesNotAllocate holds the budget: nothing at all for plain records once the buffers have their size, and
// nothing per record for compressed ones (the decompressors' pools may give up a buffer now and then). gzip is left
// out, whose package allocates for each batch.
func TestReadDoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		codec  int16
		name   string
		budget float64
	}{{0, "none", 0}, {2, "snappy", 0}, {3, "lz4", 20}, {4, "zstd", 20}} {
		raw, records := benchBatches(t, 4, c.codec)
		reader := kafkabatch.NewReader(16 << 20)
		var out pipeline.Fetched
		allocs := testing.AllocsPerRun(20, func() {
			if err := readWith(reader, raw, nil, 0, &out); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > c.budget {
			t.Errorf("%s: %v allocations in an answer of %d records", c.name, allocs, records)
		}
	}
}
