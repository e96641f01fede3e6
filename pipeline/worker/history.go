package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// history reads the partition's changes other than by records, after a takeover: the packs of its customers, and the
// control records that apply before records to be replayed. Errors: *HardStop, ErrUnavailable.
func (w *Worker) history(ctx context.Context, s *pipeline.Standing) (*line.History, error) {
	held, err := line.ReadHeld(s.Held)
	if err != nil {
		return nil, pipeline.StateUnreadable(err)
	}
	past := past{refs: s.Meta.Packs}
	if s.Mark.Pack != "" && (s.Rewinding() || len(past.refs) == 0) {
		if past, err = w.replayed(ctx, s); err != nil {
			return nil, err
		}
	}
	refs, ahead, settings := past.refs, past.ahead, past.settings
	if len(refs) == 0 {
		return &line.History{Packs: []*pack.Pack{w.cfg.Pack}, Held: held}, nil
	}
	h, err := w.load(ctx, s, refs, ahead)
	if err != nil {
		return nil, err
	}
	h.First, h.Storms, h.Silences, h.Held, h.Erased = past.first, past.storms, past.silences, held, past.erased
	h.Lanes = past.lanes
	if err := w.cfg.Line.Identity.Accepts(newestOf(refs, ahead), pipeline.RefOf(w.configured(s.Mark.Offset))); err != nil {
		return nil, err
	}
	h.Settings = settings
	if err := w.announceAgain(ctx, s, h); err != nil {
		return nil, err
	}
	return h, w.readable(&s.Meta.Settings, &settings)
}

// announceAgain has the pack and the settings in force written down once more, before the next record, where the topic of
// control records was made anew: else a rebuild would not find what applied.
func (w *Worker) announceAgain(ctx context.Context, s *pipeline.Standing, h *line.History) error {
	if s.Mark.Pack == "" || len(s.Meta.Packs) == 0 || len(h.Ahead) > 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	blank, err := w.cfg.Ledger.Blank(ctx, w.cfg.Line.Identity)
	if err != nil || !blank {
		return err
	}
	at, n := max(s.Meta.Next, s.Mark.Offset), len(h.Refs)-1
	h.Ahead = append(h.Ahead, line.Change{
		Offset: at, Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: h.Refs[n]}, Begins: h.Packs[n],
	})
	if s.Meta.Settings != (pipeline.Settings{}) {
		h.Ahead = append(h.Ahead, line.Change{
			Offset: at, Change: pipeline.Change{Kind: pipeline.ControlSettings, Settings: s.Meta.Settings},
		})
	}
	w.cfg.Logger.Warn().Int64("offset", at).
		Msg("the topic of control records is empty: what is in force is written down once more; backups of Redis from before " +
			"can no longer be used")
	return nil
}

// readable refuses settings that this build does not know.
func (w *Worker) readable(all ...*pipeline.Settings) error {
	for _, s := range all {
		if *s == (pipeline.Settings{}) {
			continue
		}
		_, err := decode.Of(s)
		if err == nil {
			_, err = pipeline.ReadBudgets(s.Budgets)
		}
		if err != nil {
			return s.Unreadable(w.cfg.Line.Identity, err)
		}
	}
	return nil
}

// newestOf is the pack that applies after all of ahead; the zero value where none is known.
func newestOf(refs []pipeline.PackRef, ahead []pipeline.Control) (newest pipeline.PackRef) {
	if len(refs) > 0 {
		newest = refs[len(refs)-1]
	}
	for i := range ahead {
		if ahead[i].Kind == pipeline.ControlPack {
			newest = ahead[i].Pack
		}
	}
	return newest
}

// past is what the control records say: what applied before the state's position, where the state does not hold it, and
// what applies between that and the published one.
type past struct {
	refs     []pipeline.PackRef
	settings pipeline.Settings
	first    pipeline.FirstStart
	storms   int64 // number of the latest
	erased   []pipeline.Erasure
	silences pipeline.Silences
	lanes    pipeline.Lanes
	ahead    []pipeline.Control
}

// replayed reads the control records. A state that was emptied to be rebuilt begins with the pack that applied at its
// position, or with the oldest known.
func (w *Worker) replayed(ctx context.Context, s *pipeline.Standing) (p past, err error) {
	controls, err := w.cfg.Ledger.Controls(ctx, w.cfg.Line.Identity)
	if err != nil {
		return p, fmt.Errorf("read control records: %w", err)
	}
	p.erased = erasedBefore(controls, s.Meta.Next)
	for i := len(controls) - 1; i > 0; i-- {
		if controls[i].First {
			controls = controls[i:] // earlier ones are of another group of this name, whose offsets were deleted
			break
		}
	}
	controls = slices.DeleteFunc(controls, func(c pipeline.Control) bool { return c.Beyond(s.Mark.Offset) || c.Tells() })
	if p.refs, p.ahead = s.Meta.Packs, controls; len(p.refs) == 0 {
		p.refs, p.ahead = firstPack(controls, s.Meta.Next)
	}
	if p.settings = s.Meta.Settings; p.settings == (pipeline.Settings{}) {
		p.settings = firstSettings(controls, s.Meta.Next)
	}
	if p.first, p.storms = s.Meta.First, s.Meta.Storms.Number; len(s.Meta.Packs) == 0 {
		p.first, p.storms = firstStart(controls, s.Meta.Next)
		p.silences = silencesAt(controls, s.Meta.Next)
		p.lanes = lanesAt(controls, s.Meta.Next)
	}
	p.ahead = slices.DeleteFunc(p.ahead, func(c pipeline.Control) bool { return p.holds(&s.Meta, &c) })
	if err := w.refuseUnknown(p.ahead); err != nil {
		return p, err
	}
	return p, w.complete(s, &p)
}

