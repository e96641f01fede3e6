package processor

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline/line"
	"ebb/pipeline/worker"
)

// How often the processor looks for event types that the pack does not name, how often the log repeats what is known,
// and how many types it lists at most.
const (
	unnamedEvery  = 30 * time.Second
	unnamedRepeat = 10 * time.Minute
	unnamedTold   = 10
)

// tellUnnamed logs which event types the pack does not name, until stop is called, which logs for the last time.
func (p *Processor) tellUnnamed(ctx context.Context) (stop func()) {
	u := unnamed{log: p.log, said: map[string]bool{}}
	end := beside(ctx, unnamedEvery, func(context.Context) {
		u.tell(time.Now(), p.metrics.UnnamedTypes(unnamedTold), p.metrics.Folded())
	})
	return func() {
		end()
		u.write(time.Now(), p.metrics.UnnamedTypes(unnamedTold), p.metrics.Folded())
	}
}

// beside calls do at every interval on a goroutine of its own, until ctx ends or stop is called, which waits for it.
func beside(ctx context.Context, every time.Duration, do func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// unnamed is what the log says of types that the pack does not name. A type that is new is said at once, for a sender
// that has renamed its events leaves every customer silent; the first few of them, since there may be no end of types.
// Where they are most of all events, the line is a warning: the pack cannot be the one for this input.
type unnamed struct {
	log    zerolog.Logger
	said   map[string]bool // types that lines have named
	total  uint64          // events that the newest line counted
	warned bool            // it was a warning
	at     time.Time       // of that line
}

// tell writes a line if it names a type for the first time, if it is the first to warn, or if the newest one is old.
func (u *unnamed) tell(now time.Time, types []line.TypeCount, all worker.Folded) {
	isNew := len(u.said) < unnamedTold && u.isNew(types)
	if now.Sub(u.at) >= unnamedRepeat || isNew || mostUnnamed(all) && !u.warned {
		u.write(now, types, all)
	}
}

// mostUnnamed reports whether the pack names no type that came, or few of the events.
func mostUnnamed(all worker.Folded) bool {
	const enough = 1000
	return all.Unnamed > 0 && (all.Unnamed == all.Events || all.Events >= enough && 2*all.Unnamed > all.Events)
}

func (u *unnamed) isNew(types []line.TypeCount) bool {
	for _, t := range types {
		if !u.said[t.Type] {
			return true
		}
	}
	return false
}

// write logs one line, unless there is nothing new since the last one.
func (u *unnamed) write(now time.Time, types []line.TypeCount, all worker.Folded) {
	total := uint64(0)
	list := zerolog.Arr()
	for _, t := range types {
		total += t.Events
		list.Dict(zerolog.Dict().Str("type", t.Type).Uint64("events", t.Events))
	}
	if total == u.total {
		return
	}
	u.total, u.at, u.warned = total, now, mostUnnamed(all)
	for _, t := range types {
		u.said[t.Type] = true
	}
	level := zerolog.InfoLevel
	if u.warned {
		level = zerolog.WarnLevel
	}
	u.log.WithLevel(level).
		Str("do", "those that are activity or friction: pack.activity, pack.friction or a pack of your own; leave the others").
		Uint64("unnamed", all.Unnamed).
		Uint64("of_events", all.Events).
		Array("types", list).
		Msg("events of types that the pack does not name")
}
