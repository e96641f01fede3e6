package secure

import (
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"ebb/pipeline"
)

// How long a server that refuses is left alone: at first, and at most. A server that closes the connection during the
// TLS handshake may be starting or stopping, and is tried again sooner.
const (
	firstPause     = time.Second
	lastPause      = 30 * time.Second
	firstRudePause = 100 * time.Millisecond
	lastRudePause  = 2 * time.Second
)

// gate keeps refusals by address.
type gate struct {
	mu       sync.Mutex
	refusals map[string]*refusal
}

// refusal is one address that refuses the client.
type refusal struct {
	err     error
	rude    bool // the connection was closed without a reason
	pauses  *backoff.ExponentialBackOff
	version uint64 // of the credentials that were refused
	until   time.Time
}

// pass returns the latest refusal at one of the addresses as long as it is fresh. One caller per pause passes, and all
// callers once the credentials have changed.
func (g *gate) pass(version uint64, addresses ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	var over []*refusal
	for _, address := range addresses {
		switch r := g.refusals[address]; {
		case r == nil:
		case r.version != version:
			delete(g.refusals, address)
		case now.Before(r.until):
			return r.err
		default:
			over = append(over, r)
		}
	}
	for _, r := range over {
		r.until = now.Add(r.pauses.NextBackOff()) // for the others, until the outcome of this attempt
	}
	return nil
}

// refused notes a refusal. Its pauses grow on from those before, unless these were for a server that may have been
// starting.
func (g *gate) refused(address string, kind, err error, version uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.refusals[address]
	_, denied := kind.(*pipeline.Denied) //nolint:errorlint // the caller has unwrapped it
	if r == nil || r.rude && denied {
		first, last := firstPause, lastPause
		if !denied {
			first, last = firstRudePause, lastRudePause
		}
		r = &refusal{
			rude: !denied,
			pauses: backoff.NewExponentialBackOff(
				backoff.WithInitialInterval(first),
				backoff.WithMaxInterval(last),
				backoff.WithMaxElapsedTime(0),
			),
		}
		if g.refusals == nil {
			g.refusals = map[string]*refusal{}
		}
		g.refusals[address] = r
		r.until = time.Now().Add(r.pauses.NextBackOff())
	}
	r.err, r.version = err, version
}

// open drops the refusal at the address.
func (g *gate) open(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.refusals, address)
}
