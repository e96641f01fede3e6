package kafkabatch_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// checkRead reads raw and checks what holds of all batches, however damaged.
func checkRead(t *testing.T, raw []byte, offset int64) {
	t.Helper()
	var out pipeline.Fetched
	err := read(raw, offset, &out)
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
		for range kafkabatch.Headers(r.Headers) { //nolint:revive // must end without a panic
		}
		again := kafkabatch.AppendHeaders(nil, r.Headers, kafkabatch.Header{Key: "added"})
		if !kafkabatch.ValidHeaders(again) {
			t.Fatalf("headers %x became %x", r.Headers, again)
		}
	}
}

// seedBatches are whole batches: plain, compressed in each way, in a transaction, a marker.
func seedBatches(tb testing.TB) (out [][]byte) {
	for codec := range int16(5) {
		b := &logBatch{records: []kmsg.Record{
			{Key: []byte("k"), Value: []byte("v"), Headers: []kmsg.Header{{Key: "h", Value: []byte("x")}}},
			{OffsetDelta: 2, TimestampDelta: 5, TimestampDelta64: 5},
		}}
		b.FirstOffset, b.LastOffsetDelta, b.Attributes, b.ProducerID = 10, 2, codec|0x10, 7
		out = append(out, b.bytes(tb))
	}
	return append(out, marker(13, 7, false).bytes(tb))
}

// FuzzReadRecords damages records behind a checksum that is right.
func FuzzReadRecords(f *testing.F) {
	for _, b := range seedBatches(f) {
		f.Add(b, int64(10))
		f.Add(append(b, b...), int64(0))
	}
	f.Fuzz(func(t *testing.T, records []byte, offset int64) {
		for b := records; len(b) >= 61; {
			n := 12 + int64(int32(binary.BigEndian.Uint32(b[8:])))
			if n < 61 || n > int64(len(b)) {
				break
			}
			binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:n], crc32.MakeTable(crc32.Castagnoli)))
			b = b[n:]
		}
		checkRead(t, records, max(offset, 0))
	})
}

func FuzzHeaders(f *testing.F) {
	f.Add([]byte{0})
	f.Add(kafkabatch.AppendHeaders(nil, nil, kafkabatch.Header{Key: "a", Value: []byte("b")}, kafkabatch.Header{Key: "c"}))
	f.Add([]byte{4, 2, 'a', 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for range kafkabatch.Headers(b) {
			n++
		}
		again := kafkabatch.AppendHeaders(nil, b, kafkabatch.Header{Key: "added", Value: []byte("v")})
		if !kafkabatch.ValidHeaders(again) {
			t.Fatalf("%x became %x", b, again)
		}
		m := 0
		for range kafkabatch.Headers(again) {
			m++
		}
		if kafkabatch.ValidHeaders(b) && m != n+1 {
			t.Fatalf("%d headers became %d", n, m)
		}
	})
}
