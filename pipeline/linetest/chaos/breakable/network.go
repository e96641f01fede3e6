package breakable

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"

	"ebb/pipeline/linetest/ports"
)

// Network makes links: proxies between the members and the services.
type Network struct {
	server *toxiproxy.ApiServer
	links  []*Link
}

// wireToxic is the registered name of the test's own toxic.
const wireToxic = "chaos_wire"

func NewNetwork() *Network {
	toxics.Register(wireToxic, new(wire))
	return &Network{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
}

// Link is a proxy before one service, for one member. Its weather can change under open connections.
type Link struct {
	name           string
	Address        string // where members reach the service
	proxy          *toxiproxy.Proxy
	requests, back *wire
	Busy           sync.Mutex // locked by the fault that holds it

	mu sync.Mutex // held while the proxy is opened or closed
}

// Link opens a proxy on a free port of its own.
func (n *Network) Link(ctx context.Context, name, upstream string) (*Link, error) {
	address, err := ports.Address(ctx)
	if err != nil {
		return nil, err
	}
	l := &Link{name: name, proxy: toxiproxy.NewProxy(n.server, name, address, upstream)}
	if l.requests, err = l.wire("upstream"); err != nil {
		return nil, err
	}
	if l.back, err = l.wire("downstream"); err != nil {
		return nil, err
	}
	if err := l.proxy.Start(); err != nil {
		return nil, fmt.Errorf("open proxy %s: %w", name, err)
	}
	l.Address = l.proxy.Listen
	n.links = append(n.links, l)
	return l, nil
}

// wire puts the toxic into one direction. Each proxy keeps the same one for good: toxics that are added and removed
// under traffic may wait for each other without end.
func (l *Link) wire(direction string) (*wire, error) {
	added, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(
		fmt.Sprintf(`{"type":%q,"stream":%q,"toxicity":1,"attributes":{}}`, wireToxic, direction)))
	if err != nil {
		return nil, fmt.Errorf("prepare proxy %s: %w", l.name, err)
	}
	w := added.Toxic.(*wire) //nolint:forcetypeassert // registered under this name
	w.set(weather{})
	w.cut()
	return w, nil
}

// set changes the weather of both directions.
func (l *Link) set(requests, answers weather) {
	l.requests.set(requests)
	l.back.set(answers)
}

// cut closes every open connection; new ones are accepted at once.
func (l *Link) cut() {
	l.requests.cut()
	l.back.cut()
}

// refuse closes every connection and accepts no more until accept.
func (l *Link) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
}

func (l *Link) accept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proxy.Start()
}

// lead closes every connection, and leads new ones elsewhere.
func (l *Link) lead(upstream string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proxy.Update(&toxiproxy.Proxy{Listen: l.Address, Upstream: upstream, Enabled: l.proxy.Enabled})
}

func (n *Network) Close() {
	for _, l := range n.links {
		l.set(weather{}, weather{})
		l.refuse()
	}
}

// weather is what one direction of a link does to the bytes. Its zero value lets everything through.
type weather struct {
	delay time.Duration // each piece waits for half of it to all of it
	// nothing passes until the weather changes; then everything does, even if its sender has long given up
	stall  bool
	hole   bool    // everything is swallowed
	losing float64 // chance of each piece to be dropped, and its connection to be closed with it

	over chan struct{} // closed when the weather changes
}

// wire is the toxic in one direction of a link, shared by all of its connections.
type wire struct {
	now   atomic.Pointer[weather]
	mu    sync.Mutex
	alive chan struct{} // closed by cut
}

func (w *wire) set(n weather) {
	n.over = make(chan struct{})
	if old := w.now.Swap(&n); old != nil {
		close(old.over)
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alive != nil {
		close(w.alive)
	}
	w.alive = make(chan struct{})
}

func (w *wire) cutting() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.alive
}

// Pipe carries one direction of a connection until it is closed or cut.
func (w *wire) Pipe(stub *toxics.ToxicStub) {
	cut := w.cutting()
	for {
		select {
		case <-cut:
			hangUp(stub)
			return
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			pass, closed := w.weigh(cut)
			if closed || pass && stub.WriteOutput(c, writePatience) != nil {
				hangUp(stub)
				return
			}
		}
	}
}

// writePatience is longer than the longest standstill of a member.
const writePatience = 2 * time.Minute

// weigh returns whether a piece passes, after the wait that the weather imposes, and whether its connection is closed.
func (w *wire) weigh(cut <-chan struct{}) (pass, closed bool) {
	now := w.now.Load()
	for now.stall {
		select {
		case <-now.over:
			now = w.now.Load()
		case <-cut:
			return false, true
		}
	}
	switch {
	case now.hole:
		return false, false
	case now.losing > 0 && rand.Float64() < now.losing:
		return false, true
	case now.delay > 0:
		select {
		case <-time.After(now.delay/2 + rand.N(now.delay/2)):
		case <-cut:
			return false, true
		}
	}
	return true, false
}

// hangUp closes the connection, and drains what still comes so that its reader can end.
func hangUp(stub *toxics.ToxicStub) {
	stub.Close()
	for range stub.Input { //nolint:revive // the other end closes it
	}
}
