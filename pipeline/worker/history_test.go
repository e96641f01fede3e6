package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// written is a Ledger with fixed content.
type written struct {
	controls []pipeline.Control
	packs    []pipeline.PackBytes
}

func (w *written) Controls(context.Context, pipeline.Identity) ([]pipeline.Control, error) {
	return slices.Clone(w.controls), nil
}

func (w *written) Blank(context.Context, pipeline.Identity) (bool, error) {
	return len(w.controls) == 0, nil
}

func (w *written) Packs(_ context.Context, hashes []string) (found []pipeline.PackBytes, err error) {
	for _, k := range w.packs {
		if slices.Contains(hashes, k.Hash) {
			found = append(found, k)
		}
	}
	return found, nil
}

// shopPack is a version of a pack.
func shopPack(t *testing.T, version string) *pack.Pack {
	t.Helper()
	text := fmt.Sprintf("name: shop\nversion: %q\nhorizon: 30d\nactivity: [buy]\n", version)
	k, err := pack.Load("p.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestPackHistory: the packs that a takeover finds, and where those of a replay begin.
func TestPackHistory(t *testing.T) {
	v := []*pack.Pack{shopPack(t, "1"), shopPack(t, "2"), shopPack(t, "3")}
	begin := func(k *pack.Pack, at int64, first bool) pipeline.Control {
		return pipeline.Control{
			Offset: at,
			Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(k), First: first},
		}
	}
	history := []pipeline.Control{
		begin(v[2], 0, true),
		begin(v[1], 3, false),
		begin(v[0], 0, true),
		begin(v[1], 40, false),
		begin(v[2], 70, false),
	}
	var all []pipeline.PackBytes
	for _, k := range v {
		all = append(all, pipeline.PackBytes{Hash: k.Hash, Canonical: k.Canonical()})
	}
	for name, c := range map[string]struct {
		held      []*pack.Pack // by the state
		next      int64
		published int64
		mark      *pack.Pack
		ledger    written
		packs     []string // versions, and where they begin
		code      string
	}{
		"never announced": {next: 50, published: 50, packs: []string{"1"}},
		"in order":        {held: v[:2], next: 50, published: 50, mark: v[1], ledger: written{history, all}, packs: []string{"1", "2"}},
		"rolled back over one": {
			held:      v[:2],
			next:      50,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"1", "2", "3@70"},
		},
		"rolled back over two": {
			held:      v[:1],
			next:      40,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"1", "2@40", "3@70"},
		},
		"rolled back, not so far": {
			held:      v[:2],
			next:      50,
			published: 70,
			mark:      v[1],
			ledger:    written{history, all},
			packs:     []string{"1", "2"},
		},
		"emptied": {
			next:      0,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"1", "2@40", "3@70"},
		},
		"emptied, to begin in the middle": {
			next:      60,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"2", "3@70"},
		},
		"emptied, to begin at the published": {
			next:      90,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"3"},
		},
		"emptied, to begin where one begins": {
			next:      40,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all},
			packs:     []string{"2", "3@70"},
		},
		"an earlier group of this name": {
			held: v[:1], next: 40, published: 90, mark: v[2], packs: []string{"1", "2@40", "3@70"},
			ledger: written{append([]pipeline.Control{begin(v[2], 0, true), begin(v[0], 80, false)}, history[2:]...), all},
		},
		"older than what is known": {
			next:      0,
			published: 90,
			mark:      v[2],
			ledger:    written{history[3:], all},
			packs:     []string{"2", "3@70"},
		},
		"a change of a newer build": {
			held: v[:2], next: 50, published: 90, mark: v[2], code: "state_unreadable",
			ledger: written{
				append(slices.Clone(history), pipeline.Control{Offset: 80, Change: pipeline.Change{Kind: "weather"}}),
				all,
			},
		},
		"a change of a newer build, before": {
			held: v[:2], next: 50, published: 90, mark: v[2], packs: []string{"1", "2", "3@70"},
			ledger: written{append([]pipeline.Control{{Offset: 40, Change: pipeline.Change{Kind: "weather"}}}, history...), all},
		},
		"control records lost": {
			held:      v[:1],
			next:      40,
			published: 90,
			mark:      v[2],
			ledger:    written{history[:4], all},
			code:      "control_lost",
		},
		"all control records lost, the state is whole": {
			held: v[:2], next: 90, published: 90, mark: v[1], packs: []string{"1", "2", "2@90"},
		},
		"all control records lost, the state is older by records alone": {
			held: v[:2], next: 80, published: 90, mark: v[1], packs: []string{"1", "2", "2@90"},
		},
		"all control records lost": {next: 0, published: 90, mark: v[2], code: "control_lost"},
		"pack lost": {
			held:      v[:1],
			next:      40,
			published: 90,
			mark:      v[2],
			ledger:    written{history, all[:2]},
			code:      "pack_lost",
		},
		"pack damaged": {
			held:      v[:1],
			next:      40,
			published: 90,
			mark:      v[2],
			ledger:    written{history, []pipeline.PackBytes{all[1], {Hash: v[2].Hash, Canonical: all[1].Canonical}}},
			code:      "pack_unreadable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(
				Config{Line: line.Config{Identity: pipeline.Identity{Group: "g", Input: "i"}}, Pack: v[0], Ledger: &c.ledger},
			)
			s := &pipeline.Standing{Meta: pipeline.Meta{Next: c.next}, Mark: pipeline.Mark{Offset: c.published}}
			if c.mark != nil {
				s.Mark.Pack = c.mark.Hash
			}
			for _, k := range c.held {
				s.Meta.Packs = append(s.Meta.Packs, pipeline.RefOf(k))
				s.Packs = append(s.Packs, pipeline.PackBytes{Hash: k.Hash, Canonical: k.Canonical()})
			}
			g, err := w.history(t.Context(), s)
			var stop *pipeline.HardStop
			if errors.As(err, &stop) && stop.Code == c.code && c.code != "" {
				return
			}
			if err != nil || c.code != "" {
				t.Fatalf("error %v, want code %q", err, c.code)
			}
			var packs []string
			for _, k := range g.Packs {
				packs = append(packs, k.Version)
			}
			for _, a := range g.Ahead {
				packs = append(packs, fmt.Sprintf("%s@%d", a.Begins.Version, a.Offset))
			}
			if !slices.Equal(packs, c.packs) {
				t.Errorf("%v, want %v", packs, c.packs)
			}
		})
	}
}

