package kafkabatch

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
)

// Builder builds one record batch of format 2 in a buffer that it reuses. Producer, epoch and sequence are set when it
// is sealed.
type Builder struct {
	buf    []byte
	packed int // up to where buf is compressed; see Compressor.Pack
	codec  uint16
	count  int32
	first  int64 // timestamp of the first record
	max    int64 // newest timestamp
}

// ProducerID is what an idempotent or transactional producer signs its batches with.
type ProducerID struct {
	ID            int64
	Epoch         int16
	Transactional bool
}

// Reset empties the batch. It comes before the first record.
func (b *Builder) Reset() {
	b.buf = slices.Grow(b.buf[:0], batchHeader)[:batchHeader]
	b.packed, b.codec, b.count = batchHeader, 0, 0
}

// Records is how many records the batch holds.
func (b *Builder) Records() int32 { return b.count }

// Size is what the batch takes when sealed, in bytes.
func (b *Builder) Size() int { return len(b.buf) }

// RecordBound is not less than what a record of such parts takes in a batch, in bytes.
func RecordBound(key, value, headers []byte) int {
	return len(key) + len(value) + len(headers) + 2*binary.MaxVarintLen64 + 4*binary.MaxVarintLen32
}

// Add appends a record. A nil key or value is null; headers are encoded as in pipeline.Record.Headers, nil: none.
func (b *Builder) Add(key, value, headers []byte, timestamp int64) {
	if b.count == 0 {
		b.first, b.max = timestamp, timestamp
	}
	b.max = max(b.max, timestamp)
	if len(headers) == 0 {
		headers = []byte{0} // a count of none
	}
	age, delta := timestamp-b.first, int64(b.count)
	size := 1 + varintSize(age) + varintSize(delta) + fieldSize(key) + fieldSize(value) + len(headers)

	buf := binary.AppendVarint(b.buf, int64(size))
	buf = append(buf, 0)
	buf = binary.AppendVarint(buf, age)
	buf = binary.AppendVarint(buf, delta)
	buf = appendField(buf, key)
	buf = appendField(buf, value)
	b.buf = append(buf, headers...)
	b.count++
}

// Seal writes the head for p, with sequence the number of the first record, and returns the batch. It may be called
// again.
func (b *Builder) Seal(p ProducerID, sequence int32) []byte {
	be, h := binary.BigEndian, b.buf
	attrs := b.codec
	if p.Transactional {
		attrs |= attrTransactional
	}
	be.PutUint64(h, 0) // base offset: the broker's to set
	be.PutUint32(h[8:], uint32(len(h)-batchPrefix))
	be.PutUint32(h[12:], 0xffffffff) // leader epoch: the broker's to set
	h[batchMagicAt] = 2
	be.PutUint16(h[batchAttrsAt:], attrs)
	be.PutUint32(h[23:], uint32(b.count-1))
	be.PutUint64(h[27:], uint64(b.first))
	be.PutUint64(h[35:], uint64(b.max))
	be.PutUint64(h[43:], uint64(p.ID))
	be.PutUint16(h[51:], uint16(p.Epoch))
	be.PutUint32(h[53:], uint32(sequence))
	be.PutUint32(h[57:], uint32(b.count))
	be.PutUint32(h[batchCRCAt:], crc32.Checksum(h[batchAttrsAt:], castagnoli()))
	return h
}

// NextSequence is the sequence n records after s; it turns over to 0.
func NextSequence(s, n int32) int32 { return int32((uint32(s) + uint32(n)) & 0x7fffffff) }

func varintSize(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	return (bits.Len64(u|1) + 6) / 7
}

func fieldSize(v []byte) int {
	if v == nil {
		return 1
	}
	return varintSize(int64(len(v))) + len(v)
}

func appendField(b, v []byte) []byte {
	if v == nil {
		return binary.AppendVarint(b, -1)
	}
	b = binary.AppendVarint(b, int64(len(v)))
	return append(b, v...)
}
