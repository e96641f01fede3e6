package model_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/scoringtest"
)

// resolved is a probe after its resolution.
type resolved struct {
	score  float64
	silent bool
	minute int64
}

func drawResolved(t *rapid.T, most int) []resolved {
	all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) resolved {
		return resolved{
			rapid.Float64Range(-12, 12).Draw(t, "score"),
			rapid.Bool().Draw(t, "silent"),
			scoringtest.Begin/60_000 + rapid.Int64Range(0, 300*1440).Draw(t, "at"),
		}
	}), 1, most).Draw(t, "probes")
	slices.SortFunc(all, func(a, b resolved) int { return cmpInt(a.minute, b.minute) })
	return all
}

func cmpInt(a, b int64) int { return int(a - b) }

// TestCalibrationFades: by the end of an epoch each probe weighs e^-(age/horizon), its age counted in whole epochs,
// whatever the order within each epoch and however many epochs close at once.
func TestCalibrationFades(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack := scoringtest.Must(
			pack.Load(
				"retail",
				nil,
				pack.Overrides{Horizon: time.Duration(rapid.Int64Range(24*60, 100*24*60).Draw(t, "minutes")) * time.Minute},
			),
		)
		epoch := pack.Model.EpochEnd(0)
		if h := int64(pack.Horizon.Minutes()); epoch > h/8 || epoch < h/8-1 {
			t.Fatalf("epochs of %d minutes, the horizon has %d", epoch, h)
		}
		probes := drawResolved(t, 60)
		end := probes[len(probes)-1].minute + rapid.Int64Range(0, 3000*1440).Draw(t, "later")
		var c, steps model.Calibration
		pack.Model.Advance(&c, probes[0].minute)
		pack.Model.Advance(&steps, probes[0].minute)
		for _, r := range probes {
			pack.Model.Advance(&c, r.minute)
			for pack.Model.Advance(&steps, min(steps.End, r.minute)) {
			}
			c.Add(r.score, r.silent)
			steps.Add(r.score, r.silent)
		}
		pack.Model.Advance(&c, end)
		for pack.Model.Advance(&steps, min(steps.End, end)) {
		}
		if c != steps {
			t.Fatalf("%+v at once, %+v one by one", c, steps)
		}
		if want := (end/epoch + 1) * epoch; c.End != want {
			t.Fatalf("the open epoch ends in %d, want %d", c.End, want)
		}
		var n, silent [64]float64
		open := 0
		for _, r := range probes {
			age := end/epoch - r.minute/epoch
			if age == 0 {
				open++
				continue
			}
			cell := int(min(max(math.Floor((r.score+8)*4), 0), 63))
			weight := math.Exp(-float64((age-1)*epoch) / pack.Horizon.Minutes())
			n[cell] += weight
			if r.silent {
				silent[cell] += weight
			}
		}
		for i := range n {
			if math.Abs(n[i]-c.Unclassed.Resolved[i]) > 1e-5 || math.Abs(silent[i]-c.Unclassed.Silent[i]) > 1e-5 {
				t.Fatalf(
					"cell %d: %v of %v silent, want %v of %v",
					i,
					c.Unclassed.Silent[i],
					c.Unclassed.Resolved[i],
					silent[i],
					n[i],
				)
			}
			open -= int(c.Unclassed.Open[i].Resolved)
		}
		if open != 0 {
			t.Fatalf("%d of the open epoch are missing", open)
		}
	})
}

