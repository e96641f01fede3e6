package processor

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"ebb/pipeline/line"
)

// How often the log lists event types that the pack does not name, and how many of them at most.
const (
	unnamedEvery = 10 * time.Minute
	unnamedTold  = 10
)

// tellUnnamed logs now and then which event types the pack does not name, if there were more of them, until stop is
// called, which logs for the last time.
func (p *Processor) tellUnnamed(ctx context.Context) (stop func()) {
	said := uint64(0)
	tell := func(context.Context) { said = logUnnamed(p.log, p.metrics.UnnamedTypes(unnamedTold), said) }
	end := beside(ctx, unnamedEvery, tell)
	return func() {
		end()
		tell(ctx)
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

// logUnnamed writes one line, unless there is nothing new since the last one, which counted so many. It returns the new
// count.
func logUnnamed(log zerolog.Logger, types []line.TypeCount, said uint64) uint64 {
	total := uint64(0)
	list := zerolog.Arr()
	for _, t := range types {
		total += t.Events
		list.Dict(zerolog.Dict().Str("type", t.Type).Uint64("events", t.Events))
	}
	if total == said {
		return said
	}
	log.Info().Array("types", list).Msg("events of types that the pack does not name")
	return total
}
