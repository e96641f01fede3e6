package kafkawire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"ebb/pipeline/kafkabatch"
)

// maxAnswer bounds the size of an answer, in bytes: a broken length must not take the memory of the process.
const maxAnswer = 256 << 20

var errAbandoned = errors.New("request abandoned before it was sent")

// exchange is one request on one connection, and its answer. kafka-go runs it on a goroutine of the connection, which
// may still be at it when RoundTrip has returned because the context ended. The buffers belong to the caller, so send
// gives them back only when that goroutine is done with them.
type exchange struct {
	ctx     context.Context //nolint:containedctx // the transport hands an exchange nothing but the connection
	to      Route
	key     int16
	request []byte // whole, with its size in front
	answer  []byte // after its size; reused where it has room
	// reads the answer, and returns for how long the broker reads nothing more from the connection, by a quota (KIP-219)
	throttle func(answer []byte) time.Duration

	mu        sync.Mutex
	started   bool
	abandoned bool
	done      chan struct{}
	err       error
}

// ApiKey is the kind of request, as kafka-go asks for it.
func (x *exchange) ApiKey() protocol.ApiKey { return protocol.ApiKey(x.key) } //nolint:revive // kafka-go's name

// Required says that the exchange reads and writes the connection itself.
func (x *exchange) Required(map[protocol.ApiKey]int16) bool { return true }

// Broker picks the broker from the layout that kafka-go keeps.
func (x *exchange) Broker(c protocol.Cluster) (protocol.Broker, error) { return x.to.broker(c) }

// RawExchange writes the request and reads the answer. When the context ends, the connection is given up at once.
func (x *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	conn, ok := rw.(interface{ SetDeadline(t time.Time) error })
	if !ok {
		panic("BUG: kafka-go's connection has no deadline")
	}
	if !x.start() {
		return nil, errAbandoned
	}
	defer close(x.done)
	stop := context.AfterFunc(x.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	x.err = x.roundTrip(rw)
	stopped := stop()
	if x.err == nil && (!x.hold() || !stopped) {
		return nil, errAbandoned // answered, but the connection's deadline has passed: let it be closed
	}
	return x, x.err
}

// hold keeps the connection, and with it the caller, for as long as the broker does not read from it: another request,
// such as a heartbeat, would not be answered on it in time. False: the context has ended before.
func (x *exchange) hold() bool {
	d := x.throttle(x.answer)
	return d <= 0 || sleep(x.ctx, d)
}

func (x *exchange) roundTrip(rw io.ReadWriter) error {
	if _, err := rw.Write(x.request); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxAnswer {
		return kafkabatch.Malformed("answer of %d bytes", n)
	}
	x.answer = resize(x.answer, int(n))
	if _, err := io.ReadFull(rw, x.answer); err != nil {
		return err
	}
	if want, got := x.request[8:12], x.answer[:4]; string(want) != string(got) {
		return kafkabatch.Malformed("answer to request %x instead of %x", got, want)
	}
	return nil
}

func (x *exchange) start() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.started = !x.abandoned
	return x.started
}

// finish waits until the exchange touches its buffers no more and returns how it ended; err is what RoundTrip returned.
func (x *exchange) finish(err error) error {
	x.mu.Lock()
	x.abandoned = true
	started := x.started
	x.mu.Unlock()
	if !started {
		if err == nil {
			panic("BUG: kafka-go answered a request that it did not send")
		}
		return err
	}
	<-x.done
	if x.err != nil && x.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(x.ctx), x.err)
	}
	return x.err
}

// resize gives b the length n; what it held is lost.
func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/4)
	}
	return b[:n]
}
