package kafkawire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// answer encodes what a broker answers to a fetch of t/0.
func answer(records []byte, aborted ...kmsg.FetchResponseTopicPartitionAbortedTransaction) []byte {
	res := kmsg.NewFetchResponse()
	res.Version = 11
	topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	topic.Topic = "t"
	part.HighWatermark, part.LastStableOffset, part.LogStartOffset = 1000, 900, 1
	part.AbortedTransactions, part.RecordBatches = aborted, records
	topic.Partitions = append(topic.Partitions, part)
	res.Topics = append(res.Topics, topic)
	return res.AppendTo(nil)
}

// written is a batch of one record of a transaction.
func written(t testing.TB, how kafkabatch.Compression, offset, producer int64, value string) []byte {
	t.Helper()
	var b kafkabatch.Builder
	b.Reset()
	b.Add([]byte("k"), []byte(value), nil, 1_700_000_000_000)
	compressor := kafkabatch.Compressor{How: how}
	if _, err := compressor.Compress(&b, 1<<20); err != nil {
		t.Fatal(err)
	}
	raw := bytes.Clone(b.Seal(kafkabatch.ProducerID{ID: producer, Transactional: true}, 0))
	binary.BigEndian.PutUint64(raw, uint64(offset)) // before what the checksum counts
	return raw
}

// ended is the marker of a transaction's end.
func ended(t testing.TB, offset, producer int64) []byte {
	t.Helper()
	raw := written(t, kafkabatch.Uncompressed, offset, producer, "")
	raw[22] |= 0x20
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// interleaved is an answer from offset 10 on, with transactions of two producers. Of each the first is aborted; the
// broker names them in the order of their ends.
func interleaved(t testing.TB) []byte {
	t.Helper()
	const none = kafkabatch.Uncompressed
	aborted := make([]kmsg.FetchResponseTopicPartitionAbortedTransaction, 2)
	aborted[0].ProducerID, aborted[0].FirstOffset = 8, 11
	aborted[1].ProducerID, aborted[1].FirstOffset = 7, 10
	return answer(slices.Concat(
		written(t, none, 10, 7, "aborted"), written(t, none, 11, 8, "aborted"), ended(t, 12, 8),
		written(t, none, 13, 8, "kept"), written(t, none, 14, 7, "aborted"), ended(t, 15, 7),
		written(t, none, 16, 7, "kept as well"), ended(t, 17, 8), ended(t, 18, 7),
	), aborted...)
}

// TestReadAnswer reads the bounds of the log, and leaves aborted transactions out, answer after answer.
func TestReadAnswer(t *testing.T) {
	read := kafkawire.NewAnswerReader(1 << 20)
	for range 2 {
		var out pipeline.Fetched
		if err := read(interleaved(t), 10, &out); err != nil {
			t.Fatal(err)
		}
		if out.Next != 19 || out.End != 1000 || out.Stable != 900 {
			t.Errorf("next %d, end %d, stable %d; want 19, 1000, 900", out.Next, out.End, out.Stable)
		}
		var got []string
		for _, r := range out.Records {
			got = append(got, fmt.Sprintf("%d %s", r.Offset, r.Value))
		}
		if diff := cmp.Diff([]string{"13 kept", "16 kept as well"}, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	}
}

// TestReadAnswerStartsAnew: what an answer that broke off said of aborted transactions is not left for the next.
func TestReadAnswerStartsAnew(t *testing.T) {
	read := kafkawire.NewAnswerReader(1 << 20)
	var out pipeline.Fetched
	whole := interleaved(t)
	if err := read(whole[:len(whole)-5], 10, &out); !errors.Is(err, kafkabatch.ErrMalformed) {
		t.Fatalf("answer cut short: %v", err)
	}
	if err := read(answer(written(t, kafkabatch.Uncompressed, 10, 7, "kept")), 10, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Records) != 1 {
		t.Errorf("%d records, want 1", len(out.Records))
	}
}

func TestReadAnswerRefuses(t *testing.T) {
	whole := answer(written(t, kafkabatch.Uncompressed, 0, 7, "value"))
	for name, body := range map[string][]byte{
		"nothing":          nil,
		"answer cut short": whole[:40],
		"another topic":    bytes.Replace(whole, []byte{0, 1, 't'}, []byte{0, 1, 'x'}, 1),
	} {
		t.Run(name, func(t *testing.T) {
			var out pipeline.Fetched
			err := kafkawire.ReadAnswer(body, 0, &out)
			if !errors.Is(err, kafkabatch.ErrMalformed) || !errors.Is(err, pipeline.ErrUnavailable) {
				t.Errorf("read %d records, error %v", len(out.Records), err)
			}
		})
	}
}

func TestReadAnswerCodes(t *testing.T) {
	res := kmsg.NewFetchResponse()
	res.Version = 11
	topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	topic.Topic = "t"
	part.ErrorCode, part.HighWatermark, part.LastStableOffset, part.LogStartOffset = 1, -1, -1, -1
	topic.Partitions = append(topic.Partitions, part)
	res.Topics = append(res.Topics, topic)
	var out pipeline.Fetched
	if err := kafkawire.ReadAnswer(res.AppendTo(nil), 0, &out); !errors.Is(err, pipeline.ErrOutOfRange) {
		t.Errorf("code of the partition: %v", err)
	}
	res.ErrorCode = 70
	if err := kafkawire.ReadAnswer(res.AppendTo(nil), 0, &out); !errors.Is(err, kafkawire.Error(70)) {
		t.Errorf("code of the whole answer: %v", err)
	}
}

// TestReadAnswerDoesNotAllocate holds the budget: nothing once the buffers have their size.
func TestReadAnswerDoesNotAllocate(t *testing.T) {
	read, body := kafkawire.NewAnswerReader(1<<20), interleaved(t)
	var out pipeline.Fetched
	allocs := testing.AllocsPerRun(20, func() {
		if err := read(body, 10, &out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// checkAnswer reads body and checks what holds of every answer, however damaged.
func checkAnswer(t *testing.T, body []byte, offset int64) {
	t.Helper()
	var out pipeline.Fetched
	err := kafkawire.ReadAnswer(body, offset, &out)
	if out.Next < offset {
		t.Fatalf("next %d is below the offset asked for, %d", out.Next, offset)
	}
	if err != nil {
		var hard *pipeline.HardStop
		if !errors.As(err, &hard) && !errors.Is(err, pipeline.ErrUnavailable) && !errors.Is(err, pipeline.ErrOutOfRange) &&
			!errors.Is(err, pipeline.ErrFenced) {
			t.Fatalf("error without a class: %v", err)
		}
		return
	}
	previous := offset - 1
	for _, r := range out.Records {
		if r.Offset <= previous || r.Offset >= out.Next {
			t.Fatalf("offset %d after %d, next %d", r.Offset, previous, out.Next)
		}
		previous = r.Offset
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(interleaved(f), int64(10))
	for _, how := range []kafkabatch.Compression{kafkabatch.Uncompressed, kafkabatch.Snappy, kafkabatch.Zstd} {
		b := written(f, how, 10, 7, strings.Repeat("value", 400))
		f.Add(answer(b), int64(10))
		f.Add(answer(append(b, b[:30]...)), int64(11))
	}
	f.Fuzz(func(t *testing.T, body []byte, offset int64) { checkAnswer(t, body, max(offset, 0)) })
}
