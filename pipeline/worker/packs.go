package worker

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/scoring"
)

// packHistory finds the packs of the partition that a takeover has found: those of its customers, and those that begin at
// records that are to be replayed. Errors: *HardStop, ErrUnavailable.
func (w *Worker) packHistory(ctx context.Context, s *pipeline.Standing) (*line.PackHistory, error) {
	refs, ahead := s.Meta.Packs, []pipeline.Control(nil)
	if s.Mark.Pack != "" && (s.Meta.Next < s.Mark.Offset || len(refs) == 0) {
		var err error
		if refs, ahead, err = w.history(ctx, s); err != nil {
			return nil, err
		}
	}
	if len(refs) == 0 {
		return &line.PackHistory{Packs: []*scoring.Pack{w.cfg.Pack}}, nil
	}
	last := refs[len(refs)-1]
	if len(ahead) > 0 {
		last = ahead[len(ahead)-1].Pack
	}
	if err := w.cfg.Line.Identity.Accepts(last, pipeline.RefOf(w.configured(s.Mark.Offset))); err != nil {
		return nil, err
	}
	return w.load(ctx, s, refs, ahead)
}

// history reads from the control records which packs applied before the state's position, and which begin between that and
// the published one. A state that was emptied to be rebuilt begins with the pack that applied there, or with the oldest known.
func (w *Worker) history(ctx context.Context, s *pipeline.Standing) (refs []pipeline.PackRef, ahead []pipeline.Control, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	controls, err := w.cfg.Ledger.Controls(ctx, w.cfg.Line.Identity)
	if err != nil {
		return nil, nil, fmt.Errorf("read control records: %w", err)
	}
	for i := len(controls) - 1; i > 0; i-- {
		if controls[i].First {
			controls = controls[i:] // what stands before it is of an earlier group of this name, whose offsets were deleted
			break
		}
	}
	controls = slices.DeleteFunc(controls, func(c pipeline.Control) bool { return c.Kind != pipeline.ControlPack || c.Offset >= s.Mark.Offset })
	if refs = s.Meta.Packs; len(refs) == 0 && len(controls) > 0 {
		base := 0
		for i := range controls {
			if controls[i].Offset <= s.Meta.Next {
				base = i
			}
		}
		refs, controls = []pipeline.PackRef{controls[base].Pack}, controls[base+1:]
	} else {
		controls = slices.DeleteFunc(controls, func(c pipeline.Control) bool { return c.Offset < s.Meta.Next })
	}
	last := ""
	if len(refs) > 0 {
		last = refs[len(refs)-1].Hash
	}
	if len(controls) > 0 {
		last = controls[len(controls)-1].Pack.Hash
	}
	if last != s.Mark.Pack {
		return nil, nil, w.cfg.Line.Identity.Stop("control_lost", fmt.Sprintf("offset %d was published under pack %.12s, the control records lead to %.12s", s.Mark.Offset, s.Mark.Pack, cmp.Or(last, "none")),
			"the topic kafka.control has lost records, or is another one: put it back, or restore a backup of Redis from after the last change of the pack")
	}
	return refs, controls, nil
}

// load turns the packs' names into packs: from the store, the configuration, or what was published.
func (w *Worker) load(ctx context.Context, s *pipeline.Standing, refs []pipeline.PackRef, ahead []pipeline.Control) (*line.PackHistory, error) {
	wanted := slices.Clone(refs)
	for i := range ahead {
		wanted = append(wanted, ahead[i].Pack)
	}
	bytes := map[string][]byte{w.cfg.Pack.Hash: w.cfg.Pack.Canonical()}
	stored := map[string]bool{}
	for _, k := range s.Packs {
		bytes[k.Hash], stored[k.Hash] = k.Canonical, true
	}
	if err := w.lookUp(ctx, wanted, bytes); err != nil {
		return nil, err
	}
	h := &line.PackHistory{Refs: refs}
	for i, ref := range wanted {
		k, err := w.packOf(ref, bytes[ref.Hash])
		if err != nil {
			return nil, err
		}
		if i >= len(refs) {
			h.Ahead = append(h.Ahead, line.Activation{Offset: ahead[i-len(refs)].Offset, Pack: k})
			continue
		}
		h.Packs = append(h.Packs, k)
		if !stored[ref.Hash] {
			h.Unsaved = append(h.Unsaved, pipeline.PackBytes{Hash: ref.Hash, Canonical: k.Canonical()})
		}
	}
	return h, nil
}