// TestAdvanceFar: an advance over all of time is little work, and leaves nothing.
func TestAdvanceFar(t *testing.T) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{Horizon: 24 * time.Hour}))
	var c model.Calibration
	for range 1_000_000 {
		c.Add(1, true)
	}
	if pack.Model.Advance(&c, 5) || !pack.Model.Advance(&c, 146_000_000) {
		t.Fatal("closed before it began, or not closed")
	}
	if c != (model.Calibration{End: c.End}) || c.End <= 146_000_000 {
		t.Fatalf("%+v", c)
	}
	if n := testing.AllocsPerRun(1, func() { pack.Model.Advance(&c, 1_000_000_000_000) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// closed closes the open epoch of a table.
func closed(c *model.Calibration) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	pack.Model.Advance(c, 0)
	pack.Model.Advance(c, c.End)
}

// TestCurve compares the curve with isotonic regression by its min-max formula: the pooled value of a group is the
// greatest, over all beginnings, of the least mean over all ends.
func TestCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c model.Calibration
		lean := rapid.Float64Range(-2, 2).Draw(t, "lean")
		total := 0
		type group struct{ x, p, n float64 }
		var groups []group
		var g group
		for cell := range 64 {
			n := rapid.SampledFrom([]int{0, 0, 1, 7, 29, 40, 200}).Draw(t, "n")
			score := -8 + (float64(cell)+0.5)/4
			silent := min(n, int(float64(n)/(1+math.Exp(lean-score))+3*rapid.Float64Range(0, 1).Draw(t, "noise")))
			for i := range n {
				c.Add(score, i < silent)
			}
			total += n
			g.x, g.p, g.n = g.x+score*float64(n), g.p+float64(silent), g.n+float64(n)
			if g.n >= 30 {
				groups = append(groups, g)
				g = group{}
			}
		}
		if last := len(groups) - 1; last >= 0 { // what is left joins the last
			groups[last] = group{groups[last].x + g.x, groups[last].p + g.p, groups[last].n + g.n}
		}
		for i, g := range groups {
			groups[i] = group{g.x / g.n, (g.p + 0.5) / (g.n + 1), g.n}
		}
		if cold := c.Curve(); cold.Probes != 0 {
			t.Fatalf("%v probes of an epoch that is open", cold.Probes)
		}
		closed(&c)
		curve := c.Curve()
		if curve.Provisional() != (total < 100) || math.Abs(curve.Probes-float64(total)) > 1e-6 {
			t.Fatalf("provisional %v with %v probes, %d were added", curve.Provisional(), curve.Probes, total)
		}
		last := -1.0
		for score := -12.0; score < 12; score += 0.05 {
			p := curve.Probability(score)
			if !(p >= last && p > 0 && p < 1) {
				t.Fatalf("%v at %v, after %v", p, score, last)
			}
			last = p
			r := curve.At(score)
			if r.Probability(score) != p || r.Provisional() != curve.Provisional() || r.Probes > uint32(total) ||
				r.Number == 0 && r.Probes != uint32(total) || r.Number > 0 && r.Probes < 30*uint32(r.Number) {
				t.Fatalf("%v at %v by the curve, %+v", p, score, r)
			}
			if r.Number == 2 && !(r.Points[0].LogOdds < score && score <= r.Points[1].LogOdds) {
				t.Fatalf("%v lies not between the points of %+v", score, r)
			}
		}
		if curve.Provisional() {
			if got, want := curve.Probability(1), 1/(1+math.Exp(-1)); math.Abs(got-want) > 1e-12 {
				t.Fatalf("%v at 1 without probes, want %v", got, want)
			}
			return
		}
		pooled := func(i int) float64 {
			best := math.Inf(-1)
			for from := 0; from <= i; from++ {
				least := math.Inf(1)
				for to := i; to < len(groups); to++ {
					var p, n float64
					for _, g := range groups[from : to+1] {
						p, n = p+g.p*g.n, n+g.n
					}
					least = min(least, p/n)
				}
				best = max(best, least)
			}
			return best
		}
		// Between two groups of one pool the curve passes through neighbouring pools, so the comparison is where pools have
		// their points.
		for i := 0; i < len(groups); {
			j, x, n := i, 0.0, 0.0
			for ; j < len(groups) && math.Abs(pooled(j)-pooled(i)) < 1e-12; j++ {
				x, n = x+groups[j].x*groups[j].n, n+groups[j].n
			}
			if got := curve.Probability(x / n); math.Abs(got-pooled(i)) > 2e-6 { // points have six decimals
				t.Fatalf("%v at %v, want %v", got, x/n, pooled(i))
			}
			i = j
		}
	})
}

