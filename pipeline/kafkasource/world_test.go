package kafkasource_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/linetest/cluster"
)

// world is a cluster with one input topic and a group.
type world struct {
	t      *testing.T
	addrs  []string
	client *kafkawire.Client
	topic  string
	group  string
}

func newWorld(t *testing.T, partitions int32) *world {
	t.Helper()
	return newWorldAt(t, cluster.Brokers(t), partitions)
}

func newWorldAt(t *testing.T, addrs []string, partitions int32) *world {
	t.Helper()
	w := &world{t: t, addrs: addrs, topic: "in-" + rand.Text(), group: "group-" + rand.Text()}
	w.client = w.open(nil)
	err := w.client.CreateTopic(t.Context(), kafkawire.NewTopic{Name: w.topic, Partitions: partitions, Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// open makes a client whose connections use cable, if it is not nil.
func (w *world) open(c *cable) *kafkawire.Client {
	w.t.Helper()
	cfg := kafkawire.Config{
		Brokers:        w.addrs,
		ClientID:       "ebb-test",
		Topics:         []string{w.topic},
		RequestTimeout: cluster.Session,
	}
	if c != nil {
		cfg.Dial = c.dial
	}
	client, err := kafkawire.Open(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(client.Close)
	return client
}

// cable carries connections until it is pulled: then written bytes vanish and nothing arrives any more.
type cable struct {
	mu     sync.Mutex
	pulled bool
}

func (c *cable) set(pulled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = pulled
}

func (c *cable) out() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pulled
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.out() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &hung{Conn: conn, cable: c}, nil
}

type hung struct {
	net.Conn
	cable *cable
}

func (h *hung) Write(b []byte) (int, error) {
	if h.cable.out() {
		return len(b), nil
	}
	return h.Conn.Write(b)
}

// running is a member with Run in progress. It notes each generation and gives it up at once when it is revoked.
type running struct {
	*kafkasource.Member
	config kafkasource.MemberConfig
	latest atomic.Pointer[kafkasource.Generation]
	count  atomic.Int32                  // generations
	lost   chan *kafkasource.Generation  // those whose context ended
	finish func(*kafkasource.Generation) // called when a generation is revoked
	kill   context.CancelFunc            // the effect of SIGKILL: no farewell
	ended  chan error                    // the result of Run
	log    *logBuffer
}

// start runs a member on a client of its own.
func (w *world) start(instance string) *running { return w.startWith(instance, nil, nil) }

func (w *world) startWith(instance string, c *cable, finish func(*kafkasource.Generation), formats ...int) *running {
	w.t.Helper()
	log := new(logBuffer)
	cfg := kafkasource.MemberConfig{
		Client: w.open(
			c,
		),
		Group:     w.group,
		Topic:     w.topic,
		Instance:  instance,
		Session:   cluster.Session,
		Heartbeat: cluster.Session / 10,
		Formats:   formats,
		Logger: zerolog.New(zerolog.MultiLevelWriter(log, zerolog.NewTestWriter(w.t))).
			With().
			Str("test_member", instance).
			Logger(),
	}
	m, err := kafkasource.NewMember(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	r := &running{
		Member: m, config: cfg, kill: cancel, ended: make(chan error, 1), finish: finish, log: log,
		lost: make(chan *kafkasource.Generation, 100),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- m.Run(ctx, r.own)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

func (r *running) own(ctx context.Context, g *kafkasource.Generation) error {
	r.latest.Store(g)
	r.count.Add(1)
	select {
	case <-g.Revoked:
		if r.finish != nil {
			r.finish(g)
		}
		return nil
	case <-ctx.Done():
		r.lost <- g
		return ctx.Err()
	}
}

// logBuffer keeps the log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// lines is how many lines hold text.
func (l *logBuffer) lines(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

const patience = 30 * time.Second

// await receives the next value from c.
func await[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

// eventually waits until condition returns true.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", patience, what)
		}
	}
}

// settle waits until the members' newest generations are the same and own all n partitions once.
func settle(t testing.TB, n int, members ...*running) []*kafkasource.Generation {
	t.Helper()
	latest := make([]*kafkasource.Generation, len(members))
	eventually(t, fmt.Sprintf("%d members share %d partitions", len(members), n), func() bool {
		var all []int32
		for i, m := range members {
			latest[i] = m.latest.Load()
			if latest[i] == nil || latest[i].Generation != latest[0].Generation {
				return false
			}
			all = append(all, latest[i].Partitions...)
		}
		slices.Sort(all)
		return len(all) == n && len(slices.Compact(all)) == n
	})
	return latest
}
