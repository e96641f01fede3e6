package kafkawire

import (
	"context"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
)

// refresh makes kafka-go ask for the layout of the cluster now and waits for it. kafka-go offers that only to those who
// have just created topics, so that is what it is told; nothing is sent to create any. Without effect, the layout is
// renewed within the second all the same.
func (c *Client) refresh(ctx context.Context) {
	_, _ = c.transport.RoundTrip(ctx, c.addr, topicsCreated{})
}

// topicsCreated is a request that is answered without asking.
type topicsCreated struct{}

func (topicsCreated) ApiKey() protocol.ApiKey { return protocol.CreateTopics } //nolint:revive // kafka-go's name

func (topicsCreated) Required(map[protocol.ApiKey]int16) bool { return true }

func (topicsCreated) RawExchange(io.ReadWriter) (protocol.Message, error) {
	return new(createtopics.Response), nil
}
