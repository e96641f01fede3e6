package repair

import (
	"context"
	"errors"
	"fmt"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
)

// Verdicts on a partition.
const (
	InOrder   = "in order"   // nothing to repair
	Repair    = "repair"     // the published position is proven
	NotProven = "not proven" // it does not follow
	Stopped   = "stopped"    // by something else, which comes first
)

// Partition is what was found of a partition, and what is to be done.
type Partition struct {
	Partition int32  `json:"partition"`
	Verdict   string `json:"verdict"`
	Code      string `json:"code,omitempty"`  // of the hard stop
	Found     string `json:"found,omitempty"` // why
	Do        string `json:"do,omitempty"`    // what is left to do

	State     *State `json:"state"` // in Redis; nil: none
	Committed Offset `json:"committed"`
	LogStart  int64  `json:"log_start"`
	LogEnd    int64  `json:"log_end"`

	Published int            `json:"published_outbox"` // outbox entries that were found to be published
	Offset    int64          `json:"offset,omitempty"` // to be committed
	Metadata  string         `json:"metadata,omitempty"`
	mark      *pipeline.Mark // nil: none
}

// State is what Redis holds of a partition.
type State struct {
	Next      int64          `json:"next"`
	Fired     pipeline.Due   `json:"fired"`
	Watermark int64          `json:"watermark"`
	Profiles  int64          `json:"profiles"`
	Outbox    map[string]int `json:"outbox"` // entries by kind
	Pack      string         `json:"pack,omitempty"`
	Settings  string         `json:"settings,omitempty"`
}

// Offset is what Kafka holds of it.
type Offset struct {
	Exists   bool   `json:"exists"`
	Offset   int64  `json:"offset"`
	Metadata string `json:"metadata,omitempty"`
}

// standing is what both sides hold of a partition.
type standing struct {
	id    pipeline.Identity
	pos   pipeline.Position
	state pipeline.State
}

// Plan looks at every partition, and decides what is to be done. Nothing is changed.
func (g *Group) Plan(ctx context.Context) ([]Partition, error) {
	return g.plan(ctx, func(n int32) (pipeline.State, error) {
		return g.Redis.Peek(ctx, g.cfg.Kafka.Group, int(n))
	})
}

// plan is Plan with the states that state reads.
func (g *Group) plan(ctx context.Context, state func(int32) (pipeline.State, error)) ([]Partition, error) {
	all := make([]Partition, g.topic.Partitions)
	wanted := map[int32]*standing{}
	for n := range g.topic.Partitions {
		p, s, err := g.look(ctx, n, state)
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", n, err)
		}
		if all[n] = p; p.Code == "offset_lost" || p.Code == "offset_foreign" {
			wanted[n] = s
		}
	}
	if len(wanted) == 0 {
		return all, nil
	}
	shown, err := g.read(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for n, s := range wanted {
		if err := g.prove(ctx, &all[n], s, shown); err != nil {
			return nil, fmt.Errorf("partition %d: %w", n, err)
		}
	}
	return all, nil
}

// look compares both sides of a partition, as a takeover does.
func (g *Group) look(
	ctx context.Context,
	n int32,
	state func(int32) (pipeline.State, error),
) (p Partition, s *standing, err error) {
	s = &standing{id: g.identity(n)}
	p = Partition{Partition: n, Verdict: InOrder}
	at, err := connect.Committed(ctx, g.Kafka, g.cfg, n, g.Waiting)
	if err != nil {
		return p, s, err
	}
	s.pos = pipeline.Position{Committed: at.Exists, Offset: at.Offset, Metadata: at.Metadata}
	p.Committed = Offset{Exists: at.Exists, Offset: at.Offset, Metadata: at.Metadata}
	if s.pos.LogStart, s.pos.End, err = g.Kafka.Bounds(ctx, g.cfg.Kafka.Input, n); err != nil {
		return p, s, err
	}
	p.LogStart, p.LogEnd = s.pos.LogStart, s.pos.End
	if s.state, err = state(n); err == nil {
		p.State = shownState(&s.state)
		_, err = pipeline.Reconcile(s.id, s.pos, s.state)
	}
	stop, hard := stopOf(err)
	if err != nil && !hard {
		return p, s, err
	}
	if hard {
		p.Verdict, p.Code, p.Found, p.Do = Stopped, stop.Code, stop.Detail, stop.Do
	}
	return p, s, nil
}

