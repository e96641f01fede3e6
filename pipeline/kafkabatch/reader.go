package kafkabatch

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ebb/pipeline"
)

// Reader reads the committed records out of the batches of one partition. It keeps its memory from one answer to the
// next.
type Reader struct {
	aborted abortedFilter
	inflate inflater
}

// NewReader makes a reader. limit is how many bytes the records of one answer may decompress to.
func NewReader(limit int) *Reader { return &Reader{inflate: inflater{limit: limit}} }

// Read goes through the batches in b, which the broker may have cut off in the last one, and appends the committed
// records from offset on to out, whose Next is offset at first. The records alias b and out.Inflated. aborted are the
// aborted transactions that reach into b; they are sorted in place. Errors: ErrMalformed, *pipeline.HardStop for a
// format before 0.11, and for a batch that alone inflates beyond the limit.
func (r *Reader) Read(b []byte, aborted []Aborted, offset int64, out *pipeline.Fetched) error {
	r.aborted.begin(aborted)
	for len(b) >= batchPrefix {
		size := int64(int32(binary.BigEndian.Uint32(b[8:])))
		if size < batchHeader-batchPrefix {
			return small(b, size)
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
			return Malformed("batch at %d after one up to %d", h.base, out.Next-1)
		}
		switch err := r.take(batch[batchHeader:], &h, offset, out); {
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
		return Malformed("not one whole batch in an answer, %d bytes left over", len(b))
	}
	return nil
}

// small explains a batch too short to be one of format 2.
func small(b []byte, size int64) error {
	if len(b) > batchMagicAt && b[batchMagicAt] < 2 {
		return oldFormat(b[batchMagicAt])
	}
	return Malformed("batch of %d bytes", size)
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

// take appends the records of one batch, if it is neither a marker nor aborted.
func (r *Reader) take(records []byte, h *batchHead, offset int64, out *pipeline.Fetched) (err error) {
	r.aborted.reach(h.last)
	if h.attrs&attrControl != 0 {
		r.aborted.end(h.producer)
		out.Markers = append(out.Markers, pipeline.Marker{Offset: h.last, At: h.maxTime})
		return nil
	}
	if h.attrs&attrTransactional != 0 && r.aborted.drops(h.producer) {
		return nil
	}
	if codec := h.attrs & attrCodec; codec != 0 {
		if out.Inflated, records, err = r.inflate.append(out.Inflated, codec, records); err != nil {
			return fmt.Errorf("inflate the batch at %d: %w", h.base, err)
		}
	}
	if out.Records, err = appendRecords(out.Records, records, h, offset); err != nil {
		return fmt.Errorf("batch at %d: %w", h.base, err)
	}
	return nil
}

// Close frees the decompressors' memory. The reader may not be used afterwards.
func (r *Reader) Close() { r.inflate.close() }
