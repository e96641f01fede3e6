package kafkabatch_test

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/scoring/scoringtest/golden"
)

func TestBatchGolden(t *testing.T) {
	var b kafkabatch.Builder
	b.Reset()
	b.Add([]byte("customer-1"), []byte(`{"id":"1"}`), nil, 1_700_000_000_000)
	b.Add(
		nil,
		[]byte{},
		kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "k", Value: []byte("v")}, kafkabatch.Header{Key: "null"}),
		1_699_999_999_000,
	)
	b.Add([]byte{}, nil, nil, 1_700_000_100_000)
	golden.File(t, "batch.hex", hex.Dump(b.Seal(kafkabatch.ProducerID{ID: 4711, Epoch: 3, Transactional: true}, 99)))
	golden.File(t, "batch_plain.hex", hex.Dump(b.Seal(kafkabatch.ProducerID{ID: 4711}, math.MaxInt32)))
}

// TestBatchAgainstOracle seals drawn batches and has kmsg read them.
func TestBatchAgainstOracle(t *testing.T) {
	var b kafkabatch.Builder
	rapid.Check(t, func(r *rapid.T) {
		b.Reset()
		var want []view
		bound := 61
		for i := range rapid.IntRange(1, 20).Draw(r, "records") {
			v := view{
				Offset: int64(i), Timestamp: rapid.Int64Range(0, 1<<45).Draw(r, "time"),
				Key: bytesOrNull(r, "key"), Value: bytesOrNull(r, "value"),
			}
			var headers []byte
			for range rapid.IntRange(0, 2).Draw(r, "headers") {
				h := kmsg.Header{Key: rapid.StringN(0, 5, 9).Draw(r, "header"), Value: bytesOrNull(r, "header value")}
				headers = kafkabatch.AppendHeaders(nil, headers, kafkabatch.Header{Key: h.Key, Value: h.Value})
				v.Headers = append(v.Headers, h)
			}
			b.Add(v.Key, v.Value, headers, v.Timestamp)
			bound += kafkabatch.RecordBound(v.Key, v.Value, headers)
			want = append(want, v)
		}
		sequence := rapid.Int32Range(0, math.MaxInt32).Draw(r, "sequence")
		raw := b.Seal(kafkabatch.ProducerID{ID: 42, Epoch: 7, Transactional: true}, sequence)
		if len(raw) > bound {
			r.Errorf("%d bytes, bound %d", len(raw), bound)
		}
		got, head := readWithKmsg(t, raw)
		if diff := cmp.Diff(want, got); diff != "" {
			r.Errorf("records (-want +got):\n%s", diff)
		}
		if head.ProducerID != 42 || head.ProducerEpoch != 7 || head.FirstSequence != sequence || head.Attributes != 0x10 ||
			int(head.LastOffsetDelta) != len(want)-1 || int(head.NumRecords) != len(want) || int(head.Length) != len(raw)-12 {
			r.Errorf("head %+v", head)
		}
		var out pipeline.Fetched
		if err := read(raw, 0, &out); err != nil || len(out.Records) != len(want) {
			r.Errorf("our own reader: %d records, %v", len(out.Records), err)
		}
	})
}

func readWithKmsg(t testing.TB, raw []byte) (out []view, head kmsg.RecordBatch) {
	if err := head.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	newest := head.FirstTimestamp
	for rest := head.Records; len(rest) > 0; {
		var r kmsg.Record
		if err := r.ReadFrom(rest); err != nil {
			t.Fatal(err)
		}
		out = append(
			out,
			view{
				head.FirstOffset + int64(r.OffsetDelta),
				head.FirstTimestamp + r.TimestampDelta64,
				false,
				r.Key,
				r.Value,
				r.Headers,
			},
		)
		newest = max(newest, head.FirstTimestamp+r.TimestampDelta64)
		rest = rest[len(r.AppendTo(nil)):]
	}
	if newest != head.MaxTimestamp {
		t.Fatalf("newest timestamp %d, the head says %d", newest, head.MaxTimestamp)
	}
	return out, head
}

func TestNextSequence(t *testing.T) {
	for _, c := range []struct{ s, n, want int32 }{
		{0, 1, 1}, {5, 10, 15}, {math.MaxInt32, 1, 0}, {math.MaxInt32 - 1, 3, 1}, {math.MaxInt32, 0, math.MaxInt32},
	} {
		if got := kafkabatch.NextSequence(c.s, c.n); got != c.want {
			t.Errorf("%d records after %d: %d, want %d", c.n, c.s, got, c.want)
		}
	}
}
