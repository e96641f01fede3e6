package kafkawire

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Compression is how a producer makes batches smaller.
type Compression uint8

// The ways that it knows. Of alerts of 2 KB snappy takes 1 s a GB and leaves a fifth, zstd 3 s and leaves a tenth
// (BenchmarkDeflate).
const (
	Uncompressed Compression = iota
	Snappy                   // a bare block, as most clients that are not Java's send it
	Zstd                     // at its fastest level
)

// leastDeflated is the size in bytes of the records below which a batch is not worth compressing.
const leastDeflated = 1024

// deflater compresses batches, in memory that it reuses.
type deflater struct {
	how   Compression
	spare []byte // takes the place of what was compressed
	zstd  *zstd.Encoder
}

// deflate makes a full batch smaller where that is asked for and succeeds, and in any case where it is larger than limit, in
// bytes. That only a single record can make it: one that was compressed in the input, say, where its topic takes it and the
// one it is copied to would not.
func (z *deflater) deflate(b *batch, limit int) error {
	switch size := b.size(); {
	case size > limit, z.how == Zstd && size >= leastDeflated:
		return z.deflateZstd(b)
	case z.how == Snappy && size >= leastDeflated:
		room := batchHeader + s2.MaxEncodedLen(size-batchHeader)
		z.spare = slices.Grow(z.spare[:0], room)[:room]
		z.swap(b, batchHeader+len(s2.EncodeSnappy(z.spare[batchHeader:], b.buf[batchHeader:])), codecSnappy)
	}
	return nil
}

func (z *deflater) deflateZstd(b *batch) (err error) {
	if z.zstd == nil {
		if z.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
			return fmt.Errorf("start compressor: %w", err)
		}
	}
	z.spare = slices.Grow(z.spare[:0], batchHeader)[:batchHeader]
	z.spare = z.zstd.EncodeAll(b.buf[batchHeader:], z.spare)
	z.swap(b, len(z.spare), codecZstd)
	return nil
}

// swap gives b the size bytes of spare, and spare the room of b, if that makes b smaller.
func (z *deflater) swap(b *batch, size int, codec uint16) {
	if size >= b.size() {
		return
	}
	copy(z.spare, b.buf[:batchHeader])
	b.buf, z.spare, b.codec = z.spare[:size], b.buf, codec
}
