package line

import (
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// TestBeginPackForgetsAnotherQuestion: what probes have taught is kept under a newer pack of the same horizon, and
// dropped under one with another.
func TestBeginPackForgetsAnotherQuestion(t *testing.T) {
	active := versionOf(t, "shop", "2", "stars")
	same := versionOf(t, "shop", "3", "stars")
	other, err := pack.LoadCanonical([]byte(string(same.Canonical())))
	if err == nil {
		other, err = pack.Load(
			"shop.yaml",
			func(string) ([]byte, error) { return same.Canonical(), nil },
			pack.Overrides{Horizon: 31 * 24 * time.Hour},
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, newer := range []*pack.Pack{same, other} {
		l := lineOf(active)
		l.meta.Packs = []pipeline.PackRef{pipeline.RefOf(active)}
		l.meta.Learnt.Unclassed.Resolved[7], l.meta.Learnt.End = 200, 1_000_000
		l.curves = l.meta.Learnt.Curves()
		if l.ApplyControls(newer); l.scorer.Pack.Hash != newer.Hash {
			t.Fatal("it has not begun")
		}
		kept := l.meta.Learnt.Unclassed.Resolved[7] == 200 && l.curves.All.Probes == 200
		if kept != (newer == same) || !kept && (l.meta.Learnt != model.Calibration{} || l.curves != model.Curves{}) {
			t.Errorf("horizon %v: kept %v", newer.Horizon, kept)
		}
	}
}

// TestProbesOfTheNewestPack: a customer who has not moved to it yet is not probed, and one who moves to it has no probe
// pending.
func TestProbesOfTheNewestPack(t *testing.T) {
	older, newer := versionOf(t, "shop", "1", "a"), versionOf(t, "shop", "2", "b")
	l := lineOf(older)
	l.meta.Packs = []pipeline.PackRef{pipeline.RefOf(older)}
	l.beginPack(newer)
	const at = 1_700_000_040_000
	pending := profile.Probe{Next: at / pipeline.MinuteMillis, Cell: 9}
	begin := func(epoch uint8) *customer {
		c := &customer{}
		c.profile.Visits, c.profile.First, c.profile.Last, c.profile.At = 1, at-40*pipeline.DayMillis, at-40*pipeline.DayMillis, at-40*pipeline.DayMillis
		c.profile.PackEpoch, c.profile.Probe = epoch, pending
		return c
	}
	c := begin(0)
	if l.probe(c, at); c.profile.Probe != pending || l.meta.Learnt != (model.Calibration{}) || l.probeMinute(c) != 0 {
		t.Errorf("probed: %+v", c.profile.Probe)
	}
	if l.migrate(c, &pipeline.Event{Time: at}); c.profile.Probe != (profile.Probe{}) || c.profile.PackEpoch != 1 {
		t.Errorf("after its migration to pack %d: %+v", c.profile.PackEpoch, c.profile.Probe)
	}
	c = begin(1)
	if l.probe(c, at); c.profile.Probe == pending || l.meta.Learnt.Unclassed.Open[8].Silent != 1 {
		t.Errorf("not probed: %+v", c.profile.Probe)
	}
}

// TestBarrier: an epoch is over at its very end.
func TestBarrier(t *testing.T) {
	l := lineOf(versionOf(t, "shop", "1", "a"))
	l.meta.Clock.Started, l.meta.Learnt.End = true, 28_000_000
	for ahead, want := range map[int64]bool{-1: false, 0: true, 1: true} {
		l.meta.Clock.Watermark = l.meta.Learnt.End*pipeline.MinuteMillis + ahead
		if l.atBarrier() != want {
			t.Errorf("%d ms from the end: %v", ahead, !want)
		}
	}
}
