package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"ebb/scoring"
)

// versionOf is a pack of that name and version that reads one property.
func versionOf(t *testing.T, name, version, property string) *scoring.Pack {
	t.Helper()
	text := fmt.Sprintf("name: %s\nversion: %q\nhorizon: 30d\nactivity: [buy]\nsignals:\n  low: {types: [buy], where: [{property: %s, at_most: 2}]}\n"+
		"features:\n  lows: {kind: count, of: low, within: 30d}\n", name, version, property)
	k, err := scoring.Load("p.yaml", func(string) ([]byte, error) { return []byte(text), nil }, scoring.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func lineOf(k *scoring.Pack, format int) *line {
	return newLine(&Config{Pack: k, Profiles: format, CacheCustomers: 16}, &Standing{})
}

// TestTurn: which configured pack begins, and why another does not.
func TestTurn(t *testing.T) {
	active := versionOf(t, "shop", "2", "stars")
	for name, c := range map[string]struct {
		configured *scoring.Pack
		format     int
		earlier    int   // packs that the partition had before
		published  int64 // the line is in a replay below it
		waits      string
		begins     bool
	}{
		"the same":           {configured: active},
		"newer":              {configured: versionOf(t, "shop", "10", "stars"), begins: true},
		"older":              {configured: versionOf(t, "shop", "1", "stars"), waits: packOlder},
		"other content":      {configured: versionOf(t, "shop", "2", "mark"), waits: packOlder},
		"another name":       {configured: versionOf(t, "store", "3", "stars"), waits: packOther},
		"members of before":  {configured: versionOf(t, "shop", "3", "stars"), format: scoring.OldestProfile, waits: packFormat},
		"the 256th":          {configured: versionOf(t, "shop", "3", "stars"), earlier: 254, begins: true},
		"one more":           {configured: versionOf(t, "shop", "3", "stars"), earlier: 255, waits: packTooMany},
		"newer, in a replay": {configured: versionOf(t, "shop", "3", "stars"), published: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := lineOf(active, cmp.Or(c.format, scoring.NewestProfile))
			l.mark.Offset = c.published
			l.packs.refs = []PackRef{RefOf(active)}
			for range c.earlier {
				l.packs.add(active)
			}
			before := len(l.packs.scorers)
			if got, _ := l.turn(c.configured); got != c.waits || (len(l.packs.scorers) > before) != c.begins {
				t.Errorf("waits %q, want %q; begins %v", got, c.waits, len(l.packs.scorers) > before)
			}
			if c.begins && (l.scorer.Pack.Hash != c.configured.Hash || int(l.generation) != before) {
				t.Errorf("generation %d of pack %s", l.generation, l.scorer.Pack.Version)
			}
		})
	}
}

// TestBatchIsReadForTheNewPack: a batch that was decoded before the pack began holds the properties that it reads.
func TestBatchIsReadForTheNewPack(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "stars"), versionOf(t, "shop", "2", "mark")
	l := lineOf(older, scoring.NewestProfile)
	b := &batch{}
	b.decoder, b.pack = NewDecoder(0).Reading(older), older
	b.fetched.Records = []Record{{Value: []byte(`{"customer":"c","type":"buy","time":"2026-03-01T10:00:00Z","properties":{"stars":5,"mark":1}}`)}}
	b.fetched.Next = 1
	b.decode()
	l.packs.refs = []PackRef{RefOf(older)}
	l.turn(newer)
	b.readFor(l.scorer.Pack)
	if s := l.scorer.Pack.Signal(b.events[0].Type, b.events[0].Properties...); s.Named != 1 {
		t.Errorf("%+v of %+v: not the low mark that it is", s, b.events[0].Properties)
	}
	want := l.wanted(b)
	want.Profiles, want.Due = make([][]byte, len(want.Keys)), make([][]byte, len(want.Buckets))
	s := l.fold(b)
	if m := &s.commit.Meta; m.Pack != newer.Hash || len(m.Packs) != 2 || len(s.commit.Packs) != 1 || s.commit.Packs[0].Hash != newer.Hash {
		t.Errorf("committed %+v with %d packs", m, len(s.commit.Packs))
	}
	kinds := []EntryKind{}
	for i := range s.commit.Outbox {
		kinds = append(kinds, mustRead(s.commit.Outbox[i]).Kind)
	}
	if !slices.Equal(kinds, []EntryKind{EntryPack, EntryControl}) {
		t.Errorf("the outbox holds %v", kinds)
	}
}

// written is a Ledger of what it holds.
type written struct {
	controls []Control
	packs    []PackBytes
}

func (w *written) Controls(context.Context, Identity) ([]Control, error) {
	return slices.Clone(w.controls), nil
}

func (w *written) Packs(_ context.Context, hashes []string) (found []PackBytes, err error) {
	for _, k := range w.packs {
		if slices.Contains(hashes, k.Hash) {
			found = append(found, k)
		}
	}
	return found, nil
}

