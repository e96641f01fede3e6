package main

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// digest is what two sets of quarantined records are compared by. It does not depend on their order.
type digest struct {
	Records int64            `json:"records"`
	Bytes   int64            `json:"bytes"` // of keys, values and headers
	Codes   map[string]int64 `json:"codes"`
	Sum     uint64           `json:"sum"` // of a hash of each: code, partition, timestamp, key, value, headers
}

func newDigest() *digest { return &digest{Codes: map[string]int64{}} }

// add takes in a record from a partition of the input, with the headers that it had there.
func (d *digest) add(code string, partition int32, r *kgo.Record, headers []kgo.RecordHeader) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(partition))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Timestamp.UnixMilli()))
	part := func(v []byte) {
		size := int64(len(v))
		d.Bytes += size
		if v == nil {
			size = -1
		}
		b = append(binary.AppendVarint(b, size), v...)
	}
	part(r.Key)
	part(r.Value)
	for _, h := range headers {
		part([]byte(h.Key))
		part(h.Value)
	}
	d.Records++
	d.Codes[code]++
	d.Sum += xxhash.Sum64(append(b, code...))
}

// addQuarantined takes in a record of the DLQ.
func (d *digest) addQuarantined(r *kgo.Record) error {
	ours := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "__streams.errors.exception" })
	if ours < 0 {
		return fmt.Errorf("offset %d of the DLQ is no quarantined record", r.Offset)
	}
	said := map[string]string{}
	for _, h := range r.Headers[ours:] {
		said[h.Key] = string(h.Value)
	}
	partition, err := strconv.ParseInt(said["__streams.errors.partition"], 10, 32)
	if err != nil {
		return fmt.Errorf("offset %d of the DLQ: %w", r.Offset, err)
	}
	d.add(said["ebb.error.code"], int32(partition), r, r.Headers[:ours])
	return nil
}

// differs describes how d differs from want; empty where nothing is lost, doubled or changed.
func (d *digest) differs(want *digest) string {
	for code, n := range want.Codes {
		if d.Codes[code] != n {
			return fmt.Sprintf("%d records with %s, not %d", d.Codes[code], code, n)
		}
	}
	if d.Records != want.Records || d.Bytes != want.Bytes || d.Sum != want.Sum {
		return fmt.Sprintf(
			"%d records of %d bytes (sum %016x), not %d of %d (sum %016x)",
			d.Records,
			d.Bytes,
			d.Sum,
			want.Records,
			want.Bytes,
			want.Sum,
		)
	}
	return ""
}
