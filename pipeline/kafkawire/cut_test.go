package kafkawire_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkawire"
)

var errCut = errors.New("connection cut by the test")

// cutter dials connections that break once, at a request of one kind: before the broker gets it, or after it has
// answered but before the answer is read.
type cutter struct {
	mu     sync.Mutex
	key    kmsg.Key
	armed  bool
	before bool
	cuts   int
	seen   map[kmsg.Key]int // requests written
	open   []net.Conn
}

// arm sets the trap.
func (c *cutter) arm(key kmsg.Key, before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key, c.before, c.armed = key, before, true
}

// sprung reports whether the trap has cut a connection since it was armed.
func (c *cutter) sprung() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.armed
}

// count is how many requests of a kind have been written.
func (c *cutter) count(key kmsg.Key) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[key]
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, conn)
	return &cutConn{Conn: conn, cutter: c}, nil
}

// written tells what to do about a request.
func (c *cutter) written(b []byte) (cutBefore, cutAfter bool) {
	if len(b) < 6 {
		return false, false
	}
	key := kmsg.Key(binary.BigEndian.Uint16(b[4:]))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[kmsg.Key]int)
	}
	c.seen[key]++
	if !c.armed || key != c.key {
		return false, false
	}
	c.armed = false
	c.cuts++
	return c.before, !c.before
}

type cutConn struct {
	net.Conn
	cutter *cutter
	cut    bool // at the next answer
}

func (c *cutConn) Write(b []byte) (int, error) {
	before, after := c.cutter.written(b)
	if before {
		_ = c.Conn.Close()
		return 0, errCut
	}
	c.cut = after
	return c.Conn.Write(b)
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.cut {
		_ = c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

// openCut makes a client on connections that the cutter can break.
func openCut(t testing.TB, addrs []string, cut *cutter, topics ...string) *kafkawire.Client {
	t.Helper()
	c, err := kafkawire.Open(kafkawire.Config{Brokers: addrs, ClientID: "ebb-test", Topics: topics, Dial: cut.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
