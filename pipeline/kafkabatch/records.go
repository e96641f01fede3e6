package kafkabatch

import (
	"encoding/binary"

	"ebb/pipeline"
)

// appendRecords appends the records of a batch, decompressed, that stand at from or later. It is the inner loop of
// reading: no allocation, one pass (BenchmarkWalk). The oracle in its test reads the same bytes with kmsg.
func appendRecords(dst []pipeline.Record, b []byte, h *batchHead, from int64) ([]pipeline.Record, error) {
	appendTime := h.attrs&attrAppendTime != 0
	previous := h.base - 1
	for range h.count {
		size, n := varint(b)
		if n <= 0 || size < 1 || size > int64(len(b)-n) {
			return dst, Malformed("record of %d bytes with %d left", size, len(b))
		}
		record := b[n : n+int(size) : n+int(size)]
		b = b[n+int(size):]

		age, n := varint(record[1:]) // after the attributes, which are unused
		delta, m := varint(record[1+max(n, 0):])
		if n <= 0 || m <= 0 || delta < 0 || delta > h.last-h.base || h.base+delta <= previous {
			return dst, Malformed("record after offset %d", previous)
		}
		offset := h.base + delta
		previous = offset
		if offset < from {
			continue
		}
		key, i, ok := field(record, 1+n+m)
		value, i, ok2 := field(record, i)
		if !ok || !ok2 || i >= len(record) {
			return dst, Malformed("record at offset %d", offset)
		}
		stamp := h.firstTime + age
		if appendTime {
			stamp = h.maxTime
		}
		dst = append(dst, pipeline.Record{
			Offset: offset, Timestamp: stamp, AppendTime: appendTime, Key: key, Value: value, Headers: record[i:],
		})
	}
	if len(b) > 0 {
		return dst, Malformed("%d bytes after the last record", len(b))
	}
	return dst, nil
}

// field reads a length and so many bytes from b at i. Length -1 is null. It returns where the next field stands.
func field(b []byte, i int) (v []byte, next int, ok bool) {
	if i >= len(b) {
		return nil, i, false
	}
	size, n := varint(b[i:])
	i += n
	if n <= 0 || size > int64(len(b)-i) || size < -1 {
		return nil, i, false
	}
	if size == -1 {
		return nil, i, true
	}
	end := i + int(size)
	return b[i:end:end], end, true
}

// varint is binary.Varint with numbers of one and two bytes, most of them, read in line.
func varint(b []byte) (int64, int) {
	if len(b) < 2 {
		return binary.Varint(b)
	}
	switch u := uint64(b[0]); {
	case u < 0x80:
		return unzigzag(u), 1
	case b[1] < 0x80:
		return unzigzag(u&0x7f | uint64(b[1])<<7), 2
	}
	return binary.Varint(b)
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
