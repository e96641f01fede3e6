package kafkabatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs of record batches.
const (
	codecGzip   = 1
	codecSnappy = 2
	codecLZ4    = 3
	codecZstd   = 4
)

// errTooLong says that records would take an answer beyond its limit.
var errTooLong = errors.New("inflates to more than the limit")

// inflater decompresses batches. It keeps one decompressor of each kind that was needed.
type inflater struct {
	limit int // bytes of one answer
	src   bytes.Reader
	gzip  *gzip.Reader
	lz4   *lz4.Reader
	zstd  *zstd.Decoder
}

// append decompresses src behind dst and returns both, and what was added.
func (z *inflater) append(dst []byte, codec int16, src []byte) (all, added []byte, err error) {
	start := len(dst)
	switch codec {
	case codecGzip:
		all, err = z.appendGzip(dst, src)
	case codecSnappy:
		all, err = z.appendSnappy(dst, src)
	case codecLZ4:
		all, err = z.appendLZ4(dst, src)
	case codecZstd:
		all, err = z.appendZstd(dst, src)
	default:
		return dst, nil, Malformed("codec %d", codec)
	}
	switch {
	case errors.Is(err, errTooLong), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return dst, nil, errTooLong
	case err != nil:
		return dst, nil, Malformed("compressed records: %v", err)
	}
	return all, all[start:len(all):len(all)], nil
}

func (z *inflater) appendGzip(dst, src []byte) ([]byte, error) {
	z.src.Reset(src)
	if z.gzip == nil {
		z.gzip = new(gzip.Reader)
	}
	if err := z.gzip.Reset(&z.src); err != nil {
		return dst, err
	}
	return z.readAll(dst, z.gzip)
}

func (z *inflater) appendLZ4(dst, src []byte) ([]byte, error) {
	z.src.Reset(src)
	if z.lz4 == nil {
		z.lz4 = lz4.NewReader(nil)
	}
	z.lz4.Reset(&z.src)
	return z.readAll(dst, z.lz4)
}

func (z *inflater) appendZstd(dst, src []byte) (all []byte, err error) {
	if z.zstd == nil {
		z.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(z.limit)))
		if err != nil {
			return dst, err
		}
	}
	all, err = z.zstd.DecodeAll(src, dst)
	if err == nil && len(all) > z.limit {
		err = errTooLong
	}
	return all, err
}

// snappyFrame opens the framing in which Java clients send snappy: then two version numbers, then blocks with their
// size. Other clients send one bare block.
const (
	snappyFrame     = "\x82SNAPPY\x00"
	snappyFrameHead = 16
)

func (z *inflater) appendSnappy(dst, src []byte) (all []byte, err error) {
	if !bytes.HasPrefix(src, []byte(snappyFrame)) {
		return z.appendBlock(dst, src)
	}
	if len(src) < snappyFrameHead {
		return dst, io.ErrUnexpectedEOF
	}
	for src = src[snappyFrameHead:]; len(src) > 0; {
		if len(src) < 4 {
			return dst, io.ErrUnexpectedEOF
		}
		n := int64(int32(binary.BigEndian.Uint32(src)))
		if n < 0 || n > int64(len(src)-4) {
			return dst, io.ErrUnexpectedEOF
		}
		if dst, err = z.appendBlock(dst, src[4:4+n]); err != nil {
			return dst, err
		}
		src = src[4+n:]
	}
	return dst, nil
}

func (z *inflater) appendBlock(dst, src []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil {
		return dst, err
	}
	if n > z.limit-len(dst) {
		return dst, errTooLong
	}
	dst = slices.Grow(dst, n)
	block, err := snappy.Decode(dst[len(dst):len(dst)+n], src)
	return dst[:len(dst)+len(block)], err
}

// readAll appends what r gives.
func (z *inflater) readAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(len(dst), 64<<10))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > z.limit:
			return dst, errTooLong
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

func (z *inflater) close() {
	if z.zstd != nil {
		z.zstd.Close()
		z.zstd = nil
	}
}
