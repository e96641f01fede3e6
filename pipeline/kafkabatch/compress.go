package kafkabatch

import (
	"encoding/binary"
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
	Snappy                   // in the framing of Java clients
	Zstd                     // at its fastest level
)

// leastCompressed is the size in bytes of the records below which a batch is not worth compressing.
const leastCompressed = 1024

// snappyBlock is how many bytes a block of snappy holds before it is compressed, as far as its matches reach back.
const snappyBlock = 64 << 10

// Compressor compresses batches, in memory that it reuses.
type Compressor struct {
	How   Compression
	spare []byte // takes the place of what was compressed
	zstd  *zstd.Encoder
}

// Pack compresses the full blocks of a batch that is being filled: what was just written lies in the processor's cache
// still, and it turns out how much more fits into a request. What does not compress grows by some ten bytes a block.
// Only snappy can.
func (z *Compressor) Pack(b *Builder) {
	if pending := b.Size() - b.packed; z.How == Snappy && pending >= snappyBlock {
		z.packSnappy(b, pending-pending%snappyBlock)
	}
}

// Compress makes a full batch smaller where that is asked for and succeeds, and in any case where nothing of it is
// compressed yet and it is larger than limit, in bytes. That only a single record can make it: one that was compressed
// in the input, say, where its topic takes it and the one it is copied to would not. It reports whether that was the
// reason.
func (z *Compressor) Compress(b *Builder, limit int) (forced bool, err error) {
	size := b.Size()
	forced = b.packed == batchHeader && size > limit
	switch {
	case forced, z.How == Zstd && size >= leastCompressed:
		err = z.compressZstd(b)
	case b.packed > batchHeader, z.How == Snappy && size >= leastCompressed:
		z.packSnappy(b, size-b.packed)
	}
	return forced, err
}

// packSnappy compresses the next n bytes of a batch, in the framing of Java clients. Of a single block, as other
// clients send it, the brokers would allocate all that it inflates to at once.
func (z *Compressor) packSnappy(b *Builder, n int) {
	z.spare = z.spare[:0]
	if b.packed == batchHeader {
		// its version, and the oldest that can read it
		z.spare = append(append(z.spare, snappyFrame...), 0, 0, 0, 1, 0, 0, 0, 1)
	}
	for block := range slices.Chunk(b.buf[b.packed:b.packed+n], snappyBlock) {
		at := len(z.spare)
		z.spare = slices.Grow(z.spare, 4+s2.MaxEncodedLen(len(block)))
		size := len(s2.EncodeSnappy(z.spare[at+4:cap(z.spare)], block))
		z.spare = binary.BigEndian.AppendUint32(z.spare, uint32(size))[:at+4+size]
	}
	if b.packed == batchHeader && len(z.spare) >= n && n < snappyBlock {
		return // a small batch that is no smaller
	}
	b.buf = slices.Replace(b.buf, b.packed, b.packed+n, z.spare...)
	b.packed += len(z.spare)
	b.codec = codecSnappy
}

func (z *Compressor) compressZstd(b *Builder) (err error) {
	if z.zstd == nil {
		z.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return fmt.Errorf("start compressor: %w", err)
		}
	}
	z.spare = slices.Grow(z.spare[:0], batchHeader)[:batchHeader]
	if z.spare = z.zstd.EncodeAll(b.buf[batchHeader:], z.spare); len(z.spare) < b.Size() {
		copy(z.spare, b.buf[:batchHeader])
		b.buf, z.spare, b.codec = z.spare, b.buf, codecZstd
	}
	return nil
}
