package secure

import (
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"ebb/pipeline"
)

// How long a server that refuses is left alone: at first, and at most. Who closes the connection in the middle of the TLS
// handshake may be starting or stopping, and is asked sooner.
const (
	firstPause     = time.Second
	lastPause      = 30 * time.Second
	firstRudePause = 100 * time.Millisecond
	lastRudePause  = 2 * time.Second
)

// gate remembers refusals by address.
type gate struct {
	mu       sync.Mutex
	refusals map[string]*refusal
}

// refusal is one address that does not let us in.
type refusal struct {
	err     error
	pauses  *backoff.ExponentialBackOff
	version uint64 // of the credentials that were refused
	until   time.Time
}

// pass returns the latest refusal as long as it is fresh. One caller is let through per pause, and everybody once the
// credentials are others.
func (g *gate) pass(address string, version uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.refusals[address]
	if r == nil {
		return nil
	}
	if r.version != version {
		delete(g.refusals, address)
		return nil
	}
	if now := time.Now(); !now.Before(r.until) {
		r.until = now.Add(r.pauses.NextBackOff()) // for the others, until it is known what became of this attempt
		return nil
	}
	return r.err
}

// refused notes a refusal.
func (g *gate) refused(address string, kind, err error, version uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.refusals[address]
	if r == nil {
		first, last := firstPause, lastPause
		if _, ok := kind.(*pipeline.Denied); !ok { //nolint:errorlint // the caller found it
			first, last = firstRudePause, lastRudePause
		}
		r = &refusal{pauses: backoff.NewExponentialBackOff(backoff.WithInitialInterval(first), backoff.WithMaxInterval(last), backoff.WithMaxElapsedTime(0))}
		if g.refusals == nil {
			g.refusals = map[string]*refusal{}
		}
		g.refusals[address] = r
		r.until = time.Now().Add(r.pauses.NextBackOff())
	}
	r.err, r.version = err, version
}

// open forgets what was refused at the address.
func (g *gate) open(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.refusals, address)
}
