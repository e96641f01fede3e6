package line

import (
	"fmt"
	"slices"
	"testing"

	"ebb/pipeline"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// versionOf is a pack of that name and version that reads one property.
func versionOf(t *testing.T, name, version, property string) *pack.Pack {
	t.Helper()
	text := fmt.Sprintf(
		"name: %s\nversion: %q\nhorizon: 30d\nactivity: [buy]\nsignals:\n  low: {types: [buy], where: [{property: %s, "+
			"at_most: 2}]}\n"+
			"features:\n  lows: {kind: count, of: low, within: 30d}\n",
		name,
		version,
		property,
	)
	k, err := pack.Load("p.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func lineOf(k *pack.Pack) *Line {
	l := New(&Config{Format: profile.Format, CacheCustomers: 16}, &pipeline.Standing{}, &History{Packs: []*pack.Pack{k}})
	l.beginSettings(settingsOf(0, 0))
	l.configured = l.meta.Settings
	return l
}

// begins is the control record with which k begins at an offset.
func begins(k *pack.Pack, offset int64) Change {
	return Change{Offset: offset, Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(k)}, Begins: k}
}

// TestConfiguredPack: which configured pack begins, and why another does not.
func TestConfiguredPack(t *testing.T) {
	active := versionOf(t, "shop", "2", "stars")
	for name, c := range map[string]struct {
		configured *pack.Pack
		earlier    int   // packs that the partition had before
		published  int64 // the line is in a replay below it
		waits      string
		begins     bool
	}{
		"the same":           {configured: active},
		"newer":              {configured: versionOf(t, "shop", "10", "stars"), begins: true},
		"older":              {configured: versionOf(t, "shop", "1", "stars"), waits: PackOlder},
		"other content":      {configured: versionOf(t, "shop", "2", "mark"), waits: PackOlder},
		"another name":       {configured: versionOf(t, "store", "3", "stars"), waits: PackOther},
		"the 256th":          {configured: versionOf(t, "shop", "3", "stars"), earlier: 254, begins: true},
		"one more":           {configured: versionOf(t, "shop", "3", "stars"), earlier: 255, waits: PackTooMany},
		"newer, in a replay": {configured: versionOf(t, "shop", "3", "stars"), published: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := lineOf(active)
			l.mark.Offset = c.published
			l.meta.Packs = []pipeline.PackRef{pipeline.RefOf(active)}
			for range c.earlier {
				l.packs.add(active)
			}
			before := len(l.packs.scorers)
			_, got, _ := l.ApplyControls(c.configured)
			if got != c.waits || (len(l.packs.scorers) > before) != c.begins {
				t.Errorf("waits %q, want %q; begins %v", got, c.waits, len(l.packs.scorers) > before)
			}
			if c.begins && (l.scorer.Pack.Hash != c.configured.Hash || int(l.epoch) != before) {
				t.Errorf("number %d of pack %s", l.epoch, l.scorer.Pack.Version)
			}
		})
	}
}

// TestBatchIsReadForTheNewPack: a batch that was decoded before the pack began holds the properties that it reads.
func TestBatchIsReadForTheNewPack(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "stars"), versionOf(t, "shop", "2", "mark")
	l := lineOf(older)
	b := l.NewBatch()
	b.Fetched.Records = []pipeline.Record{
		{Value: []byte(`{"customer":"c","type":"buy","time":"2026-03-01T10:00:00Z","properties":{"stars":5,"mark":1}}`)},
	}
	b.Fetched.Next = 1
	b.Decode()
	l.meta.Packs = []pipeline.PackRef{pipeline.RefOf(older)}
	l.ApplyControls(newer)
	l.ReadAgain(b)
	if s := l.scorer.Pack.Signal(b.Events[0].Type, b.Events[0].Properties...); s.Named != 1 {
		t.Errorf("%+v of %+v: not the low mark that it is", s, b.Events[0].Properties)
	}
	want := l.Wanted(b)
	want.Profiles, want.Due = make([][]byte, len(want.Keys)), make([][]byte, len(want.Buckets))
	s := l.Fold(b)
	m := &s.Commit.Meta
	if m.Pack != newer.Hash || len(m.Packs) != 2 || len(s.Commit.Packs) != 1 || s.Commit.Packs[0].Hash != newer.Hash {
		t.Errorf("committed %+v with %d packs", m, len(s.Commit.Packs))
	}
	kinds := []pipeline.EntryKind{}
	for i := range s.Commit.Outbox {
		kinds = append(kinds, pipeline.MustReadEntry(s.Commit.Outbox[i]).Kind)
	}
	if !slices.Equal(kinds, []pipeline.EntryKind{pipeline.EntryPack, pipeline.EntryControl}) {
		t.Errorf("the outbox holds %v", kinds)
	}
}

// TestReplayAnnouncesNothing: a published pack is not published again.
func TestReplayAnnouncesNothing(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "a"), versionOf(t, "shop", "2", "b")
	l := lineOf(older)
	l.meta.Packs, l.ahead, l.mark.Offset = []pipeline.PackRef{pipeline.RefOf(older)}, []Change{begins(newer, 0)}, 1
	b := &Batch{}
	b.Fetched.Next = 1
	l.ApplyControls(newer)
	l.Wanted(b)
	if s := l.Fold(b); l.scorer.Pack.Hash != newer.Hash || len(s.Commit.Outbox) != 0 || len(s.Commit.Packs) != 1 {
		t.Errorf("pack %s, outbox of %d, %d packs to keep", l.scorer.Pack.Version, len(s.Commit.Outbox), len(s.Commit.Packs))
	}
}

// TestChangeStillToComeIsKept: a configured pack that begins leaves the control records of a replay where they are.
func TestChangeStillToComeIsKept(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "a"), versionOf(t, "shop", "2", "b")
	l := lineOf(older)
	l.meta.Packs, l.ahead = []pipeline.PackRef{pipeline.RefOf(older)}, []Change{begins(versionOf(t, "shop", "3", "c"), 5)}
	applied, waits, ok := l.ApplyControls(newer)
	if len(applied) != 1 || applied[0].Begins != newer || waits != "" || !ok || len(l.ahead) != 1 {
		t.Errorf("%d applied, %d ahead, waits %q, %v", len(applied), len(l.ahead), waits, ok)
	}
}

// TestEdges: no batch may cross the published position, nor a record before which a pack begins.
func TestEdges(t *testing.T) {
	k := versionOf(t, "shop", "1", "stars")
	l := New(
		&Config{CacheCustomers: 16},
		&pipeline.Standing{Mark: pipeline.Mark{Offset: 8}},
		&History{Packs: []*pack.Pack{k}, Ahead: []Change{begins(k, 5), begins(k, 9)}},
	)
	if want := []int64{5, 8, 9}; !slices.Equal(l.Edges(), want) {
		t.Errorf("edges at %v, want %v", l.Edges(), want)
	}
}
