package kafkawire

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
)

// UseVersion1 keeps p from using transactions of version 2.
func UseVersion1(p *Producer) { p.only1 = true }

// ReadAnswer reads the body of an answer to a fetch of t/0 from offset, as a Fetcher does.
func ReadAnswer(body []byte, offset int64, out *pipeline.Fetched) error {
	return NewAnswerReader(1<<20)(body, offset, out)
}

// NewAnswerReader is ReadAnswer with memory from one call to the next.
func NewAnswerReader(limit int) func(body []byte, offset int64, out *pipeline.Fetched) error {
	a := &answerReader{topic: "t", batches: newReader(limit)}
	return a.read
}

// Batch is the builder of record batches.
type Batch struct{ batch }

// Reset empties the batch.
func (b *Batch) Reset() { b.reset() }

// Add appends a record.
func (b *Batch) Add(key, value, headers []byte, timestamp int64) {
	b.add(key, value, headers, timestamp)
}

// Seal returns the batch.
func (b *Batch) Seal(id int64, epoch int16, transactional bool, sequence int32) []byte {
	return b.seal(producerID{id, epoch, transactional}, sequence)
}

// RecordBound is recordBound.
func RecordBound(key, value, headers []byte) int { return recordBound(key, value, headers) }

// NextSequence is nextSequence.
func NextSequence(s, n int32) int32 { return nextSequence(s, n) }

// FetchRequest is the request of a Fetcher with its offset set.
func FetchRequest(clientID string, cfg FetchConfig) []byte {
	b, _, _ := appendFetch(clientID, &cfg)
	return b
}

// ForgetVersions makes c believe that the brokers do not know requests of one kind.
func ForgetVersions(ctx context.Context, c *Client, key int16) {
	if known, err := c.known(ctx); err == nil {
		delete(known.versions, key)
	}
}

// Decode is decode.
func Decode(b []byte, answer kmsg.Response) error { return decode(b, answer) }

// Lost is lost.
func Lost(a, b error) error { return lost(a, b) }

// AskSafe is what askSafe does with the attempts.
func AskSafe(ctx context.Context, c *Client, within time.Duration, attempt func(context.Context) error) error {
	_, err := repeat(
		ctx,
		c,
		within,
		func(ctx context.Context) (struct{}, error) { return struct{}{}, attempt(ctx) },
		refusedOrLost,
	)
	return err
}

// Deflated is a batch that is compressed again and again.
type Deflated struct {
	Size, Deflated int // bytes

	records  []byte
	batch    batch
	deflater deflater
}

// NewDeflated makes a batch of values.
func NewDeflated(how Compression, values [][]byte) *Deflated {
	d := &Deflated{deflater: deflater{how: how}}
	d.batch.reset()
	for _, v := range values {
		d.batch.add(nil, v, nil, 0)
	}
	d.Size = d.batch.size()
	d.records = append(d.records, d.batch.buf...)
	return d
}

// Deflate compresses the batch as it was.
func (d *Deflated) Deflate() error {
	d.batch.reset()
	d.batch.buf = append(d.batch.buf[:0], d.records...)
	_, err := d.deflater.deflate(&d.batch, len(d.records))
	d.Deflated = d.batch.size()
	return err
}
