package kafkawire

import (
	"encoding/binary"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// answerReader reads answers to fetches of one partition. It keeps its memory from one to the next.
type answerReader struct {
	topic     string
	partition int32
	batches   *kafkabatch.Reader
	aborted   []kafkabatch.Aborted
}

// read reads the body of an answer to a fetch from offset into out. The records alias body.
func (a *answerReader) read(body []byte, offset int64, out *pipeline.Fetched) error {
	out.Records, out.Inflated = out.Records[:0], out.Inflated[:0]
	out.Next, out.End, out.Stable = offset, -1, -1
	in := input{b: body}
	in.int32() // throttled for so long
	if err := asError(in.int16()); err != nil {
		return err
	}
	in.int32() // session
	for range in.count(6) {
		topic := in.string()
		for range in.count(40) {
			partition := in.int32()
			if string(topic) != a.topic || partition != a.partition {
				return kafkabatch.Malformed("answer for %q/%d", topic, partition)
			}
			if err := a.readPartition(&in, offset, out); err != nil {
				return err
			}
		}
	}
	if in.bad {
		return kafkabatch.Malformed("answer cut short")
	}
	return nil
}

// readPartition reads what follows the partition's number.
func (a *answerReader) readPartition(in *input, offset int64, out *pipeline.Fetched) error {
	code := in.int16()
	end, stable := in.int64(), in.int64()
	in.int64() // log start
	a.aborted = a.aborted[:0]
	for range in.count(16) {
		a.aborted = append(a.aborted, kafkabatch.Aborted{Producer: in.int64(), First: in.int64()})
	}
	in.int32() // preferred replica: asked of brokers with racks only
	records := in.bytes(int(max(in.int32(), 0)))
	if in.bad {
		return kafkabatch.Malformed("answer cut short")
	}
	if code != 0 {
		return Error(code)
	}
	out.End, out.Stable = end, stable
	return a.batches.Read(records, a.aborted, offset, out)
}

// input takes values off the front of b. Once b runs short bad is set and zero values are returned.
type input struct {
	b   []byte
	bad bool
}

func (in *input) bytes(n int) []byte {
	if n < 0 || n > len(in.b) {
		in.bad, in.b = true, nil
		return nil
	}
	v := in.b[:n:n]
	in.b = in.b[n:]
	return v
}

func (in *input) int16() int16 {
	if v := in.bytes(2); v != nil {
		return int16(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (in *input) int32() int32 {
	if v := in.bytes(4); v != nil {
		return int32(binary.BigEndian.Uint32(v))
	}
	return 0
}

func (in *input) int64() int64 {
	if v := in.bytes(8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (in *input) string() []byte { return in.bytes(int(max(in.int16(), 0))) }

// count reads the length of an array whose elements take least bytes or more each; null counts as empty.
func (in *input) count(least int) int {
	n := int(in.int32())
	if n > len(in.b)/least {
		in.bad, in.b = true, nil
		return 0
	}
	return max(n, 0)
}
