package kafkawire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/secure"
)

// Config says how to reach a cluster.
type Config struct {
	Brokers  []string // host:port of some brokers, at least one; the others are found
	ClientID string   // shown in the brokers' logs and quotas
	Topics   []string // every topic that is read or written through the client
	SASL     string   // how to log in with Credentials: Plain, ScramSHA256 or ScramSHA512; "": not at all

	// Credentials are the certificates and the password of new connections. Nil: plain text, no login.
	Credentials *secure.Credentials

	// RequestTimeout bounds one request, and also the time for which one call repeats a request that is refused for
	// reasons that pass. Default 10 s.
	RequestTimeout time.Duration

	// Dial replaces the dialler, for tests that cut connections. Nil: a plain one.
	Dial secure.Dial
}

// Validate reports what is missing.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("no brokers"))
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			errs = append(errs, fmt.Errorf("broker %q is not host:port", b))
		}
	}
	if c.RequestTimeout < 0 {
		errs = append(errs, errors.New("request timeout below zero"))
	}
	return errors.Join(errs...)
}

// Client sends requests to a cluster. It may be used by any number of goroutines. One per process is meant: each keeps
// a goroutine that follows the layout of the cluster.
type Client struct {
	transport *kafka.Transport
	addr      net.Addr
	format    *kmsg.RequestFormatter
	clientID  string
	timeout   time.Duration
	cancel    context.CancelFunc
	serial    atomic.Int32 // correlation ids

	onThrottle func(request string, d time.Duration) // nil: nobody asks
	// *[]byte: encoded requests to overwrite; those that carry records are large
	requests sync.Pool

	mu           sync.Mutex
	coordinators map[Route]int32
	apis         *apis
}

// Open makes a client. It does not dial: brokers that are away show at the first request.
func Open(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("open kafka client: %w", err)
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = 10 * time.Second
	}
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID(cfg.ClientID))
	if cfg.Credentials == nil {
		cfg.Credentials, _ = secure.Open(secure.Source{Server: "Kafka", Keys: Keys()})
	}
	login, err := newLogin(cfg.SASL, cfg.Credentials, format)
	if err != nil {
		return nil, fmt.Errorf("open kafka client: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // the life of the client, ended by Close
	return &Client{
		transport: &kafka.Transport{
			Dial:           secure.NewDialer(cfg.Credentials, cfg.Dial, login).Dial,
			DialTimeout:    min(cfg.RequestTimeout, 5*time.Second),
			ClientID:       cfg.ClientID,
			MetadataTopics: cfg.Topics,
			MetadataTTL:    time.Second, // a new leader is seen within this time; kafka-go cannot be told to look
			Context:        ctx,
		},
		addr:         kafka.TCP(cfg.Brokers...),
		format:       format,
		clientID:     cfg.ClientID,
		timeout:      cfg.RequestTimeout,
		cancel:       cancel,
		coordinators: make(map[Route]int32),
	}, nil
}

// Keys are how the configuration calls what Kafka's connections are secured with.
func Keys() secure.Keys {
	return secure.Keys{TLS: "kafka.tls.", Login: "kafka.sasl.", Addresses: "kafka.brokers"}
}

// OnThrottle has f called where brokers hold a request up by a quota, with its kind and the time, by any goroutine.
// Call it before the first request.
func (c *Client) OnThrottle(f func(request string, d time.Duration)) { c.onThrottle = f }

// Close gives the connections back. Requests under way still end.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.cancel()
}

// Brokers names the addresses given at Open, for messages to people.
func (c *Client) Brokers() string { return strings.ReplaceAll(c.addr.String(), ",", ", ") }

// Request sends req and returns the answer, whatever codes it holds. The version is the highest that ebb and the
// brokers both know, unless req has one above 0. Errors: pipeline.ErrUnavailable, where it is unknown whether the
// request took effect; UnsupportedVersion.
func (c *Client) Request(ctx context.Context, to Route, req kmsg.Request) (kmsg.Response, error) {
	return c.request(ctx, to, req, c.timeout)
}

func (c *Client) request(
	ctx context.Context,
	to Route,
	req kmsg.Request,
	timeout time.Duration,
) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.setVersion(ctx, req); err != nil {
		return nil, err
	}
	broker, err := c.resolve(ctx, to)
	if err != nil {
		return nil, err
	}
	encoded, ok := c.requests.Get().(*[]byte)
	if !ok {
		encoded = new([]byte)
	}
	defer c.requests.Put(encoded)
	*encoded = c.format.AppendRequest((*encoded)[:0], req, c.serial.Add(1))
	answer := req.ResponseKind()
	answer.SetVersion(req.GetVersion())
	var malformed error
	x := &exchange{ctx: ctx, to: broker, key: req.Key(), request: *encoded, throttle: func(b []byte) time.Duration {
		if malformed = decode(b[4:], answer); malformed != nil {
			return 0
		}
		return c.throttled(req.Key(), throttleOf(answer))
	}}
	if err := c.send(x); err != nil {
		c.forget(to)
		return nil, fmt.Errorf("%s to %s: %w", kmsg.NameForKey(req.Key()), to, err)
	}
	if malformed != nil {
		return nil, fmt.Errorf("%s: %w", kmsg.NameForKey(req.Key()), malformed)
	}
	return answer, nil
}

// throttleOf is for how long the broker mutes the connection once it has answered.
func throttleOf(answer kmsg.Response) time.Duration {
	if t, ok := answer.(kmsg.ThrottleResponse); ok {
		if millis, after := t.Throttle(); after {
			return time.Duration(millis) * time.Millisecond
		}
	}
	return 0
}

// throttled reports a delay by a quota, and returns it.
func (c *Client) throttled(key int16, d time.Duration) time.Duration {
	if d > 0 && c.onThrottle != nil {
		c.onThrottle(kmsg.NameForKey(key), d)
	}
	return d
}

// send runs the exchange to its end.
func (c *Client) send(x *exchange) error {
	x.done = make(chan struct{})
	_, err := c.transport.RoundTrip(x.ctx, c.addr, x)
	if err := x.finish(err); err != nil {
		return unavailable(err)
	}
	return nil
}

// decode reads an answer's header, after the correlation id, and body.
func decode(b []byte, answer kmsg.Response) error {
	if answer.IsFlexible() && answer.Key() != int16(kmsg.ApiVersions) {
		rest, ok := skipTags(b)
		if !ok {
			return kafkabatch.Malformed("answer's header")
		}
		b = rest
	}
	if err := answer.ReadFrom(b); err != nil {
		return kafkabatch.Malformed("answer's body: %v", err)
	}
	return nil
}

// skipTags drops the tagged fields at the front of b.
func skipTags(b []byte) ([]byte, bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 {
		return nil, false
	}
	b = b[w:]
	for range n {
		_, w := binary.Uvarint(b) // tag
		if w <= 0 {
			return nil, false
		}
		size, v := binary.Uvarint(b[w:])
		if v <= 0 || size > uint64(len(b)-w-v) {
			return nil, false
		}
		b = b[w+v+int(size):]
	}
	return b, true
}