// TestGenerations: which packs a takeover finds, and where those of a replay begin.
func TestGenerations(t *testing.T) {
	v := []*scoring.Pack{versionOf(t, "shop", "1", "a"), versionOf(t, "shop", "2", "b"), versionOf(t, "shop", "3", "c")}
	begin := func(k *scoring.Pack, at int64, first bool) Control {
		return Control{Kind: ControlPack, Offset: at, Pack: RefOf(k), First: first}
	}
	history := []Control{begin(v[2], 0, true), begin(v[1], 3, false), begin(v[0], 0, true), begin(v[1], 40, false), begin(v[2], 70, false)}
	var all []PackBytes
	for _, k := range v {
		all = append(all, PackBytes{k.Hash, k.Canonical()})
	}
	for name, c := range map[string]struct {
		held      []*scoring.Pack // by the state
		next      int64
		published int64
		mark      *scoring.Pack
		ledger    written
		packs     []string // versions, with where they begin
		code      string
	}{
		"never announced":                    {next: 50, published: 50, packs: []string{"1"}},
		"in order":                           {held: v[:2], next: 50, published: 50, mark: v[1], packs: []string{"1", "2"}},
		"rolled back over one":               {held: v[:2], next: 50, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"1", "2", "3@70"}},
		"rolled back over two":               {held: v[:1], next: 40, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"1", "2@40", "3@70"}},
		"rolled back, not so far":            {held: v[:2], next: 50, published: 70, mark: v[1], ledger: written{history, all}, packs: []string{"1", "2"}},
		"emptied":                            {next: 0, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"1", "2@40", "3@70"}},
		"emptied, to begin in the middle":    {next: 60, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"2", "3@70"}},
		"emptied, to begin at the published": {next: 90, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"3"}},
		"emptied, to begin where one begins": {next: 40, published: 90, mark: v[2], ledger: written{history, all}, packs: []string{"2", "3@70"}},
		"an earlier group of this name": {
			held: v[:1], next: 40, published: 90, mark: v[2], packs: []string{"1", "2@40", "3@70"},
			ledger: written{append([]Control{begin(v[2], 0, true), begin(v[0], 80, false)}, history[2:]...), all},
		},
		"older than what is known": {next: 0, published: 90, mark: v[2], ledger: written{history[3:], all}, packs: []string{"2", "3@70"}},
		"control records lost":     {held: v[:1], next: 40, published: 90, mark: v[2], ledger: written{history[:4], all}, code: "control_lost"},
		"all control records lost": {next: 0, published: 90, mark: v[2], code: "control_lost"},
		"pack lost":                {held: v[:1], next: 40, published: 90, mark: v[2], ledger: written{history, all[:2]}, code: "pack_lost"},
		"pack damaged":             {held: v[:1], next: 40, published: 90, mark: v[2], ledger: written{history, []PackBytes{all[1], {v[2].Hash, all[1].Canonical}}}, code: "pack_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWorker(Config{Identity: Identity{Group: "g", Input: "i"}, Pack: v[0], Ledger: &c.ledger})
			s := &Standing{Meta: Meta{Next: c.next}, Mark: Mark{Offset: c.published}}
			if c.mark != nil {
				s.Mark.Pack = c.mark.Hash
			}
			for _, k := range c.held {
				s.Meta.Packs = append(s.Meta.Packs, RefOf(k))
				s.packs = append(s.packs, PackBytes{k.Hash, k.Canonical()})
			}
			g, err := w.generations(t.Context(), s)
			var stop *HardStop
			if errors.As(err, &stop) && stop.Code == c.code && c.code != "" {
				return
			}
			if err != nil || c.code != "" {
				t.Fatalf("error %v, want code %q", err, c.code)
			}
			var packs []string
			for _, s := range g.scorers {
				packs = append(packs, s.Pack.Version)
			}
			for _, a := range g.ahead {
				packs = append(packs, fmt.Sprintf("%s@%d", a.pack.Version, a.offset))
			}
			if !slices.Equal(packs, c.packs) {
				t.Errorf("%v, want %v", packs, c.packs)
			}
		})
	}
}

// tenRecords is a Log of ten records, whatever is asked for.
type tenRecords struct{ Log }

func (tenRecords) Fetch(_ context.Context, offset int64, f *Fetched) error {
	f.Records = f.Records[:0]
	for o := offset; o < 10; o++ {
		f.Records = append(f.Records, Record{Offset: o, Value: []byte("x")})
	}
	f.Next, f.End = 10, 10
	return nil
}

// TestNoBatchReachesOverAnEdge: a batch ends where the published position lies, and before each record at which a pack begins.
func TestNoBatchReachesOverAnEdge(t *testing.T) {
	k := versionOf(t, "shop", "1", "a")
	g := newGenerations(k)
	g.ahead = []activation{{3, k}, {5, k}}
	p := startPrefetch(t.Context(), tenRecords{}, 0, 10, g.edges(8), func() (*Decoder, *scoring.Pack) { return NewDecoder(0), k })
	defer p.close()
	var ends []int64
	for b := range p.ready {
		ends = append(ends, b.fetched.Next)
		p.release(b)
	}
	if want := []int64{3, 5, 8, 10}; !slices.Equal(ends, want) {
		t.Errorf("batches end at %v, want %v", ends, want)
	}
}

// TestReplayAnnouncesNothing: what was published of a pack is not published again.
func TestReplayAnnouncesNothing(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "a"), versionOf(t, "shop", "2", "b")
	l := lineOf(older, scoring.NewestProfile)
	l.packs.refs, l.packs.ahead, l.mark.Offset = []PackRef{RefOf(older)}, []activation{{0, newer}}, 1
	b := &batch{}
	b.fetched.Next = 1
	l.turn(newer)
	l.wanted(b)
	if s := l.fold(b); l.scorer.Pack.Hash != newer.Hash || len(s.commit.Outbox) != 0 || len(s.commit.Packs) != 1 {
		t.Errorf("pack %s, outbox of %d, %d packs to keep", l.scorer.Pack.Version, len(s.commit.Outbox), len(s.commit.Packs))
	}
}
