package kafkabatch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// limit is how many bytes an answer decompresses to in these tests.
const limit = 1 << 20

// read reads batches from offset on, with no transaction aborted.
func read(raw []byte, offset int64, out *pipeline.Fetched) error {
	return readWith(kafkabatch.NewReader(limit), raw, nil, offset, out)
}

// readWith reads batches as what a new answer holds.
func readWith(
	reader *kafkabatch.Reader,
	raw []byte,
	aborted []kafkabatch.Aborted,
	offset int64,
	out *pipeline.Fetched,
) error {
	out.Records, out.Inflated, out.Next = out.Records[:0], out.Inflated[:0], offset
	return reader.Read(raw, aborted, offset, out)
}

// TestReadAgainstOracle reads drawn logs from drawn offsets on, cut off at a drawn byte, and compares with what
// the log was made to hold.
func TestReadAgainstOracle(t *testing.T) {
	reader := kafkabatch.NewReader(limit)
	var out pipeline.Fetched
	rapid.Check(t, func(r *rapid.T) {
		log := partitionLog(r)
		from := rapid.Int64Range(0, log[len(log)-1].last()+5).Draw(r, "from")
		sent := slices.DeleteFunc(slices.Clone(log), func(b *logBatch) bool { return b.last() < from })
		if i := len(log) - len(sent); i > 0 && rapid.Bool().Draw(r, "send one before") {
			sent = log[i-1:]
		}
		var raw []byte
		next := from
		for i, b := range sent {
			one := b.bytes(t)
			if i > 1 && rapid.IntRange(0, 9).Draw(r, "cut") == 0 {
				raw = append(raw, one[:rapid.IntRange(0, len(one)-1).Draw(r, "cut at")]...)
				sent = sent[:i]
				break
			}
			raw, next = append(raw, one...), max(from, b.last()+1)
		}
		if err := readWith(reader, raw, abortedIn(log, from), from, &out); err != nil {
			r.Fatal(err)
		}
		if out.Next != next {
			r.Errorf("next %d, want %d", out.Next, next)
		}
		if diff := cmp.Diff(expected(sent, from), seen(out.Records), cmpopts.EquateEmpty()); diff != "" {
			r.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

// TestReadKeepsNull tells null from empty, which EquateEmpty above does not.
func TestReadKeepsNull(t *testing.T) {
	b := &logBatch{records: []kmsg.Record{{Key: nil, Value: []byte{}}, {OffsetDelta: 1, Key: []byte{}, Value: nil}}}
	b.LastOffsetDelta = 1
	var out pipeline.Fetched
	if err := read(b.bytes(t), 0, &out); err != nil {
		t.Fatal(err)
	}
	if r := out.Records; r[0].Key != nil || r[0].Value == nil || r[1].Key == nil || r[1].Value != nil {
		t.Errorf("null and empty are mixed up: %#v", r)
	}
}

// TestReadJavaSnappy reads snappy in the framing that Java clients use.
func TestReadJavaSnappy(t *testing.T) {
	b := &logBatch{
		records: []kmsg.Record{
			{Value: bytes.Repeat([]byte("one"), 100)},
			{OffsetDelta: 1, Value: bytes.Repeat([]byte("two"), 100)},
		},
	}
	b.LastOffsetDelta, b.Attributes = 1, 2
	framed := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	for i, r := range b.records {
		r.OffsetDelta = int32(i)
		block := compressed(t, 2, appendKmsgRecord(nil, r))
		framed = append(binary.BigEndian.AppendUint32(framed, uint32(len(block))), block...)
	}
	b.Magic, b.NumRecords, b.Records = 2, 2, framed
	var out pipeline.Fetched
	if err := read(sealKmsg(b.RecordBatch), 0, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected([]*logBatch{b}, 0), seen(out.Records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	good := func() *logBatch {
		b := &logBatch{
			records: []kmsg.Record{{Key: []byte("key"), Value: []byte("value")}, {OffsetDelta: 1, Value: []byte("value")}},
		}
		b.LastOffsetDelta = 1
		return b
	}
	edit := func(f func(b *logBatch)) []byte {
		b := good()
		raw := b.bytes(t)
		if f != nil {
			f(b)
			raw = sealKmsg(b.RecordBatch)
		}
		return raw
	}
	flipped := good().bytes(t)
	flipped[len(flipped)-1] ^= 1
	old := append(make([]byte, 16), 1, 0, 0)
	binary.BigEndian.PutUint32(old[8:], 14)
	whole := good().bytes(t)
	for name, c := range map[string]struct {
		raw  []byte
		hard bool
	}{
		"checksum":                     {raw: flipped},
		"batch twice":                  {raw: append(slices.Clip(whole), whole...)},
		"not one whole batch":          {raw: whole[:len(whole)-1]},
		"batch too short":              {raw: []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 2, 0, 0}},
		"format to come":               {raw: edit(func(b *logBatch) { b.Magic = 3 })},
		"format of old":                {raw: edit(func(b *logBatch) { b.Magic = 1 }), hard: true},
		"message of old":               {raw: old, hard: true},
		"negative offset":              {raw: edit(func(b *logBatch) { b.FirstOffset = -1 })},
		"offset beyond the last":       {raw: edit(func(b *logBatch) { b.FirstOffset = 1<<63 - 2 })},
		"negative span":                {raw: edit(func(b *logBatch) { b.LastOffsetDelta = -1 })},
		"record beyond the batch":      {raw: edit(func(b *logBatch) { b.LastOffsetDelta = 0 })},
		"more records than there are":  {raw: edit(func(b *logBatch) { b.NumRecords = 3 })},
		"fewer records than there are": {raw: edit(func(b *logBatch) { b.NumRecords = 1 })},
		"negative number of records":   {raw: edit(func(b *logBatch) { b.NumRecords = -1 })},
		"codec unknown":                {raw: edit(func(b *logBatch) { b.Attributes = 5 })},
		"gzip that is none":            {raw: edit(func(b *logBatch) { b.Attributes = 1 })},
		"snappy that is none":          {raw: edit(func(b *logBatch) { b.Attributes = 2 })},
		"lz4 that is none":             {raw: edit(func(b *logBatch) { b.Attributes = 3 })},
		"zstd that is none":            {raw: edit(func(b *logBatch) { b.Attributes = 4 })},
		"same offset twice": {raw: edit(func(b *logBatch) {
			b.Records = appendKmsgRecord(appendKmsgRecord(nil, b.records[0]), b.records[0])
		})},
		"key longer than its record": {raw: edit(func(b *logBatch) { b.Records[4] = 100 })},
		"length below null":          {raw: edit(func(b *logBatch) { b.Records[4] = 3 })},
	} {
		t.Run(name, func(t *testing.T) {
			var out pipeline.Fetched
			err := read(c.raw, 0, &out)
			var hard *pipeline.HardStop
			switch {
			case err == nil:
				t.Errorf("read %d records", len(out.Records))
			case c.hard != errors.As(err, &hard):
				t.Errorf("hard stop wanted: %v, got %v", c.hard, err)
			case !c.hard && (!errors.Is(err, kafkabatch.ErrMalformed) || !errors.Is(err, pipeline.ErrUnavailable)):
				t.Errorf("class of %v", err)
			}
		})
	}
}

// TestReadBoundsInflation: what would take more memory than the limit, of 1 MiB in this test, is a hard stop
// where it is one batch; several are read as far as they fit, and the rest by the next fetch.
func TestReadBoundsInflation(t *testing.T) {
	for codec := int16(1); codec <= 4; codec++ {
		for _, sizes := range [][]int{{2 << 20}, {600 << 10, 600 << 10}} {
			t.Run(fmt.Sprintf("codec %d, %d batches", codec, len(sizes)), func(t *testing.T) {
				var raw []byte
				for i, size := range sizes {
					b := &logBatch{records: []kmsg.Record{{Value: make([]byte, size)}}}
					b.Attributes, b.FirstOffset = codec, int64(i)
					raw = append(raw, b.bytes(t)...)
				}
				var out pipeline.Fetched
				err := read(raw, 0, &out)
				if hard, ok := errors.AsType[*pipeline.HardStop](err); len(sizes) == 1 && (!ok || hard.Code != "batch_too_large") {
					t.Errorf("inflated to %d bytes: %v", len(out.Inflated), err)
				}
				if len(sizes) > 1 && (err != nil || len(out.Records) != 1 || out.Next != 1) {
					t.Errorf("%d records up to %d, error %v", len(out.Records), out.Next, err)
				}
				if cap(out.Inflated) > 4<<20 {
					t.Errorf("holds %d bytes", cap(out.Inflated))
				}
			})
		}
	}
}
