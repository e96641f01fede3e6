package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/worker"
)

// shadowRole is what a processor knows of being a shadow.
type shadowRole struct {
	name    string
	metered prometheus.Registerer // the main one's registry
	ends    []int64               // by partition: where the main one stops with --until-end
}

// shadows are the processors beside the main one that alert nobody. Whatever becomes of one of them, the main one goes on.
type shadows struct {
	log     zerolog.Logger
	up      *prometheus.GaugeVec
	cancel  context.CancelFunc
	running sync.WaitGroup
	all     []*shadow
}

// shadow is one of them, for as long as the main one runs.
type shadow struct {
	name string
	cfg  *Config
	log  zerolog.Logger
	opts processorOptions

	mu  sync.Mutex
	p   *processor // nil: it has not connected yet
	err error      // what ended it
}

// startShadows starts what is configured beside a processor that has connected, until ctx ends. It does not wait for them.
func startShadows(ctx context.Context, main *processor) *shadows {
	s := &shadows{log: main.log}
	ctx, s.cancel = context.WithCancel(ctx)
	if len(main.cfg.Shadows) == 0 {
		return s
	}
	s.up = worker.NewShadowUp(main.metered)
	for _, name := range main.cfg.shadowNames() {
		opts := processorOptions{
			hangups: main.opts.hangups, untilEnd: main.opts.untilEnd, leave: main.opts.leave, embedded: main.opts.embedded, newest: main.opts.newest,
			shadow: &shadowRole{name: name, metered: main.metered, ends: main.ends},
		}
		s.all = append(s.all, &shadow{name: name, cfg: main.cfg.shadow(name), log: main.log.With().Str("shadow", name).Logger(), opts: opts})
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

// end waits until all have ended. Unless they are to come to the end of the input by themselves they drain, within the shutdown
// timeout.
func (s *shadows) end(byThemselves bool) {
	if !byThemselves {
		s.cancel()
	}
	s.running.Wait()
	s.cancel()
}

// run works until ctx ends, or the end is reached. What else ends it is logged, with what to do, and returned.
func (s *shadow) run(ctx context.Context) error {
	p, err := newProcessor(ctx, s.cfg, s.log, s.opts)
	if err == nil {
		s.mu.Lock()
		s.p = p
		s.mu.Unlock()
		err = errors.Join(p.run(ctx), p.close())
	}
	if ctx.Err() != nil { // what the end broke is not worth telling
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

// shadowAdvice is what to do about a shadow that ended. A hard stop's own advice is to save the state, and a shadow's is not worth
// it: anew it comes to the same.
func shadowAdvice(name string, err error) string {
	if errors.As(err, new(*pipeline.HardStop)) {
		return "mend the cause and start ebb again; or begin the shadow anew: stop ebb, ebb packs shadow --forget " + name + ", start ebb"
	}
	if advised, ok := errors.AsType[advisedError](err); ok {
		return advised.do + "; then start ebb again"
	}
	if denied, ok := errors.AsType[*pipeline.Denied](err); ok {
		return denied.Do + "; then start ebb again"
	}
	return "mend it and start ebb again; ebb check says whether anything else is wrong"
}

// shadowState is one shadow in the answer of /readyz.
type shadowState struct {
	Name   string `json:"name"`
	State  string `json:"state"`            // starting, running, waiting, ended
	Reason string `json:"reason,omitempty"` // why it does not run
	Lag    int64  `json:"lag"`              // records behind the end, of the partitions that this process has
}

func (s *shadows) states() []shadowState {
	all := make([]shadowState, len(s.all))
	for i, one := range s.all {
		all[i] = one.state()
	}
	return all
}

func (s *shadow) state() shadowState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := shadowState{Name: s.name, State: "starting"}
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
	for _, n := range ready.Partitions {
		state.Lag += n.Lag
		if state.Reason == "" {
			state.Reason = n.Reason
		}
	}
	return state
}

func (s *shadowState) inWords() string {
	words := s.State
	if s.State == "running" {
		words += ", " + plural64(s.Lag, "record") + " behind"
	}
	if s.Reason != "" {
		words += ": " + s.Reason
	}
	return words
}

// shadowSummary is what a shadow did, in the last line of run --until-end.
type shadowSummary struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"` // what ended it before the end
	summary
}

func (s *shadows) summaries() []shadowSummary {
	var all []shadowSummary
	for _, one := range s.all {
		sum := shadowSummary{Name: one.name, summary: noSummary()}
		if one.p != nil {
			sum.summary = one.p.summary()
		}
		if one.err != nil {
			sum.Error = one.err.Error()
		}
		all = append(all, sum)
	}
	return all
}

// topics are those that are written to, and the input last. A shadow leaves bad input to the main one.
func (p *processor) topics() []string {
	k := &p.cfg.Kafka
	return slices.DeleteFunc([]string{k.Alerts, p.dlq(), k.Packs, k.Control, k.Input}, func(name string) bool { return name == "" })
}

// dlq is the topic of quarantined records; empty of a shadow.
func (p *processor) dlq() string {
	if p.opts.shadow != nil {
		return ""
	}
	return p.cfg.Kafka.DLQ()
}
