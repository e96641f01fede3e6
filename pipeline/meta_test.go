package pipeline_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

func drawMeta(t *rapid.T) pipeline.Meta {
	n := func(name string) int64 { return rapid.OneOf(rapid.Just(int64(0)), rapid.Int64()).Draw(t, name) }
	f := func(name string) float64 { return rapid.OneOf(rapid.Just(0.0), rapid.Float64()).Draw(t, name) }
	text := func(name string) string { return rapid.StringN(0, 5, 20).Draw(t, name) }
	m := pipeline.Meta{
		Version:    pipeline.MetaVersion,
		Next:       n("next"),
		WallMillis: n("wall"),
		Partitions: rapid.IntRange(0, 1000).
			Draw(t, "partitions"),
		Cluster: text("cluster"),
		Topic:   text("topic"),
		Pack:    text("pack"),
		Clock: pipeline.Clock{
			Started: rapid.Bool().
				Draw(t, "started"),
			Watermark: n("watermark"),
			Fired:     pipeline.Due{Minute: n("minute"), Hash: rapid.Uint64().Draw(t, "hash")},
			Start:     pipeline.Start{Earliest: n("earliest"), From: n("from"), To: n("to")},
		},
		Population: profile.Population{
			N:      f("n"),
			NAt:    n("n at"),
			Mean:   f("mean"),
			Total:  f("total"),
			NGaps:  f("gaps"),
			GapsAt: n("gaps at"),
			Within: f("within"),
		},
	}
	m.Passed = pipeline.Passed{Live: rapid.Bool().Draw(t, "live"), Minute: n("passed")}
	for range rapid.IntRange(0, 3).Draw(t, "claims") {
		m.Clock.Future = append(
			m.Clock.Future,
			pipeline.FutureEvent{Customer: rapid.Uint64().Draw(t, "customer"), Time: n("time"), Seen: n("seen")},
		)
	}
	for range rapid.IntRange(0, 3).Draw(t, "packs") {
		m.Packs = append(m.Packs, pipeline.PackRef{Hash: text("hash"), Name: text("name"), Version: text("version")})
	}
	if rapid.Bool().Draw(t, "poison") {
		m.Poison.Ring[rapid.IntRange(0, len(m.Poison.Ring)-1).Draw(t, "byte")] = 5
		m.Poison.At, m.Poison.Count = 900, 2
	}
	m.Storms = drawStorms(t)
	for range rapid.IntRange(0, 3).Draw(t, "erased") {
		m.Erased = m.Erased.With(pipeline.Erasure{
			Hash: pipeline.ErasedHash(rapid.Uint64().Draw(t, "who")), Until: n("until"),
		})
	}
	m.Lanes = drawLanes(t)
	if rapid.Bool().Draw(t, "learnt") {
		cell := rapid.IntRange(0, 63).Draw(t, "cell")
		drawn := model.Table{}
		drawn.Resolved[cell], drawn.Silent[cell] = 1e6/7, 1e5/7
		drawn.Open[cell] = model.Outcomes{Resolved: 1 << 20, Silent: 1 << 19}
		if class := rapid.IntRange(0, int(profile.NumClasses)).Draw(t, "class"); class < int(profile.NumClasses) {
			m.Learnt.Classes[class] = drawn
		} else {
			m.Learnt.Unclassed = drawn
		}
		m.Learnt.End = 30_000_000
	}
	return m
}

func TestMetaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMeta(t)
		b := pipeline.AppendMeta(nil, &m)
		got, err := pipeline.ReadMeta(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Fatal(diff)
		}
		for end := range b { // a cut value must not be read as a whole one, except at the end of a section
			if cut, err := pipeline.ReadMeta(b[:end]); err == nil && cmp.Equal(cut, m) {
				t.Fatalf("the first %d of %d bytes say the same", end, len(b))
			}
		}
	})
}

// TestMetaOfAnotherBuild: another layout is recognised by its number, and an unknown section is an error with words.
func TestMetaOfAnotherBuild(t *testing.T) {
	b := pipeline.AppendMeta(nil, &pipeline.Meta{Version: pipeline.MetaVersion, Next: 5})
	m, err := pipeline.ReadMeta(append([]byte{b[0], pipeline.MetaVersion + 1}, b[2:]...))
	if err != nil || m.Version != pipeline.MetaVersion+1 || m.Next != 0 {
		t.Errorf("another layout: %+v, %v", m, err)
	}
	if _, err := pipeline.ReadMeta(
		append(slices.Clone(b), 200, 1, 0),
	); err == nil ||
		!strings.Contains(err.Error(), "newer version") {
		t.Errorf("an unknown section: %v", err)
	}
	packs := pipeline.AppendMeta(
		nil,
		&pipeline.Meta{Version: pipeline.MetaVersion, Packs: []pipeline.PackRef{{Hash: "h"}}},
	)
	for name, b := range map[string][]byte{
		"nothing": nil, "another program's": []byte(`{"version":1}`), "half a section": b[:len(b)-1],
		"a section that is too long": slices.Concat(b, []byte{3, 2, 0, 0}),
		"a section twice":            slices.Concat(packs, packs[2:]),
		"sections in another order":  slices.Concat(packs, b[2:]),
	} {
		if _, err := pipeline.ReadMeta(b); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestMetaOfNoNumbers: a population that is no number is damage.
func TestMetaOfNoNumbers(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m := pipeline.Meta{Version: pipeline.MetaVersion, Population: profile.Population{N: 1, Mean: v}}
		if _, err := pipeline.ReadMeta(pipeline.AppendMeta(nil, &m)); !errors.Is(err, pipeline.ErrMetaDamaged) {
			t.Errorf("a mean of %v: %v", v, err)
		}
	}
}

// TestMetaStaysSmall: every commit writes it.
func TestMetaStaysSmall(t *testing.T) {
	m := pipeline.Meta{
		Version:    pipeline.MetaVersion,
		Next:       math.MaxInt64,
		Cluster:    "MkU3OEVBNTcwNTJENDM2Qg",
		Topic:      "MkU3OEVBNTcwNTJENDM2Qg",
		Partitions: 64,
	}
	m.Poison.Ring[3], m.Poison.Count = 1, 1
	for i := range 64 {
		t := &m.Learnt.Classes[i*int(profile.NumClasses)/64]
		t.Resolved[i], t.Silent[i] = 1e6/7, 1e5/7
		t.Open[i] = model.Outcomes{Resolved: 1 << 20, Silent: 1 << 19}
	}
	for range 8 {
		m.Packs = append(
			m.Packs,
			pipeline.PackRef{Hash: strings.Repeat("0", 64), Name: "marketplace_seller", Version: "2026-11"},
		)
	}
	if n := len(pipeline.AppendMeta(nil, &m)); n > 2700 {
		t.Errorf("%d bytes", n)
	}
}