func TestCalibrationCodec(t *testing.T) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{Horizon: 5 * 24 * time.Hour}))
	rapid.Check(t, func(t *rapid.T) {
		var c, back model.Calibration
		for _, r := range drawResolved(t, 100) {
			pack.Model.Advance(&c, r.minute)
			c.Add(r.score, r.silent)
		}
		b := model.AppendCalibration([]byte("x"), &c)[1:]
		if err := model.ReadCalibration(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" || len(b) > 24+64*(16+10) {
			t.Fatalf("%d bytes (-want +got):\n%s", len(b), diff)
		}
		if err := model.ReadCalibration(b[:len(b)-1], &back); !errors.Is(err, model.ErrCalibrationDamaged) {
			t.Fatalf("cut short: %v", err)
		}
	})
	for name, b := range map[string][]byte{
		"nothing": {},
		"more silent than resolved": model.AppendCalibration(
			nil,
			&model.Calibration{Unclassed: model.Table{Resolved: [64]float64{1}, Silent: [64]float64{2}}},
		),
		"not a number": model.AppendCalibration(
			nil,
			&model.Calibration{Unclassed: model.Table{Resolved: [64]float64{math.Inf(1)}, Silent: [64]float64{math.NaN()}}},
		),
		"before all time": model.AppendCalibration(nil, &model.Calibration{End: -1}),
		"after all time":  model.AppendCalibration(nil, &model.Calibration{End: 1 << 40}),
		"more silent in the open epoch": model.AppendCalibration(
			nil,
			&model.Calibration{Unclassed: model.Table{Open: [64]model.Outcomes{{Resolved: 1, Silent: 2}}}},
		),
		"a longer number": append(
			model.AppendCalibration(nil, &model.Calibration{Unclassed: model.Table{Open: [64]model.Outcomes{{Resolved: 1}}}})[:24],
			0x81,
			0,
			0,
		),
		"a byte more": append(model.AppendCalibration(nil, &model.Calibration{}), 0),
	} {
		if err := model.ReadCalibration(b, new(model.Calibration)); !errors.Is(err, model.ErrCalibrationDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadCalibration: accepted bytes are encoded to the same bytes again, and give a curve that rises.
func FuzzReadCalibration(f *testing.F) {
	f.Add([]byte{})
	var c model.Calibration
	f.Add(model.AppendCalibration(nil, &c))
	for i := range 400 {
		c.Add(float64(i%40)/4-4, i%3 > 0)
		if i == 300 {
			closed(&c)
		}
	}
	f.Add(model.AppendCalibration(nil, &c))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c model.Calibration
		if err := model.ReadCalibration(b, &c); err != nil {
			return
		}
		if again := model.AppendCalibration(nil, &c); !bytes.Equal(again, b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
		curve, last := c.Curve(), 0.0
		for score := -9.0; score < 9; score += 0.1 {
			p := curve.Probability(score)
			if !(p >= last && p <= 1) {
				t.Fatalf("%v at %v, after %v", p, score, last)
			}
			last = p
		}
	})
}

// TestProbedAsSeldomAsNeeded: the more probes begin in an epoch, the fewer do in the next; back again it goes by a
// doubling per epoch.
func TestProbedAsSeldomAsNeeded(t *testing.T) {
	pack := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	var c model.Calibration
	pack.Model.Advance(&c, 1)
	for i, epoch := range []struct {
		begun uint32
		want  uint8
	}{
		{0, 0},
		{1024, 0},
		{1025, 1},
		{1024, 1},
		{700, 1},
		{8 * 1024, 4},
		{1024, 4},
		{100, 3},
		{0, 2},
		{0, 1},
		{0, 0},
		{math.MaxUint32, 16},
	} {
		c.Begun = epoch.begun
		pack.Model.Advance(&c, c.End)
		if c.Seldom != epoch.want || c.Begun != 0 {
			t.Errorf(
				"epoch %d, in which %d begin: a probe every 2^%d horizons after it, want 2^%d; %d begun",
				i,
				epoch.begun,
				c.Seldom,
				epoch.want,
				c.Begun,
			)
		}
	}
}
