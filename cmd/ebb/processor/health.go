package processor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"ebb/cmd/ebb/probes"
	"ebb/pipeline/worker"
)

func (p *Processor) serveHTTP(ctx context.Context) (err error) {
	if s := p.opts.shadow; s != nil {
		p.metrics = worker.NewShadowMetrics(s.metered, s.name)
		return nil
	}
	p.metered = prometheus.NewRegistry()
	p.metered.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	p.metrics = worker.NewMetrics(p.metered)
	if p.cfg.HTTP.Listen == "" {
		return nil
	}
	p.http, err = probes.Start(ctx, probes.Config{
		Key: "http.listen", Listen: p.cfg.HTTP.Listen, Registry: p.metered, Ready: p.ready,
		Live: p.live,
	})
	if err == nil {
		p.log.Info().Str("listen", p.http.Addr()).Msg("serving health and metrics")
	}
	return err
}

// loopTimeout bounds one turn of a partition's loop: several times the timeouts of the requests in it.
const loopTimeout = time.Minute

// live is the check of /livez: the loops turn, even while they wait for a service.
func (p *Processor) live() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, w := range p.workers {
		if since := w.Hung(time.Now()); since > loopTimeout {
			return fmt.Errorf("the loop of partition %d has not turned for %v", n, since.Round(time.Second))
		}
	}
	return nil
}

// ready is the answer of /readyz: the process is a member of a generation, and all of its partitions run.
func (p *Processor) ready() probes.Readiness {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := probes.Readiness{Ready: p.generation > 0 && !p.draining, Group: p.cfg.Kafka.Group, Generation: p.generation}
	if p.generation == 0 {
		r.Reason = "not a member of the group"
		if p.awaited != "" {
			r.Reason = p.awaited
		}
		if p.member != nil && p.member.Waits() != "" {
			r.Reason = p.member.Waits()
		}
	}
	if p.draining {
		r.Reason = "draining"
	}
	for n, w := range p.workers {
		s := w.Status()
		if s.Phase != worker.Running {
			r.Ready = false
		}
		at := w.Progress()
		r.Partitions = append(
			r.Partitions,
			probes.PartitionState{
				Partition: n, State: s.Phase.String(), Reason: reason(s), Next: at.Next, Lag: lag(s.Phase, &at),
				Stalled: at.Stalled, Held: at.Held, Silences: at.Silences,
			},
		)
	}
	sortPartitions(r.Partitions)
	if p.shadows != nil {
		r.Shadows = p.shadows.states()
	}
	return r
}

// lag is how far a partition is behind the end. Before the first fetch nothing is known of that; nor is it known of one
// that was at the end and does not read any more, for records may have come since. One that was behind still is.
func lag(phase worker.Phase, at *worker.Progress) *int64 {
	n := at.Lag()
	reading := phase == worker.Running || phase == worker.Stalled
	if !at.Told || n == 0 && !reading {
		return nil
	}
	return &n
}

func sortPartitions(s []probes.PartitionState) {
	slices.SortFunc(s, func(a, b probes.PartitionState) int { return cmp.Compare(a.Partition, b.Partition) })
}

// reason is why a partition does not run, with what to do where that is known.
func reason(s worker.Status) string {
	if s.Do == "" {
		return s.Reason
	}
	return s.Reason + "; " + s.Do
}