// tenRecords is a Log of ten records for any request.
type tenRecords struct{ pipeline.Log }

func (tenRecords) Fetch(_ context.Context, offset int64, f *pipeline.Fetched) error {
	f.Records = f.Records[:0]
	for o := offset; o < 10; o++ {
		f.Records = append(f.Records, pipeline.Record{Offset: o, Value: []byte("x")})
	}
	f.Next, f.End = 10, 10
	return nil
}

// TestNoBatchReachesOverAnEdge: a batch ends at the published position, and before each record at which a pack begins.
func TestNoBatchReachesOverAnEdge(t *testing.T) {
	k := shopPack(t, "1")
	p := &prefetcher{log: tenRecords{}, end: 10, edges: []int64{3, 5, 8}}
	p.start(t.Context(), 0, func() *line.Batch { return batchFor(k) })
	defer p.close()
	var ends []int64
	for b := range p.ready {
		ends = append(ends, b.Fetched.Next)
		p.release(b)
	}
	if want := []int64{3, 5, 8, 10}; !slices.Equal(ends, want) {
		t.Errorf("batches end at %v, want %v", ends, want)
	}
}

// TestNothingIsFoldedOfAnotherInput: records are handed on once the input is known to be the same; where it is not,
// that is the answer, also where the offset is out of what the new topic holds.
func TestNothingIsFoldedOfAnotherInput(t *testing.T) {
	k := shopPack(t, "1")
	stop := &pipeline.HardStop{Code: "topic_changed"}
	for name, c := range map[string]struct {
		log     pipeline.Log
		changed error
		want    error
	}{
		"the same":                {tenRecords{}, nil, nil},
		"another":                 {tenRecords{}, stop, stop},
		"no answer":               {tenRecords{}, pipeline.ErrUnavailable, pipeline.ErrUnavailable},
		"another, out of range":   {outOfRange{}, stop, stop},
		"the same, out of range":  {outOfRange{}, nil, pipeline.ErrOutOfRange},
		"no answer, out of range": {outOfRange{}, pipeline.ErrUnavailable, pipeline.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			p := &prefetcher{log: c.log, end: 10, verify: func(_ context.Context, since time.Time) error {
				if since.Before(began) || since.After(time.Now()) {
					t.Errorf("asked as of %v, the fetch began after %v", since, began)
				}
				return c.changed
			}}
			p.start(t.Context(), 0, func() *line.Batch { return batchFor(k) })
			defer p.close()
			b := <-p.ready
			if !errors.Is(b.Err, c.want) || c.want != nil && len(b.Events) > 0 {
				t.Errorf("%v with %d events, want %v", b.Err, len(b.Events), c.want)
			}
		})
	}
}

