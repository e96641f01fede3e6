package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"ebb/scoring"
)

// generations finds the packs of the partition that a takeover has found: those of its customers, and those that begin at
// records that are to be replayed. Errors: *HardStop, ErrUnavailable.
func (w *Worker) generations(ctx context.Context, s *Standing) (*generations, error) {
	refs, ahead := s.Meta.Packs, []Control(nil)
	if s.Mark.Pack != "" && (s.Meta.Next < s.Mark.Offset || len(refs) == 0) {
		var err error
		if refs, ahead, err = w.history(ctx, s); err != nil {
			return nil, err
		}
	}
	if len(refs) == 0 {
		return newGenerations(w.cfg.Pack), nil
	}
	last := refs[len(refs)-1]
	if len(ahead) > 0 {
		last = ahead[len(ahead)-1].Pack
	}
	if err := w.cfg.Identity.Accepts(last, RefOf(w.configured(s.Mark.Offset))); err != nil {
		return nil, err
	}
	return w.load(ctx, s, refs, ahead)
}

// history reads from the control records which packs applied before the state's position, and which begin between that and
// the published one. A state that was emptied to be rebuilt begins with the pack that applied there, or with the oldest known.
func (w *Worker) history(ctx context.Context, s *Standing) (refs []PackRef, ahead []Control, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	controls, err := w.cfg.Ledger.Controls(ctx, w.cfg.Identity)
	if err != nil {
		return nil, nil, fmt.Errorf("read control records: %w", err)
	}
	for i := len(controls) - 1; i > 0; i-- {
		if controls[i].First {
			controls = controls[i:] // what stands before it is of an earlier group of this name, whose offsets were deleted
			break
		}
	}
	controls = slices.DeleteFunc(controls, func(c Control) bool { return c.Kind != ControlPack || c.Offset >= s.Mark.Offset })
	if refs = s.Meta.Packs; len(refs) == 0 && len(controls) > 0 {
		base := 0
		for i := range controls {
			if controls[i].Offset <= s.Meta.Next {
				base = i
			}
		}
		refs, controls = []PackRef{controls[base].Pack}, controls[base+1:]
	} else {
		controls = slices.DeleteFunc(controls, func(c Control) bool { return c.Offset < s.Meta.Next })
	}
	last := ""
	if len(refs) > 0 {
		last = refs[len(refs)-1].Hash
	}
	if len(controls) > 0 {
		last = controls[len(controls)-1].Pack.Hash
	}
	if last != s.Mark.Pack {
		return nil, nil, w.cfg.Identity.stop("control_lost", fmt.Sprintf("offset %d was published under pack %.12s, the control records lead to %.12s", s.Mark.Offset, s.Mark.Pack, cmp.Or(last, "none")),
			"the topic kafka.control has lost records, or is another one: put it back, or restore a backup of Redis from after the last change of the pack")
	}
	return refs, controls, nil
}

// load turns the packs' names into packs: from the store, the configuration, or what was published.
func (w *Worker) load(ctx context.Context, s *Standing, refs []PackRef, ahead []Control) (*generations, error) {
	wanted := slices.Clone(refs)
	for i := range ahead {
		wanted = append(wanted, ahead[i].Pack)
	}
	bytes := map[string][]byte{w.cfg.Pack.Hash: w.cfg.Pack.Canonical()}
	stored := map[string]bool{}
	for _, k := range s.packs {
		bytes[k.Hash], stored[k.Hash] = k.Canonical, true
	}
	if err := w.lookUp(ctx, wanted, bytes); err != nil {
		return nil, err
	}
	g := &generations{refs: slices.Clip(refs)}
	for i, ref := range wanted {
		k, err := w.packOf(ref, bytes[ref.Hash])
		if err != nil {
			return nil, err
		}
		if i >= len(refs) {
			g.ahead = append(g.ahead, activation{ahead[i-len(refs)].Offset, k})
			continue
		}
		g.add(k)
		if !stored[ref.Hash] {
			g.unsaved = append(g.unsaved, PackBytes{ref.Hash, k.Canonical()})
		}
	}
	return g, nil
}

