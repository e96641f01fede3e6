package kafkawire

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// UseVersion1 keeps p from using transactions of version 2.
func UseVersion1(p *Producer) { p.only1 = true }

// ReadAnswer reads the body of an answer to a fetch of t/0 from offset, as a Fetcher does.
func ReadAnswer(body []byte, offset int64, out *pipeline.Fetched) error {
	return NewAnswerReader(1<<20)(body, offset, out)
}

// NewAnswerReader is ReadAnswer with memory from one call to the next.
func NewAnswerReader(limit int) func(body []byte, offset int64, out *pipeline.Fetched) error {
	a := &answerReader{topic: "t", batches: kafkabatch.NewReader(limit)}
	return a.read
}

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