// packOf is the pack of a canonical form; those of the configuration are known.
func (w *Worker) packOf(ref pipeline.PackRef, canonical []byte) (*scoring.Pack, error) {
	for _, k := range []*scoring.Pack{w.cfg.Pack, w.configured(math.MaxInt64)} {
		if k.Hash == ref.Hash {
			return k, nil
		}
	}
	k, err := scoring.LoadCanonical(canonical)
	if err != nil {
		return nil, w.cfg.Line.Identity.Stop("pack_unreadable", fmt.Sprintf("pack %s: %v", ref, err), "run the version of ebb that wrote it")
	}
	if k.Hash != ref.Hash {
		return nil, w.cfg.Line.Identity.Stop("pack_unreadable", fmt.Sprintf("what is kept as pack %s has the hash %.12s", ref, k.Hash), "something else writes to this group's keys in Redis; restore a backup")
	}
	return k, nil
}

// lookUp adds the canonical forms that are not among bytes.
func (w *Worker) lookUp(ctx context.Context, wanted []pipeline.PackRef, bytes map[string][]byte) error {
	var missing []string
	for _, ref := range wanted {
		if bytes[ref.Hash] == nil && !slices.Contains(missing, ref.Hash) {
			missing = append(missing, ref.Hash)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := w.cfg.Ledger.Packs(ctx, missing)
	if err != nil {
		return fmt.Errorf("read packs: %w", err)
	}
	for _, k := range found {
		bytes[k.Hash] = k.Canonical
	}
	for _, ref := range wanted {
		if bytes[ref.Hash] == nil {
			return w.cfg.Line.Identity.Stop("pack_lost", fmt.Sprintf("customers were scored with pack %s, and neither Redis nor the topic kafka.packs holds it", ref),
				"start ebb with that pack configured, or restore the topic")
		}
	}
	return nil
}

// configured is the pack of the configuration, as of the batch that begins at next.
func (w *Worker) configured(next int64) *scoring.Pack {
	if w.cfg.Configured == nil {
		return w.cfg.Pack
	}
	return w.cfg.Configured(next)
}

// turn has the packs begin that begin with the batch, and says once per change why the configured one does not. False: the
// batch has to wait for a sweep.
func (o *owner) turn(b *line.Batch) bool {
	if b.Fetched.Next == o.line.Next() {
		return true // it holds no record, and a pack begins before one
	}
	configured := o.configured(o.line.Next())
	begun, why, ok := o.line.Turn(configured)
	if !ok {
		return false
	}
	for _, k := range begun {
		o.cfg.Logger.Info().Stringer("pack", pipeline.RefOf(k)).Int64("offset", o.line.Next()).Msg("pack begins")
	}
	o.tellPack()
	waits := waiting{why: why, pack: configured.Hash, active: o.line.Pack().Hash}
	b.ReadFor(o.line.Pack())
	if waits.why == "" {
		waits = waiting{}
	}
	if waits == o.waits {
		return true
	}
	o.waits = waits
	o.cfg.Metrics.packWaits(o.cfg.Line.Identity.Partition, waits.why)
	if waits.why == "" {
		return true
	}
	o.cfg.Logger.Warn().Str("reason", waits.why).Stringer("configured", pipeline.RefOf(configured)).Stringer("active", pipeline.RefOf(o.line.Pack())).
		Str("do", packAdvice[waits.why]).Msg("the configured pack does not apply")
	return true
}

// waiting is a configured pack that does not apply, and why.
type waiting struct{ why, pack, active string }

// packAdvice is what lets a configured pack apply.
var packAdvice = map[string]string{ //nolint:gochecknoglobals // a table
	line.PackOlder:   "raise its version to activate it",
	line.PackOther:   "put the old pack back; to score with another one from the start, use a new kafka.group",
	line.PackTooMany: "this partition has had 256 packs; ebb rebuild --from earliest begins to count anew",
	line.PackFormat:  "it begins when the members of the older version are gone",
}