// holds reports whether a state holds what a control record has changed. Of those before its next record it holds some, if
// they wait for no record.
func (p *past) holds(m *pipeline.Meta, c *pipeline.Control) bool {
	switch {
	case c.Offset < m.Next:
		return true
	case c.Kind == pipeline.ControlTime:
		return c.Minute <= m.Passed.Minute
	case c.Number() > 0:
		return c.Number() <= p.first.Releases
	case c.Kind == pipeline.ControlStorm:
		return c.Storm.Number <= p.storms
	}
	return false
}

// firstStart is the history with which a state begins that was emptied, and the latest release and storm before next.
func firstStart(controls []pipeline.Control, next int64) (f pipeline.FirstStart, storms int64) {
	for i := range controls {
		switch c := &controls[i]; {
		case c.Kind == pipeline.ControlHistory:
			f.Until = c.Until
		case c.Offset >= next:
		case c.Number() > 0:
			if f.Releases = c.Number(); c.Kind == pipeline.ControlRelease && c.Release.Of() == pipeline.HeldHistory {
				f.At = c.Release.At
			}
		case c.Kind == pipeline.ControlStorm:
			storms = c.Storm.Number
		}
	}
	return f, storms
}

// erasedBefore are the customers who were erased before next, whichever life of the group that was in. A state that was
// emptied, and is built again from the middle of the log, does not come by their records.
func erasedBefore(controls []pipeline.Control, next int64) (all []pipeline.Erasure) {
	for i := range controls {
		if c := &controls[i]; c.Kind == pipeline.ControlErased && c.Offset < next {
			all = append(all, c.Erased.Erasure())
		}
	}
	return all
}

// silencesAt are those with which a state begins that was emptied: all that began before next, and have not ended there.
func silencesAt(controls []pipeline.Control, next int64) (all pipeline.Silences) {
	for i := range controls {
		if c := &controls[i]; c.Kind == pipeline.ControlSilence && c.Offset < next {
			all = all.With(&c.Silence, math.MinInt64)
		}
	}
	return all
}

// lanesAt are those with which a state begins that was emptied: what was granted, and spent at most, before next.
func lanesAt(controls []pipeline.Control, next int64) (all pipeline.Lanes) {
	for i := range controls {
		if c := &controls[i]; c.Kind == pipeline.ControlRelease && c.Offset < next {
			all.Apply(&c.Release)
		}
	}
	return all
}

// complete refuses control records that lead to another pack, to other settings, to another release or storm, or to an
// earlier time, than the published position was reached with: some are missing.
func (w *Worker) complete(s *pipeline.Standing, p *past) error {
	at := pipeline.Newest(p.ahead)
	lost := func(what, published, found string) error {
		if published == found {
			return nil
		}
		return w.cfg.Line.Identity.Stop(
			"control_lost",
			fmt.Sprintf("offset %d was published under %s %.12s, the control records lead to %.12s", s.Mark.Offset, what,
				published, cmp.Or(found, "none")),
			"the topic kafka.control has lost records, or is another one: put it back, or restore a backup of Redis from "+
				"after the last change of the "+what,
		)
	}
	return cmp.Or(
		lost("pack", s.Mark.Pack, cmp.Or(at.Pack, newestOf(p.refs, nil).Hash)),
		lost("settings", s.Mark.Settings, cmp.Or(at.Settings, p.settings.Hash())),
		lost("release", nameOf(s.Mark.Releases), nameOf(cmp.Or(at.Releases, p.first.Releases))),
		lost("storm", nameOf(s.Mark.Storms), nameOf(cmp.Or(at.Storms, p.storms))),
		w.passed(s, cmp.Or(at.Passed, s.Meta.Passed.Minute)),
	)
}

func nameOf(number int64) string {
	if number == 0 {
		return ""
	}
	return strconv.FormatInt(number, 10)
}

// passed refuses time records that lead to a minute before the newest published one: some are missing. A state that was
// emptied is replayed with those that there are.
func (w *Worker) passed(s *pipeline.Standing, last int64) error {
	if last >= s.Mark.Passed || len(s.Meta.Packs) == 0 {
		return nil
	}
	return w.cfg.Line.Identity.Stop(
		"control_lost",
		fmt.Sprintf("offset %d was published after a time record of minute %d, the control records lead to minute %d",
			s.Mark.Offset, s.Mark.Passed, last),
		"the topic kafka.control has lost records, or is another one: put it back, or restore a backup of Redis from after "+
			"the last of them",
	)
}

