package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// Generation is what this member owns between two rebalances.
type Generation struct {
	kafkawire.Membership         // sent with every committed offset
	Partitions           []int32 // of the input, ascending; may be empty
	Format               int     // version in which the state is to be written, one of MemberConfig.Formats

	// Revoked is closed when a rebalance has begun, or the member is to drain: finish, commit, publish and return. Until
	// then the generation is valid, and the member sends heartbeats.
	Revoked <-chan struct{}

	member  *Member
	revoked chan struct{}
	done    bool // Revoked is closed
}

func newGeneration(m *Member, who kafkawire.Membership, format int, partitions []int32) *Generation {
	revoked := make(chan struct{})
	return &Generation{
		Membership: who,
		Format:     format,
		Partitions: partitions,
		Revoked:    revoked,
		member:     m,
		revoked:    revoked,
	}
}

// Confirm checks with the coordinator that the generation is still this member's. It is while a rebalance is being
// prepared. Errors: pipeline.ErrFenced (it is not), pipeline.ErrUnavailable.
func (g *Generation) Confirm(ctx context.Context) error {
	err := g.member.cfg.Client.Heartbeat(ctx, g.Membership)
	if errors.Is(err, kafkawire.RebalanceInProgress) {
		return nil
	}
	return err
}

// serve runs own for one generation with heartbeats beside it, and returns whether to join again.
func (m *Member) serve(ctx context.Context, g *Generation, own Own) (again bool, err error) {
	log := m.cfg.Logger.With().Str("group", g.Group).Int32("generation", g.Generation).Str("member", g.Member).Logger()
	log.Info().Str("instance", g.Instance).Ints32("partitions", g.Partitions).Int("format", g.Format).Msg("joined group")
	alive, lose := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	finished, finish := context.WithCancel(alive)
	go func() {
		defer close(beating)
		if err := m.beat(finished, g); err != nil {
			lose(err)
		}
	}()
	err = own(alive, g)
	finish()
	<-beating
	lost := context.Cause(alive)
	lose(nil)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case lost != nil:
		log.Warn().Err(lost).Msg("generation lost, stopped without committing")
		m.refused(lost)
		return true, nil
	case err != nil:
		return false, err
	}
	if g.done {
		log.Info().Msg("generation given up")
	}
	return g.done, nil
}

// beat sends heartbeats until ctx ends. It returns why the generation is lost; nil: it is not.
func (m *Member) beat(ctx context.Context, g *Generation) error {
	tick := time.NewTicker(m.cfg.Heartbeat)
	defer tick.Stop()
	drain := m.drain
	for heard := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-drain:
			g.revoke()
			drain = nil
			continue
		case <-tick.C:
		}
		now := time.Now()
		left := m.cfg.Session - now.Sub(heard)
		if left <= 0 {
			return fmt.Errorf("%w: no heartbeat acknowledged for %v", pipeline.ErrFenced, m.cfg.Session)
		}
		err := m.beatOnce(ctx, g, min(left, m.cfg.Session/3))
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			heard = now
			m.say(nil)
		case errors.Is(err, kafkawire.RebalanceInProgress):
			heard = now
			g.revoke()
		case errors.Is(err, pipeline.ErrFenced):
			return err
		default:
			m.say(err)
		}
	}
}

func (m *Member) beatOnce(ctx context.Context, g *Generation, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return m.cfg.Client.Heartbeat(ctx, g.Membership)
}

// revoke closes Revoked; only the goroutine of the heartbeats calls it.
func (g *Generation) revoke() {
	if !g.done {
		g.done = true
		close(g.revoked)
	}
}