// outOfRange is a log that does not hold what is asked for.
type outOfRange struct{ tenRecords }

func (outOfRange) Fetch(context.Context, int64, *pipeline.Fetched) error {
	return pipeline.ErrOutOfRange
}

// batchFor is a batch that is read for a pack.
func batchFor(k *pack.Pack) *line.Batch {
	l := line.New(
		&line.Config{Settings: pipeline.Settings{Rules: decode.Rules}, CacheCustomers: 1},
		&pipeline.Standing{},
		&line.History{Packs: []*pack.Pack{k}},
	)
	return l.NewBatch()
}

// TestHistoryOfAnotherCore: a state that another version of the core decided is a hard stop of its own, with the configured
// pack of any version, and also where the state was emptied to be replayed.
func TestHistoryOfAnotherCore(t *testing.T) {
	now, next := shopPack(t, "1"), shopPack(t, "2")
	canonical := bytes.Replace(now.Canonical(), []byte(`{"core":3,`), []byte(`{"core":1,`), 1)
	sum := sha256.Sum256(canonical)
	then := pipeline.PackBytes{Hash: hex.EncodeToString(sum[:]), Canonical: canonical}
	ref := pipeline.PackRef{Name: now.Name, Version: now.Version, Hash: then.Hash}
	began := written{
		controls: []pipeline.Control{{Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: ref, First: true}}},
		packs:    []pipeline.PackBytes{then},
	}
	held := pipeline.Standing{
		Meta:  pipeline.Meta{Next: 50, Packs: []pipeline.PackRef{ref}},
		Packs: []pipeline.PackBytes{then},
		Mark:  pipeline.Mark{Offset: 50, Pack: then.Hash},
	}
	emptied := pipeline.Standing{Mark: held.Mark}
	for name, c := range map[string]struct {
		configured *pack.Pack
		standing   pipeline.Standing
	}{
		"the same version": {now, held}, "a higher version": {next, held}, "emptied": {next, emptied},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(Config{
				Line: line.Config{Identity: pipeline.Identity{Group: "g", Input: "i"}}, Pack: c.configured, Ledger: &began,
			})
			_, err := w.history(t.Context(), &c.standing)
			var stop *pipeline.HardStop
			if !errors.As(err, &stop) || stop.Code != "core_changed" {
				t.Fatalf("error %v, want code core_changed", err)
			}
			if text := stop.Error(); !strings.Contains(text, "version 1, this build has version 3") {
				t.Error(text)
			}
		})
	}
}
