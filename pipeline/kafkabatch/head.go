package kafkabatch

import (
	"encoding/binary"
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

// readHead reads and checks the head of a whole batch.
func readHead(b []byte) (batchHead, error) {
	be := binary.BigEndian
	if magic := b[batchMagicAt]; magic < 2 {
		return batchHead{}, oldFormat(magic)
	} else if magic > 2 {
		return batchHead{}, Malformed("batch of format %d", magic)
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
		return h, Malformed("batch at %d with %d records up to the %dth", h.base, h.count, delta)
	}
	h.last = h.base + delta
	if sum := crc32.Checksum(b[batchAttrsAt:], castagnoli()); sum != be.Uint32(b[batchCRCAt:]) {
		return h, Malformed("checksum of the batch at %d", h.base)
	}
	return h, nil
}

// castagnoli is the table for CRC-32C, which the library builds once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func oldFormat(magic byte) error {
	return &pipeline.HardStop{
		Code:   "old_message_format",
		Detail: fmt.Sprintf("the input holds messages of format %d, from before Kafka 0.11", magic),
		Do:     "copy them to a new topic with any current client, or start behind them",
	}
}
