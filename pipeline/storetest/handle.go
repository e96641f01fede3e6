package storetest

import (
	"context"
	"fmt"
	"slices"

	"ebb/pipeline"
)

// Handle is one owner's access to a partition of a [Memory].
type Handle struct {
	server    *Memory
	partition int
	state     *contents

	armed pipeline.Token // the token that Commit must follow
	cuts  int            // contents.cuts when this handle connected
	down  error          // why Commit must fail; nil while armed
	reply []byte         // memory of Load's last answers
}

var _ pipeline.Store = (*Handle)(nil)

var (
	errUnclaimed = fmt.Errorf("%w: not claimed", pipeline.ErrFenced)
	errInjected  = fmt.Errorf("%w: injected fault", pipeline.ErrUnavailable)
	errCut       = fmt.Errorf("%w: connection cut", pipeline.ErrUnavailable)
	errReplaced  = fmt.Errorf("%w: the store holds another token", pipeline.ErrFenced)
)

// Claim implements [pipeline.Store].
func (h *Handle) Claim(_ context.Context, token pipeline.Token) (pipeline.State, error) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	h.down = errUnclaimed
	fault := h.server.fault(h.partition, OpClaim)
	if fault == Lost {
		return pipeline.State{}, errInjected
	}
	h.state.token = token
	if fault == Unanswered {
		return pipeline.State{}, errInjected
	}
	var s pipeline.State
	if s.Exists = h.state.meta != nil; s.Exists {
		var err error
		if s.Meta, err = pipeline.ReadMeta(h.state.meta); err != nil {
			return pipeline.State{}, fmt.Errorf("read meta: %w", err)
		}
	}
	s.Holds = h.state.holdings()
	for _, b := range s.Meta.Buckets.All() {
		if h.state.due[b] == nil {
			s.Missing = append(s.Missing, b)
		}
	}
	for _, entry := range h.state.outbox {
		s.Outbox = append(s.Outbox, clone(entry))
	}
	for key, value := range h.state.held {
		s.Held = append(s.Held, pipeline.HeldEntry{Key: []byte(key), Value: clone(value)})
	}
	for _, k := range h.state.packs {
		if slices.ContainsFunc(s.Meta.Packs, func(r pipeline.PackRef) bool { return r.Hash == k.Hash }) {
			s.Packs = append(s.Packs, pipeline.PackBytes{Hash: k.Hash, Canonical: clone(k.Canonical)})
		}
	}
	h.armed, h.cuts, h.down = token, h.state.cuts, nil
	return s, nil
}

// Load implements [pipeline.Store]. It refuses an owner that was replaced, and overwrites the answers of the Load
// before, so that a caller that keeps one fails.
func (h *Handle) Load(_ context.Context, l *pipeline.Load) error {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	for i := range h.reply {
		h.reply[i] = 0xEB
	}
	if h.server.fault(h.partition, OpLoad) != NoFault {
		return errInjected
	}
	if h.armed != (pipeline.Token{}) && h.armed != h.state.token {
		return errReplaced
	}
	h.reply = make([]byte, 0, h.size(l))
	l.Profiles, l.Due = l.Profiles[:0], l.Due[:0]
	for _, key := range l.Keys {
		l.Profiles = append(l.Profiles, h.answer(h.state.profiles[string(key)]))
	}
	for _, bucket := range l.Buckets {
		l.Due = append(l.Due, h.answer(h.state.due[bucket]))
	}
	return nil
}

func (h *Handle) size(l *pipeline.Load) (n int) {
	for _, key := range l.Keys {
		n += len(h.state.profiles[string(key)])
	}
	for _, bucket := range l.Buckets {
		n += len(h.state.due[bucket])
	}
	return n
}

func (h *Handle) answer(b []byte) []byte {
	if b == nil {
		return nil
	}
	start := len(h.reply)
	h.reply = append(h.reply, b...)
	return h.reply[start:len(h.reply):len(h.reply)]
}

// Commit implements [pipeline.Store].
func (h *Handle) Commit(_ context.Context, c *pipeline.Commit) error {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	if h.down != nil {
		return h.down
	}
	h.down = h.commit(c)
	return h.down
}

func (h *Handle) commit(c *pipeline.Commit) error {
	meta := pipeline.AppendMeta(nil, &c.Meta)
	if c.Previous != h.armed {
		return errReplaced
	}
	if h.cuts != h.state.cuts {
		return errCut
	}
	fault := h.server.fault(h.partition, OpCommit)
	if fault == Lost {
		return errInjected
	}
	if h.state.token != c.Previous {
		return errReplaced
	}
	h.state.apply(c, meta)
	h.armed, c.Holds = c.Token, h.state.holdings()
	if fault == Unanswered {
		return errInjected
	}
	return nil
}

// Close implements [pipeline.Store].
func (h *Handle) Close() error {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	h.down = errUnclaimed
	return nil
}
