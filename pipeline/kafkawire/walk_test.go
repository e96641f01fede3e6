package kafkawire_test

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
	"ebb/pipeline/kafkawire"
)

// TestReadAnswerAgainstOracle reads drawn logs from drawn offsets on, cut off at a drawn byte, and compares with what
// the log was made to hold.
func TestReadAnswerAgainstOracle(t *testing.T) {
	readAnswer := kafkawire.NewAnswerReader(1 << 20)
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
		if err := readAnswer(answer(raw, abortedIn(log, from)...), from, &out); err != nil {
			r.Fatal(err)
		}
		if out.Next != next || out.End != 1000 || out.Stable != 900 {
			r.Errorf("next %d, end %d, stable %d; want %d, 1000, 900", out.Next, out.End, out.Stable, next)
		}
		if diff := cmp.Diff(expected(sent, from), seen(out.Records), cmpopts.EquateEmpty()); diff != "" {
			r.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

// TestReadAnswerKeepsNull tells null from empty, which EquateEmpty above does not.
func TestReadAnswerKeepsNull(t *testing.T) {
	b := &logBatch{records: []kmsg.Record{{Key: nil, Value: []byte{}}, {OffsetDelta: 1, Key: []byte{}, Value: nil}}}
	b.LastOffsetDelta = 1
	var out pipeline.Fetched
	if err := kafkawire.ReadAnswer(answer(b.bytes(t)), 0, &out); err != nil {
		t.Fatal(err)
	}
	if r := out.Records; r[0].Key != nil || r[0].Value == nil || r[1].Key == nil || r[1].Value != nil {
		t.Errorf("null and empty are mixed up: %#v", r)
	}
}

// TestReadAnswerJavaSnappy reads snappy in the framing that Java clients use.
func TestReadAnswerJavaSnappy(t *testing.T) {
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
	if err := kafkawire.ReadAnswer(answer(sealKmsg(b.RecordBatch)), 0, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected([]*logBatch{b}, 0), seen(out.Records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestReadAnswerRefuses(t *testing.T) {
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
		return answer(raw)
	}
	flipped := good().bytes(t)
	flipped[len(flipped)-1] ^= 1
	old := append(make([]byte, 16), 1, 0, 0)
	binary.BigEndian.PutUint32(old[8:], 14)
	whole := good().bytes(t)
	for name, c := range map[string]struct {
		body []byte
		hard bool
	}{
		"nothing":                      {body: nil},
		"answer cut short":             {body: edit(nil)[:40]},
		"another topic":                {body: bytes.Replace(edit(nil), []byte{0, 1, 't'}, []byte{0, 1, 'x'}, 1)},
		"checksum":                     {body: answer(flipped)},
		"batch twice":                  {body: answer(append(slices.Clip(whole), whole...))},
		"not one whole batch":          {body: answer(whole[:len(whole)-1])},
		"batch too short":              {body: answer([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 2, 0, 0})},
		"format to come":               {body: edit(func(b *logBatch) { b.Magic = 3 })},
		"format of old":                {body: edit(func(b *logBatch) { b.Magic = 1 }), hard: true},
		"message of old":               {body: answer(old), hard: true},
		"negative offset":              {body: edit(func(b *logBatch) { b.FirstOffset = -1 })},
		"offset beyond the last":       {body: edit(func(b *logBatch) { b.FirstOffset = 1<<63 - 2 })},
		"negative span":                {body: edit(func(b *logBatch) { b.LastOffsetDelta = -1 })},
		"record beyond the batch":      {body: edit(func(b *logBatch) { b.LastOffsetDelta = 0 })},
		"more records than there are":  {body: edit(func(b *logBatch) { b.NumRecords = 3 })},
		"fewer records than there are": {body: edit(func(b *logBatch) { b.NumRecords = 1 })},
		"negative number of records":   {body: edit(func(b *logBatch) { b.NumRecords = -1 })},
		"codec unknown":                {body: edit(func(b *logBatch) { b.Attributes = 5 })},
		"gzip that is none":            {body: edit(func(b *logBatch) { b.Attributes = 1 })},
		"snappy that is none":          {body: edit(func(b *logBatch) { b.Attributes = 2 })},
		"lz4 that is none":             {body: edit(func(b *logBatch) { b.Attributes = 3 })},
		"zstd that is none":            {body: edit(func(b *logBatch) { b.Attributes = 4 })},
		"same offset twice": {body: edit(func(b *logBatch) {
			b.Records = appendKmsgRecord(appendKmsgRecord(nil, b.records[0]), b.records[0])
		})},
		"key longer than its record": {body: edit(func(b *logBatch) { b.Records[4] = 100 })},
		"length below null":          {body: edit(func(b *logBatch) { b.Records[4] = 3 })},
	} {
		t.Run(name, func(t *testing.T) {
			var out pipeline.Fetched
			err := kafkawire.ReadAnswer(c.body, 0, &out)
			var hard *pipeline.HardStop
			switch {
			case err == nil:
				t.Errorf("read %d records", len(out.Records))
			case c.hard != errors.As(err, &hard):
				t.Errorf("hard stop wanted: %v, got %v", c.hard, err)
			case !c.hard && (!errors.Is(err, kafkawire.ErrMalformed) || !errors.Is(err, pipeline.ErrUnavailable)):
				t.Errorf("class of %v", err)
			}
		})
	}
}

// TestReadAnswerBoundsInflation: what would take more memory than the limit, of 1 MiB in this test, is a hard stop
// where it is one batch; several are read as far as they fit, and the rest by the next fetch.
func TestReadAnswerBoundsInflation(t *testing.T) {
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
				err := kafkawire.ReadAnswer(answer(raw), 0, &out)
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