// packOf is the pack of a canonical form; those of the configuration are known.
func (w *Worker) packOf(ref PackRef, canonical []byte) (*scoring.Pack, error) {
	for _, k := range []*scoring.Pack{w.cfg.Pack, w.configured(math.MaxInt64)} {
		if k.Hash == ref.Hash {
			return k, nil
		}
	}
	k, err := scoring.LoadCanonical(canonical)
	if err != nil {
		return nil, w.cfg.Identity.stop("pack_unreadable", fmt.Sprintf("pack %s: %v", ref, err), "run the version of ebb that wrote it")
	}
	if k.Hash != ref.Hash {
		return nil, w.cfg.Identity.stop("pack_unreadable", fmt.Sprintf("what is kept as pack %s has the hash %.12s", ref, k.Hash), "something else writes to this group's keys in Redis; restore a backup")
	}
	return k, nil
}

// lookUp adds the canonical forms that are not among bytes.
func (w *Worker) lookUp(ctx context.Context, wanted []PackRef, bytes map[string][]byte) error {
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
			return w.cfg.Identity.stop("pack_lost", fmt.Sprintf("customers were scored with pack %s, and neither Redis nor the topic kafka.packs holds it", ref),
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
func (o *owner) turn(b *batch) bool {
	if b.fetched.Next == o.line.next {
		return true // it holds no record, and a pack begins before one
	}
	configured, begun := o.configured(o.line.next), len(o.line.begins)
	why, ok := o.line.turn(configured)
	if !ok {
		return false
	}
	for _, k := range o.line.begins[begun:] {
		o.cfg.Logger.Info().Stringer("pack", RefOf(k)).Int64("offset", o.line.next).Msg("pack begins")
	}
	o.tellPack()
	waits := waiting{why: why, pack: configured.Hash, active: o.line.scorer.Pack.Hash}
	b.readFor(o.line.scorer.Pack)
	if waits.why == "" {
		waits = waiting{}
	}
	if waits == o.waits {
		return true
	}
	o.waits = waits
	o.cfg.Metrics.packWaits(o.cfg.Identity.Partition, waits.why)
	if waits.why == "" {
		return true
	}
	o.cfg.Logger.Warn().Str("reason", waits.why).Stringer("configured", RefOf(configured)).Stringer("active", RefOf(o.line.scorer.Pack)).
		Str("do", packAdvice[waits.why]).Msg("the configured pack does not apply")
	return true
}

// waiting is a configured pack that does not apply, and why.
type waiting struct{ why, pack, active string }

// Reasons why a configured pack does not apply. The names are a contract: metrics and logs use them.
const (
	packOlder   = "not_newer" // or of the same version, with something else in it
	packOther   = "other_name"
	packTooMany = "too_many"
	packFormat  = "older_members" // of the group, which could not read a state that says which pack is whose
)

// packAdvice is what lets a configured pack apply.
var packAdvice = map[string]string{ //nolint:gochecknoglobals // a table
	packOlder:   "raise its version to activate it",
	packOther:   "put the old pack back; to score with another one from the start, use a new kafka.group",
	packTooMany: "this partition has had 256 packs; ebb rebuild --from earliest begins to count anew",
	packFormat:  "it begins when the members of the older version are gone",
}

// turn has the packs begin that begin before the next record: in a replay those that did, after it the configured one, if it is newer
// than the newest. A pack begins before a record, so that one that would begin at the end of the log waits for the next; until
// then it would have nothing to apply to. It says why the configured pack does not apply; "": it does, or will.
//
// What fires by a sweep is decided, and what resolves is counted, by the packs in force. So that this is a function of the
// records, and not of when a sweep came round, a pack begins where the sweep has come as far as the watermark. False: it has
// not yet, and no record may be folded before it has (atEdge).
func (l *line) turn(configured *scoring.Pack) (waits string, ok bool) {
	for {
		k, waits := l.beginning(configured)
		if l.turning = k != nil; k == nil {
			return waits, true
		}
		if l.sweeping() {
			return "", false
		}
		l.activate(k)
		l.packs.ahead = l.packs.ahead[min(1, len(l.packs.ahead)):]
	}
}

// beginning is the pack that begins before the next record; nil: none, as far as the configured one goes for the reason given.
func (l *line) beginning(configured *scoring.Pack) (k *scoring.Pack, waits string) {
	g := l.packs
	if len(g.ahead) > 0 && g.ahead[0].offset <= l.next {
		return g.ahead[0].pack, ""
	}
	if l.next < l.mark.Offset {
		return nil, ""
	}
	newest := g.newest().Pack
	if len(g.refs) == 0 && l.staged.format >= scoring.NewestProfile {
		l.begins = append(l.begins, newest)
		g.refs = append(g.refs, RefOf(newest))
		return nil, ""
	}
	switch {
	case configured.Hash == newest.Hash:
	case configured.Name != newest.Name:
		return nil, packOther
	case CompareVersions(configured.Version, newest.Version) <= 0:
		return nil, packOlder
	case l.staged.format < scoring.NewestProfile:
		return nil, packFormat
	case len(g.scorers) == maxGenerations:
		return nil, packTooMany
	default:
		return configured, ""
	}
	return nil, ""
}

// activate makes k the pack of all customers from their next event on.
func (l *line) activate(k *scoring.Pack) {
	if k.Horizon != l.scorer.Pack.Horizon {
		l.learnt, l.curve = Learnt{}, scoring.Curve{} // it was the answer to another question
	}
	l.packs.add(k)
	l.packs.refs = append(l.packs.refs, RefOf(k))
	l.scorer, l.generation = l.packs.newest(), uint8(len(l.packs.scorers)-1)
	l.begins = append(l.begins, k)
}

// announce puts the packs that begin with the batch into its commit.
func (l *line) announce() {
	s := l.staged
	for _, k := range l.begins {
		l.packs.unsaved = append(l.packs.unsaved, PackBytes{k.Hash, k.Canonical()})
		for _, e := range []Entry{
			{Kind: EntryPack, Offset: l.next, Pack: RefOf(k), Canonical: k.Canonical()},
			{Kind: EntryControl, Offset: l.next, Pack: RefOf(k), First: len(l.packs.refs) == 1},
		} {
			if !l.mark.Covers(&e) {
				s.append(&e, nil)
			}
		}
	}
	s.commit.Packs, l.packs.unsaved, l.begins = l.packs.unsaved, nil, nil
}

// migrate makes the customer of an event one of the newest pack. What was due before the event has fired.
func (l *line) migrate(c *customer, e *Event) {
	if !c.profile.Empty() {
		m := l.packs.migration(c.profile.Generation)
		decisions := m.Leave(l.look(c), e.Time)
		for i := range decisions {
			l.decide(c, &decisions[i], e.Offset, Due{}, l.cause(e))
		}
		m.Enter(&l.at, e.Time)
		l.cache.keep(c, l.at.Features)
	}
	c.profile.Generation, c.profile.Probe = l.generation, scoring.Probe{} // what is pending asks the older pack's question
}

// cause is what an alert says of the event that caused it.
func (l *line) cause(e *Event) scoring.Cause {
	return scoring.Cause{EventID: e.ID, EventType: e.Type, Partition: l.partition, Offset: e.Offset, Time: e.Time}
}

// readFor has the batch hold the properties that the newest pack reads: it may have been decoded before that began.
func (b *batch) readFor(k *scoring.Pack) {
	if b.pack == k || len(b.events) == 0 {
		return
	}
	b.pack = k
	b.decoder.Reading(k)
	b.decode()
}
