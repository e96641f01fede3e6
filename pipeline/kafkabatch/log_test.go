package kafkabatch_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// logBatch is one batch of a partition as the oracle knows it: what it says, and whether its transaction came to
// nothing.
type logBatch struct {
	kmsg.RecordBatch
	records []kmsg.Record
	aborted bool
}

func (b *logBatch) last() int64 { return b.FirstOffset + int64(b.LastOffsetDelta) }

// bytes encodes the batch with kmsg, compressed with franz-go's codecs.
func (b *logBatch) bytes(t testing.TB) []byte {
	var raw []byte
	for _, r := range b.records {
		raw = appendKmsgRecord(raw, r)
	}
	if codec := b.Attributes & 7; codec != 0 {
		raw = compressed(t, codec, raw)
	}
	b.Magic, b.NumRecords, b.Records = 2, int32(len(b.records)), raw
	return sealKmsg(b.RecordBatch)
}

func appendKmsgRecord(dst []byte, r kmsg.Record) []byte {
	r.Length = 0
	r.Length = int32(len(r.AppendTo(nil)) - 1) // a length of 0 takes one byte
	return r.AppendTo(dst)
}

// sealKmsg encodes a batch with its length and checksum.
func sealKmsg(b kmsg.RecordBatch) []byte {
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func compressed(t testing.TB, codec int16, raw []byte) []byte {
	choice := []kgo.CompressionCodec{
		kgo.NoCompression(),
		kgo.GzipCompression(),
		kgo.SnappyCompression(),
		kgo.Lz4Compression(),
		kgo.ZstdCompression(),
	}
	c, err := kgo.DefaultCompressor(choice[codec])
	if err != nil {
		t.Fatal(err)
	}
	out, used := c.Compress(new(bytes.Buffer), raw)
	if int16(used) != codec {
		t.Fatalf("codec %d instead of %d", used, codec)
	}
	return bytes.Clone(out)
}

// partitionLog draws a partition's log: plain batches, transactions of three producers that interleave, markers, gaps
// that compaction left, every codec, both kinds of timestamps.
func partitionLog(t *rapid.T) []*logBatch {
	var log []*logBatch
	next := int64(rapid.IntRange(0, 100).Draw(t, "start"))
	open := make(map[int64][]*logBatch)
	end := func(producer int64, commit bool) {
		for _, b := range open[producer] {
			b.aborted = !commit
		}
		delete(open, producer)
		log = append(log, marker(next, producer, commit))
		next++
	}
	for range rapid.IntRange(1, 12).Draw(t, "batches") {
		producer := int64(rapid.IntRange(0, 3).Draw(t, "producer"))
		if producer > 0 && len(open[producer]) > 0 && rapid.Bool().Draw(t, "end") {
			end(producer, rapid.Bool().Draw(t, "commit"))
			continue
		}
		b := dataBatch(t, next, producer)
		next = b.last() + 1
		log = append(log, b)
		if producer > 0 {
			open[producer] = append(open[producer], b)
		}
		if rapid.Bool().Draw(t, "gap") {
			next += int64(rapid.IntRange(1, 5).Draw(t, "lost batches"))
		}
	}
	for producer := int64(1); producer <= 3; producer++ {
		if len(open[producer]) > 0 {
			end(producer, rapid.Bool().Draw(t, "commit at the end"))
		}
	}
	return log
}

func marker(offset, producer int64, commit bool) *logBatch {
	b := &logBatch{}
	b.FirstOffset, b.Attributes, b.ProducerID, b.FirstSequence = offset, 0x30, producer, -1
	kind := byte(0)
	if commit {
		kind = 1
	}
	b.records = []kmsg.Record{{Key: []byte{0, 0, 0, kind}, Value: make([]byte, 6)}}
	return b
}

func dataBatch(t *rapid.T, first, producer int64) *logBatch {
	b := &logBatch{}
	b.FirstOffset, b.ProducerID, b.FirstSequence = first, producer, -1
	b.Attributes = int16(rapid.IntRange(0, 4).Draw(t, "codec"))
	if producer > 0 {
		b.Attributes |= 0x10
	}
	b.FirstTimestamp = rapid.Int64Range(0, 1<<42).Draw(t, "first time")
	b.MaxTimestamp = b.FirstTimestamp + rapid.Int64Range(0, 1<<33).Draw(t, "time span")
	if rapid.Bool().Draw(t, "append time") {
		b.Attributes |= 0x08
	}
	n := rapid.IntRange(1, 6).Draw(t, "records")
	b.LastOffsetDelta = int32(n - 1)
	for i := range n {
		if rapid.IntRange(0, 4).Draw(t, "compacted") == 0 {
			continue
		}
		age := rapid.Int64Range(-1<<33, b.MaxTimestamp-b.FirstTimestamp).Draw(t, "age")
		b.records = append(b.records, kmsg.Record{
			TimestampDelta64: age,
			TimestampDelta:   int32(age),
			OffsetDelta:      int32(i),
			Key:              bytesOrNull(t, "key"),
			Value:            bytesOrNull(t, "value"),
			Headers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kmsg.Header {
				return kmsg.Header{Key: rapid.StringN(0, 5, 9).Draw(t, "header"), Value: bytesOrNull(t, "header value")}
			}), 0, 2).Draw(t, "headers"),
		})
	}
	return b
}

func bytesOrNull(t *rapid.T, name string) []byte {
	if rapid.IntRange(0, 5).Draw(t, name+" null") == 0 {
		return nil
	}
	return append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, name)...)
}

// view is one record as a reader should see it.
type view struct {
	Offset, Timestamp int64
	AppendTime        bool
	Key, Value        []byte
	Headers           []kmsg.Header
}

// expected is what is committed in log from offset on.
func expected(log []*logBatch, from int64) (out []view) {
	for _, b := range log {
		if b.aborted || b.Attributes&0x20 != 0 {
			continue
		}
		for _, r := range b.records {
			v := view{
				b.FirstOffset + int64(r.OffsetDelta),
				b.FirstTimestamp + r.TimestampDelta64,
				false,
				r.Key,
				r.Value,
				r.Headers,
			}
			if b.Attributes&0x08 != 0 {
				v.Timestamp, v.AppendTime = b.MaxTimestamp, true
			}
			if v.Offset >= from {
				out = append(out, v)
			}
		}
	}
	return out
}

func seen(records []pipeline.Record) (out []view) {
	for _, r := range records {
		v := view{r.Offset, r.Timestamp, r.AppendTime, r.Key, r.Value, nil}
		for key, value := range kafkabatch.Headers(r.Headers) {
			v.Headers = append(v.Headers, kmsg.Header{Key: string(key), Value: value})
		}
		out = append(out, v)
	}
	return out
}

// abortedIn lists the aborted transactions that reach into a fetch from offset on, in the order of their markers.
func abortedIn(log []*logBatch, from int64) (out []kafkabatch.Aborted) {
	first := make(map[int64]*logBatch)
	for _, b := range log {
		switch {
		case b.Attributes&0x10 == 0:
		case b.Attributes&0x20 == 0:
			if first[b.ProducerID] == nil {
				first[b.ProducerID] = b
			}
		default:
			f := first[b.ProducerID]
			delete(first, b.ProducerID)
			if f != nil && f.aborted && b.FirstOffset >= from {
				out = append(out, kafkabatch.Aborted{Producer: b.ProducerID, First: f.FirstOffset})
			}
		}
	}
	return out
}
