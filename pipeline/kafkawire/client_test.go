package kafkawire_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

func TestConfigValidate(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  kafkawire.Config
		want []string
	}{
		"good":  {cfg: kafkawire.Config{Brokers: []string{"a:1", "[::1]:2"}}},
		"empty": {want: []string{"no brokers"}},
		"all at once": {
			cfg:  kafkawire.Config{Brokers: []string{"a", "b"}, RequestTimeout: -1},
			want: []string{`"a"`, `"b"`, "timeout"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.cfg.Validate()
			if (err == nil) != (len(c.want) == 0) {
				t.Fatalf("error %v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

func TestFetchConfigValidate(t *testing.T) {
	c := open(t, []string{"127.0.0.1:1"})
	for name, cfg := range map[string]kafkawire.FetchConfig{
		"no topic":       {},
		"long topic":     {Topic: strings.Repeat("x", 250)},
		"too many bytes": {Topic: "t", MaxBytes: 1 << 30},
		"negative bytes": {Topic: "t", MaxBytes: -1},
		"negative wait":  {Topic: "t", MaxWait: -1},
		"long wait":      {Topic: "t", MaxWait: time.Hour},
		"inflates less":  {Topic: "t", MaxInflated: -1},
	} {
		if _, err := c.NewFetcher(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// deaf accepts connections and never says a word; refusing does not even accept them.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func refusing(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestClientBrokersAway gives an error of its class within the timeout, whatever is asked, and whether nobody listens
// or nobody answers.
func TestClientBrokersAway(t *testing.T) {
	for name, addr := range map[string]string{"refused": refusing(t), "deaf": deaf(t)} {
		c, err := kafkawire.Open(
			kafkawire.Config{Brokers: []string{addr}, Topics: []string{"t"}, RequestTimeout: 100 * time.Millisecond},
		)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		p, err := c.NewProducer(kafkawire.ProducerConfig{TransactionalID: "id"})
		if err != nil {
			t.Fatal(err)
		}
		f := fetcher(t, c, "t")
		for what, ask := range map[string]func(context.Context) error{
			"fetch":      func(ctx context.Context) error { return f.Fetch(ctx, 0, new(pipeline.Fetched)) },
			"init":       p.Init,
			"committed":  func(ctx context.Context) error { _, err := c.Committed(ctx, "g", "t", 0); return err },
			"bounds":     func(ctx context.Context) error { _, _, err := c.Bounds(ctx, "t", 0); return err },
			"topic":      func(ctx context.Context) error { _, err := c.Topic(ctx, "t"); return err },
			"partitions": func(ctx context.Context) error { _, err := c.Partitions(ctx, "t"); return err },
			"heartbeat":  func(ctx context.Context) error { return c.Heartbeat(ctx, kafkawire.Membership{Group: "g"}) },
			"appender": func(ctx context.Context) error {
				_, err := c.NewAppender(ctx, kafkawire.AppenderConfig{Topic: "t"})
				return err
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				began := time.Now()
				err := ask(t.Context())
				if !errors.Is(err, pipeline.ErrUnavailable) || errors.Is(err, pipeline.ErrFenced) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}

// TestClientOldBrokers says what is wrong instead of asking for what the broker does not know.
func TestClientOldBrokers(t *testing.T) {
	c := open(t, brokers(t))
	req := kmsg.NewPtrOffsetDeleteRequest()
	kafkawire.ForgetVersions(t.Context(), c, req.Key())
	_, err := c.Request(t.Context(), kafkawire.ToAny(), req)
	if !errors.Is(err, kafkawire.UnsupportedVersion) {
		t.Errorf("error %v", err)
	}
}

// TestClientContextCause keeps the reason why a request was given up.
func TestClientContextCause(t *testing.T) {
	c := open(t, brokers(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Topic(ctx, "t")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

func TestDecodeSkipsTags(t *testing.T) {
	body := new(kmsg.HeartbeatResponse)
	body.Version, body.ErrorCode = 4, 27
	raw := body.AppendTo(nil)
	for name, c := range map[string]struct {
		tags []byte
		ok   bool
	}{
		"none":           {[]byte{0}, true},
		"two":            {[]byte{2, 0, 1, 'x', 5, 0}, true},
		"nothing at all": {nil, false},
		"cut short":      {[]byte{1, 0, 200}, false},
		"endless number": {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, false},
	} {
		got := new(kmsg.HeartbeatResponse)
		got.Version = 4
		b := c.tags
		if c.ok {
			b = append(c.tags, raw...)
		}
		err := kafkawire.Decode(b, got)
		if c.ok && (err != nil || got.ErrorCode != 27) || !c.ok && !errors.Is(err, kafkabatch.ErrMalformed) {
			t.Errorf("%s: code %d, %v", name, got.ErrorCode, err)
		}
	}
}