func shownState(s *pipeline.State) *State {
	if !s.Exists {
		return nil
	}
	m := &s.Meta
	out := &State{
		Next: m.Next, Fired: m.Clock.Fired, Watermark: m.Clock.Watermark, Profiles: s.Holds.Profiles,
		Outbox: map[string]int{}, Settings: m.Settings.Hash(),
	}
	if len(m.Packs) > 0 {
		out.Pack = m.Pack
	}
	for _, b := range s.Outbox {
		kind := "unreadable"
		if e, err := pipeline.ReadEntry(b); err == nil {
			kind = kinds[e.Kind]
		}
		out.Outbox[kind]++
	}
	return out
}

var kinds = map[pipeline.EntryKind]string{ //nolint:gochecknoglobals // a table
	pipeline.EntryAlert: "alerts", pipeline.EntryQuarantine: "quarantined",
	pipeline.EntryPack: "packs", pipeline.EntryControl: "control", pipeline.EntryDecision: "decisions",
	pipeline.EntryErased:   "erased",
	pipeline.EntryAudience: "audience",
}

// prove finds the published position of a partition whose offset is lost or foreign.
func (g *Group) prove(ctx context.Context, p *Partition, s *standing, shown *shown) error {
	if newer := pipeline.NewerMark(s.pos.Metadata); p.Code == "offset_foreign" && newer != nil {
		p.Verdict, p.Found, p.Do = NotProven, newer.Error(), "run the version of ebb that committed it, or a newer one"
		return nil //nolint:nilerr // it is the verdict
	}
	proof, err := g.proof(ctx, s, shown)
	var unproven *pipeline.UnprovenError
	switch stop, hard := stopOf(err); {
	case hard:
		p.Verdict, p.Code, p.Found, p.Do = Stopped, stop.Code, stop.Detail, stop.Do
		return nil
	case errors.As(err, &unproven):
		p.Verdict, p.Found = NotProven, p.Found+"; "+unproven.Why
		p.Do = "restore a newer backup of Redis if there is one, and run ebb repair again; else start over under a new " +
			"kafka.group, and expect alerts that were sent before"
		return nil
	case err != nil:
		return err
	}
	p.Verdict, p.Do, p.mark, p.Published = Repair, "", &proof.Mark, proof.Published
	p.Offset, p.Metadata = proof.Mark.Offset, proof.Mark.Metadata()
	return nil
}

// proof is the published position, checked like that of a takeover.
func (g *Group) proof(ctx context.Context, s *standing, shown *shown) (pipeline.Proof, error) {
	changes, err := shown.controls(ctx, g, s.id)
	if err != nil {
		return pipeline.Proof{}, err
	}
	if !s.state.Exists {
		return g.unworked(s, changes, shown)
	}
	proof, err := pipeline.Prove(s.id, s.state, shown.seen(s, changes), changes)
	if err != nil {
		return proof, err
	}
	pos := s.pos
	pos.Committed, pos.Offset, pos.Metadata = true, proof.Mark.Offset, proof.Mark.Metadata()
	found, err := pipeline.Reconcile(s.id, pos, s.state)
	if err != nil {
		return proof, err
	}
	if found.Dropped != proof.Published || found.Rewinding() {
		return proof, fmt.Errorf("BUG: a takeover finds %d entries published, the proof %d", found.Dropped, proof.Published)
	}
	return proof, shown.farther(ctx, g, s)
}

// unworked is the position of a partition without state: its start, if nothing was ever published of it.
func (g *Group) unworked(s *standing, changes []pipeline.Control, shown *shown) (pipeline.Proof, error) {
	switch {
	case len(changes) > 0:
		return pipeline.Proof{}, &pipeline.UnprovenError{
			Why: "Redis holds no state of it, and control records show that it was worked on",
		}
	case shown.alerted[s.id.Partition]:
		return pipeline.Proof{}, &pipeline.UnprovenError{
			Why: "Redis holds no state of it, and alerts show that it was worked on",
		}
	case s.id.Latest && s.pos.LogStart < s.pos.End:
		return pipeline.Proof{}, &pipeline.UnprovenError{
			Why: "Redis holds no state of it, and with kafka.start latest nothing shows where it began",
		}
	}
	return pipeline.Proof{Mark: pipeline.Mark{Offset: s.pos.LogStart, Fresh: true, Topic: s.id.Topic}}, nil
}

// Counts is how many partitions there are of each verdict.
type Counts struct{ InOrder, Repair, Left int }

// Summary counts the verdicts.
func Summary(plan []Partition) (c Counts) {
	for i := range plan {
		switch plan[i].Verdict {
		case InOrder:
			c.InOrder++
		case Repair:
			c.Repair++
		default:
			c.Left++
		}
	}
	return c
}