// firstSettings are those with which a state begins that was emptied: the last that began up to next, else the oldest.
func firstSettings(controls []pipeline.Control, next int64) (first pipeline.Settings) {
	for i := range controls {
		if c := &controls[i]; c.Kind == pipeline.ControlSettings && (first == (pipeline.Settings{}) || c.Offset <= next) {
			first = c.Settings
		}
	}
	return first
}

// refuseUnknown refuses control records of kinds that this build cannot apply.
func (w *Worker) refuseUnknown(ahead []pipeline.Control) error {
	for i := range ahead {
		if c := &ahead[i]; !c.Known() {
			return w.cfg.Line.Identity.Stop(
				"state_unreadable",
				fmt.Sprintf("the control record before offset %d is of kind %q, which this build cannot read", c.Offset, c.Kind),
				"run the version of ebb that wrote it, or a newer one",
			)
		}
	}
	return nil
}

// firstPack is the pack with which an emptied state begins: the last that began up to next, else the oldest. rest is
// what was written after it.
func firstPack(controls []pipeline.Control, next int64) (refs []pipeline.PackRef, rest []pipeline.Control) {
	for i := range controls {
		if c := &controls[i]; c.Kind == pipeline.ControlPack && (refs == nil || c.Offset <= next) {
			refs, rest = []pipeline.PackRef{c.Pack}, controls[i+1:]
		}
	}
	return refs, rest
}

// load reads the packs with these names: from the store, the configuration, or the topic of packs.
func (w *Worker) load(
	ctx context.Context,
	s *pipeline.Standing,
	refs []pipeline.PackRef,
	ahead []pipeline.Control,
) (*line.History, error) {
	wanted := slices.Clone(refs)
	for i := range ahead {
		if ahead[i].Kind == pipeline.ControlPack {
			wanted = append(wanted, ahead[i].Pack)
		}
	}
	bytes := map[string][]byte{w.cfg.Pack.Hash: w.cfg.Pack.Canonical()}
	stored := map[string]bool{}
	for _, k := range s.Packs {
		bytes[k.Hash], stored[k.Hash] = k.Canonical, true
	}
	if err := w.lookUp(ctx, wanted, bytes); err != nil {
		return nil, err
	}
	h := &line.History{Refs: refs}
	for _, ref := range refs {
		k, err := w.packOf(ref, bytes[ref.Hash])
		if err != nil {
			return nil, err
		}
		h.Packs = append(h.Packs, k)
		if !stored[ref.Hash] {
			h.Unsaved = append(h.Unsaved, pipeline.PackBytes{Hash: ref.Hash, Canonical: k.Canonical()})
		}
	}
	for i := range ahead {
		c, err := w.applicable(&ahead[i], bytes)
		if err != nil {
			return nil, err
		}
		h.Ahead = append(h.Ahead, c)
	}
	return h, nil
}

// applicable is a control record as a line applies it, with the pack that begins by it.
func (w *Worker) applicable(r *pipeline.Control, bytes map[string][]byte) (c line.Change, err error) {
	c = line.Change{Offset: r.Offset, Change: r.Change}
	switch c.Kind {
	case pipeline.ControlPack:
		c.Begins, err = w.packOf(c.Pack, bytes[c.Pack.Hash])
	case pipeline.ControlSettings:
		err = w.readable(&c.Settings)
	}
	return c, err
}

// packOf is the pack of a canonical form; those of the configuration need no parsing.
func (w *Worker) packOf(ref pipeline.PackRef, canonical []byte) (*pack.Pack, error) {
	for _, k := range []*pack.Pack{w.cfg.Pack, w.configured(math.MaxInt64)} {
		if k.Hash == ref.Hash {
			return k, nil
		}
	}
	k, err := pack.LoadCanonical(canonical)
	switch {
	case errors.Is(err, pack.ErrOtherCore):
		return nil, w.cfg.Line.Identity.CoreChanged(ref, err)
	case err != nil:
		return nil, w.cfg.Line.Identity.Stop(
			"pack_unreadable",
			fmt.Sprintf("pack %s: %v", ref, err),
			"run the version of ebb that wrote it",
		)
	}
	if k.Hash != ref.Hash {
		return nil, w.cfg.Line.Identity.Stop(
			"pack_unreadable",
			fmt.Sprintf("what is kept as pack %s has the hash %.12s", ref, k.Hash),
			"something else writes to this group's keys in Redis; restore a backup",
		)
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
			return w.cfg.Line.Identity.Stop(
				"pack_lost",
				fmt.Sprintf("customers were scored with pack %s, and neither Redis nor the topic kafka.packs holds it", ref),
				"start ebb with that pack configured, or restore the topic",
			)
		}
	}
	return nil
}

// configured is the pack of the configuration, as of the batch that begins at next.
func (w *Worker) configured(next int64) *pack.Pack {
	if w.cfg.Configured == nil {
		return w.cfg.Pack
	}
	return w.cfg.Configured(next)
}
