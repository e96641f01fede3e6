package kafkawire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"ebb/pipeline"
)

// Layout of a record batch of format 2: sizes and positions in bytes, bits of its attributes.
const (
	batchPrefix  = 12 // base offset and length, which length does not count
	batchMagicAt = 16
	batchCRCAt   = 17
	batchAttrsAt = 21 // from here on the checksum counts
	batchHeader  = 61

	attrCodec         = 0x07
	attrAppendTime    = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20
)

// batchHead is what a batch says about its records.
type batchHead struct {
	base      int64
	last      int64 // offset
	attrs     int16
	firstTime int64
	maxTime   int64
	producer  int64
	count     int32
}

// walk goes through the batches in b, which the broker may have cut off in the last one, and appends the committed
// records from offset on.
func (a *answerReader) walk(b []byte, offset int64, out *pipeline.Fetched) error {
	for len(b) >= batchPrefix {
		size := int64(int32(binary.BigEndian.Uint32(b[8:])))
		if size < batchHeader-batchPrefix {
			return a.small(b, size)
		}
		if int64(len(b)) < batchPrefix+size {
			break // cut off; the next fetch brings it whole
		}
		batch := b[:batchPrefix+size]
		b = b[len(batch):]
		h, err := readHead(batch)
		if err != nil {
			return err
		}
		if h.last < offset {
			continue // before what was asked for
		}
		if h.base < out.Next && out.Next > offset {
			return malformed("batch at %d after one up to %d", h.base, out.Next-1)
		}
		switch err := a.take(batch[batchHeader:], &h, offset, out); {
		case errors.Is(err, errTooLong) && out.Next > offset:
			return nil // full; the next fetch begins with it
		case errors.Is(err, errTooLong):
			return inflatesTooFar(&h)
		case err != nil:
			return err
		}
		out.Next = h.last + 1
	}
	if len(b) > 0 && out.Next == offset {
		return malformed("not one whole batch in an answer, %d bytes left over", len(b))
	}
	return nil
}

// small explains a batch too short to be one of format 2.
func (a *answerReader) small(b []byte, size int64) error {
	if len(b) > batchMagicAt && b[batchMagicAt] < 2 {
		return oldFormat(b[batchMagicAt])
	}
	return malformed("batch of %d bytes", size)
}

func oldFormat(magic byte) error {
	return &pipeline.HardStop{
		Code:   "old_message_format",
		Detail: fmt.Sprintf("the input holds messages of format %d, from before Kafka 0.11", magic),
		Do:     "copy them to a new topic with any current client, or start behind them",
	}
}

// inflatesTooFar is what to do about a batch that alone is more than memory is meant to hold.
func inflatesTooFar(h *batchHead) error {
	return &pipeline.HardStop{
		Code: "batch_too_large",
		Detail: fmt.Sprintf(
			"the compressed batch at offset %d, of %d records, would take more memory than one answer may",
			h.base,
			h.count,
		),
		Do: "have its producer write smaller batches; to go on behind it: ebb rebuild --from a time after its records'",
	}
}

// readHead reads and checks the head of a whole batch.
func readHead(b []byte) (batchHead, error) {
	be := binary.BigEndian
	if magic := b[batchMagicAt]; magic < 2 {
		return batchHead{}, oldFormat(magic)
	} else if magic > 2 {
		return batchHead{}, malformed("batch of format %d", magic)
	}
	h := batchHead{
		base:      int64(be.Uint64(b)),
		attrs:     int16(be.Uint16(b[batchAttrsAt:])),
		firstTime: int64(be.Uint64(b[27:])),
		maxTime:   int64(be.Uint64(b[35:])),
		producer:  int64(be.Uint64(b[43:])),
		count:     int32(be.Uint32(b[57:])),
	}
	delta := int64(int32(be.Uint32(b[23:])))
	if h.base < 0 || delta < 0 || h.base > math.MaxInt64-delta-1 || h.count < 0 {
		return h, malformed("batch at %d with %d records up to the %dth", h.base, h.count, delta)
	}
	h.last = h.base + delta
	if sum := crc32.Checksum(b[batchAttrsAt:], castagnoli()); sum != be.Uint32(b[batchCRCAt:]) {
		return h, malformed("checksum of the batch at %d", h.base)
	}
	return h, nil
}

// castagnoli is the table for CRC-32C, which the library builds once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// take appends the records of one batch, if it is neither a marker nor aborted.
func (a *answerReader) take(records []byte, h *batchHead, offset int64, out *pipeline.Fetched) (err error) {
	a.aborted.reach(h.last)
	if h.attrs&attrControl != 0 {
		a.aborted.end(h.producer)
		out.Markers = append(out.Markers, pipeline.Marker{Offset: h.last, At: h.maxTime})
		return nil
	}
	if h.attrs&attrTransactional != 0 && a.aborted.drops(h.producer) {
		return nil
	}
	if codec := h.attrs & attrCodec; codec != 0 {
		if out.Inflated, records, err = a.inflate.append(out.Inflated, codec, records); err != nil {
			return fmt.Errorf("inflate the batch at %d: %w", h.base, err)
		}
	}
	if out.Records, err = appendRecords(out.Records, records, h, offset); err != nil {
		return fmt.Errorf("batch at %d: %w", h.base, err)
	}
	return nil
}
