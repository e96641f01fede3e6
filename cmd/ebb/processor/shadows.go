package processor

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/probes"
	"ebb/pipeline"
	"ebb/pipeline/worker"
)

// shadowRole is what a processor needs as a shadow.
type shadowRole struct {
	name    string
	metered prometheus.Registerer // the main processor's registry
	ends    []int64               // by partition: where the main processor stops with --until-end
}

// Shadows are the processors beside the main one whose alerts nobody acts on. The main one goes on whatever becomes of
// them.
type Shadows struct {
	log     zerolog.Logger
	up      *prometheus.GaugeVec
	cancel  context.CancelFunc
	running sync.WaitGroup
	all     []*shadow
}

// shadow is one of them, for as long as the main processor runs.
type shadow struct {
	name string
	cfg  *config.Config
	log  zerolog.Logger
	opts Options

	mu  sync.Mutex
	p   *Processor // nil: it has not connected yet
	err error      // what ended it
}

// StartShadows starts the configured shadows beside a connected processor, until ctx ends. It does not wait for them.
func StartShadows(ctx context.Context, main *Processor) *Shadows {
	s := &Shadows{log: main.log}
	ctx, s.cancel = context.WithCancel(ctx)
	if len(main.cfg.Shadows) == 0 {
		return s
	}
	s.up = worker.NewShadowUp(main.metered)
	for _, name := range main.cfg.ShadowNames() {
		opts := Options{
			Hangups:   main.opts.Hangups,
			UntilEnd:  main.opts.UntilEnd,
			Leave:     main.opts.Leave,
			Embedded:  main.opts.Embedded,
			Newest:    main.opts.Newest,
			AdvanceTo: main.opts.AdvanceTo,
			shadow:    &shadowRole{name: name, metered: main.metered, ends: main.ends},
		}
		s.all = append(
			s.all,
			&shadow{name: name, cfg: main.cfg.Shadow(name), log: main.log.With().Str("shadow", name).Logger(), opts: opts},
		)
	}
	for _, one := range s.all {
		s.up.WithLabelValues(one.name).Set(1)
		s.running.Go(func() {
			if err := one.run(ctx); err != nil {
				s.up.WithLabelValues(one.name).Set(0)
			}
		})
	}
	main.mu.Lock()
	main.shadows = s
	main.mu.Unlock()
	return s
}

// End waits until all have ended. Unless they have to reach the end of the input first, they drain, within the shutdown
// timeout.
func (s *Shadows) End(byThemselves bool) {
	if !byThemselves {
		s.cancel()
	}
	s.running.Wait()
	s.cancel()
}

// run works until ctx ends or the end is reached. It logs and returns any other reason to end, with what to do.
func (s *shadow) run(ctx context.Context) error {
	p, err := New(ctx, s.cfg, s.log, s.opts)
	if err == nil {
		s.mu.Lock()
		s.p = p
		s.mu.Unlock()
		err = errors.Join(p.Run(ctx), p.Close())
	}
	if ctx.Err() != nil { // failures that the end causes are not logged
		if errors.Is(err, errDrainTimeout) {
			s.log.Warn().Err(err).Msg("shadow not drained")
		}
		err = nil
	}
	if err == nil {
		return nil
	}
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.log.Error().Err(err).Str("do", shadowAdvice(s.name, err)).Msg("shadow ended, the main processor goes on")
	return err
}

// shadowAdvice is what to do about a shadow that has ended. A hard stop's own advice is to save the state. A shadow's
// state is not worth that: a rebuilt one is the same.
func shadowAdvice(name string, err error) string {
	if errors.As(err, new(*pipeline.HardStop)) {
		return "mend the cause and start ebb again; or begin the shadow anew: stop ebb, ebb packs shadow --forget " + name + ", start ebb"
	}
	if advised, ok := errors.AsType[advice.Advised](err); ok {
		return advised.Do + "; then start ebb again"
	}
	if _, _, do, ok := pipeline.Refused(err); ok {
		return do + "; then start ebb again"
	}
	return "mend it and start ebb again; ebb check shows whether anything else is wrong"
}

func (s *Shadows) states() []probes.ShadowState {
	all := make([]probes.ShadowState, len(s.all))
	for i, one := range s.all {
		all[i] = one.state()
	}
	return all
}

func (s *shadow) state() probes.ShadowState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := probes.ShadowState{Name: s.name, State: "starting"}
	switch {
	case s.err != nil:
		state.State, state.Reason = "ended", s.err.Error()
		return state
	case s.p == nil:
		return state
	}
	ready := s.p.ready()
	state.State, state.Reason = "waiting", ready.Reason
	if ready.Ready {
		state.State = "running"
	}
	sum := int64(0)
	state.Lag = &sum
	for _, n := range ready.Partitions {
		if n.Lag == nil {
			state.Lag = nil
		} else {
			sum += *n.Lag
		}
		if state.Reason == "" {
			state.Reason = n.Reason
		}
	}
	return state
}

// ShadowSummary is a shadow's part in the last line of run --until-end.
type ShadowSummary struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"` // what ended it before the end
	Summary
}

func (s *Shadows) Summaries() []ShadowSummary {
	var all []ShadowSummary
	for _, one := range s.all {
		sum := ShadowSummary{Name: one.name, Summary: noSummary()}
		if one.p != nil {
			sum.Summary = one.p.Summary()
		}
		if one.err != nil {
			sum.Error = one.err.Error()
		}
		all = append(all, sum)
	}
	return all
}
