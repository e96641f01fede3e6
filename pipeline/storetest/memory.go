// Package storetest holds the contract of [pipeline.Store] in two forms: an in-memory store that fulfils it to the
// letter, for tests of the line, and a suite that every store has to pass.
package storetest

import (
	"maps"
	"slices"
	"sync"

	"ebb/pipeline"
)

// Memory is a store server in memory. Handles on one partition compete like processes with one server. It is safe for
// concurrent use; a handle is used as [pipeline.Store] defines.
type Memory struct {
	mu         sync.Mutex
	partitions map[int]*contents
	inject     func(partition int, op Op) Fault
}

// contents is the server's content of one partition. Its byte slices are never written to again.
type contents struct {
	token    pipeline.Token
	meta     []byte // JSON, so that Claim returns what has been encoded; nil: no commit yet
	profiles map[string][]byte
	due      map[int64][]byte
	outbox   [][]byte
	held     map[string][]byte
	asked    map[string][]byte
	packs    []pipeline.PackBytes
	cuts     int // connections made before the latest cut are broken
}

func newContents() contents {
	return contents{
		profiles: map[string][]byte{}, due: map[int64][]byte{}, held: map[string][]byte{}, asked: map[string][]byte{},
	}
}

// Op is a call that a fault can hit.
type Op uint8

// Calls that reach the server.
const (
	OpClaim Op = iota
	OpLoad
	OpCommit
)

// Fault is what happens to a call. With either fault the caller gets pipeline.ErrUnavailable.
type Fault uint8

// Faults.
const (
	NoFault    Fault = iota
	Lost             // the request does not arrive, and nothing happens
	Unanswered       // the request takes effect, its answer is lost
)

// NewMemory returns an empty server.
func NewMemory() *Memory {
	return &Memory{partitions: map[int]*contents{}}
}

// Partition returns a new handle on partition n, like that of another process.
func (m *Memory) Partition(n int) *Handle {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Handle{server: m, partition: n, state: m.partition(n), down: errUnclaimed}
}

// Inject sets f to decide the fault of every call from now on; nil ends it. f runs under the server's lock and must not
// call the server.
func (m *Memory) Inject(f func(partition int, op Op) Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inject = f
}

// Cut breaks every connection to partition n. Claim makes a new one.
func (m *Memory) Cut(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.partition(n).cuts++
}

// Copy takes a copy of partition n. The returned function puts the copy back and cuts the connections, like a failover
// to a replica that lagged.
func (m *Memory) Copy(n int) (restore func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	saved := m.partition(n).clone()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		p := m.partition(n)
		cuts := p.cuts + 1
		*p = saved.clone()
		p.cuts = cuts
	}
}

// Empty removes everything of partition n and cuts the connections, like a server that lost its data.
func (m *Memory) Empty(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.partition(n)
	cuts := p.cuts
	*p = newContents()
	p.cuts = cuts + 1
}

// Ask leaves what a person asks of partition n.
func (m *Memory) Ask(n int, a *pipeline.Asked) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.partition(n).asked[a.ID] = a.Encode()
}

// Asked calls each with what is asked of partition n.
func (m *Memory) Asked(n int, each func(id string, value []byte)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, value := range m.partition(n).asked {
		each(id, value)
	}
}

// Evict removes one of the keys that partition n has, as a server does that may: its profiles, its outbox, its held
// raises, or all of its due buckets.
func (m *Memory) Evict(n int, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.partition(n)
	switch key {
	case "profiles":
		p.profiles = map[string][]byte{}
	case "due":
		p.due = map[int64][]byte{}
	case "outbox":
		p.outbox = nil
	case "held":
		p.held = map[string][]byte{}
	default:
		panic("BUG: no key " + key)
	}
}

func (m *Memory) partition(n int) *contents {
	p := m.partitions[n]
	if p == nil {
		p = new(newContents())
		m.partitions[n] = p
	}
	return p
}

func (m *Memory) fault(partition int, op Op) Fault {
	if m.inject == nil {
		return NoFault
	}
	return m.inject(partition, op)
}

func (c *contents) clone() contents {
	d := *c
	d.profiles, d.due, d.outbox = maps.Clone(c.profiles), maps.Clone(c.due), slices.Clone(c.outbox)
	d.held, d.asked = maps.Clone(c.held), maps.Clone(c.asked)
	return d
}

// apply makes a commit with a checked fence take effect.
func (c *contents) apply(b *pipeline.Commit, meta []byte) {
	for i, key := range b.Keys {
		if b.Profiles[i] == nil {
			delete(c.profiles, string(key))
			continue
		}
		c.profiles[string(key)] = clone(b.Profiles[i])
	}
	for _, id := range b.Answered {
		delete(c.asked, id)
	}
	for _, h := range b.Held {
		delete(c.held, string(h.Key))
		if h.Value != nil {
			c.held[string(h.Key)] = clone(h.Value)
		}
	}
	for _, d := range b.Due {
		if d.Whole {
			delete(c.due, d.Bucket)
		}
		if len(d.Entries) > 0 {
			c.due[d.Bucket] = slices.Concat(c.due[d.Bucket], d.Entries)
		}
	}
	for _, bucket := range b.Swept {
		delete(c.due, bucket)
	}
	c.outbox = slices.Clone(c.outbox[min(b.Dropped, len(c.outbox)):])
	for _, entry := range b.Outbox {
		c.outbox = append(c.outbox, clone(entry))
	}
	for _, k := range b.Packs {
		if !slices.ContainsFunc(c.packs, func(o pipeline.PackBytes) bool { return o.Hash == k.Hash }) {
			c.packs = append(slices.Clip(c.packs), pipeline.PackBytes{Hash: k.Hash, Canonical: clone(k.Canonical)})
		}
	}
	c.token, c.meta = b.Token, meta
}

func (c *contents) holdings() pipeline.Holdings {
	return pipeline.Holdings{
		Profiles: int64(len(c.profiles)), Outbox: int64(len(c.outbox)), Held: int64(len(c.held)),
	}
}

// clone copies b into a slice that is never nil.
func clone(b []byte) []byte { return append([]byte{}, b...) }
