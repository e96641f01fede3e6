package scoring_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
)

// history is the times of a customer's visits, in order.
func history(t *rapid.T) []int64 {
	at := begin
	var times []int64
	for range rapid.IntRange(1, 20).Draw(t, "visits") {
		at += rapid.Int64Range(0, rapid.SampledFrom([]int64{day, 30 * day, 400 * day}).Draw(t, "scale")).Draw(t, "gap")
		times = append(times, at)
	}
	return times
}

// TestProbe: whatever the moments at which a customer is looked at, its probes are those that follow from the definition: at
// every instant drawn for it, up to two horizons of silence, the score of what had happened by then, and whether anything did
// within the horizon after.
func TestProbe(t *testing.T) {
	pack := must(scoring.Load("retail", nil, scoring.Overrides{Horizon: 40 * 24 * time.Hour}))
	const horizon = 40 * day
	rapid.Check(t, func(t *rapid.T) {
		times, draw := history(t), rapid.Uint64().Draw(t, "draw")
		end := times[len(times)-1] + rapid.Int64Range(0, 5*horizon).Draw(t, "rest")
		var got scoring.Calibration
		var pop scoring.Population
		var p scoring.Profile
		var probe scoring.Probe
		profiles := make([]scoring.Profile, 0, len(times)) // after each visit
		for i, at := range times {
			if i > 0 && at > times[i-1] && rapid.Bool().Draw(t, "look") {
				pack.Probe(&probe, &p, draw, rapid.Int64Range(times[i-1], at-1).Draw(t, "look at"), &got)
			}
			pack.Probe(&probe, &p, draw, at-1, &got)
			pack.Observe(&p, &pop, scoring.Observation{Time: at, Signal: bought})
			profiles = append(profiles, p)
		}
		pack.Probe(&probe, &p, draw, end, &got)

		var want scoring.Calibration
		first := times[0] + (int64(draw%uint64(horizon))-times[0]%horizon+horizon)%horizon
		for start := first; start+horizon <= end; start += horizon {
			known, silent := 0, true
			for i, at := range times {
				if at <= start {
					known = i
				} else if at <= start+horizon {
					silent = false
				}
			}
			if start-times[known] > 2*horizon {
				continue
			}
			s := pack.Score(&profiles[known], start)
			want.Add(s.Sum(), silent, start+horizon, horizon)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("probes (-want +got):\n%s", diff)
		}
	})
}

// resolved is a probe that has been resolved.
type resolved struct {
	score  float64
	silent bool
	at     int64
}

func drawResolved(t *rapid.T, most int) []resolved {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) resolved {
		return resolved{rapid.Float64Range(-12, 12).Draw(t, "score"), rapid.Bool().Draw(t, "silent"), begin + rapid.Int64Range(0, 300*day).Draw(t, "at")}
	}), 1, most).Draw(t, "probes")
}

// TestCalibrationFades: in whatever order probes are added, each weighs e^-(age/horizon) as of the newest.
func TestCalibrationFades(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		probes := drawResolved(t, 60)
		var c scoring.Calibration
		var newest int64
		for _, r := range probes {
			c.Add(r.score, r.silent, r.at, 90*day)
			newest = max(newest, r.at)
		}
		var n, silent [64]float64
		for _, r := range probes {
			cell := int(min(max(math.Floor((r.score+8)*4), 0), 63))
			weight := math.Exp(-float64(newest-r.at) / (90 * day))
			n[cell] += weight
			if r.silent {
				silent[cell] += weight
			}
		}
		if c.At != newest {
			t.Fatalf("as of %d, want %d", c.At, newest)
		}
		for i := range n {
			if math.Abs(n[i]-c.Resolved[i]) > 1e-9 || math.Abs(silent[i]-c.Silent[i]) > 1e-9 {
				t.Fatalf("cell %d: %v of %v silent, want %v of %v", i, c.Silent[i], c.Resolved[i], silent[i], n[i])
			}
		}
	})
}

// TestCurve holds the curve against isotonic regression by its min-max formula: the pooled value of a group is the greatest,
// over all beginnings, of the least mean over all ends.
func TestCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c scoring.Calibration
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
				c.Add(score, i < silent, begin, 90*day)
			}
			total += n
			g.x, g.p, g.n = g.x+score*float64(n), g.p+float64(silent), g.n+float64(n)
			if g.n >= 30 || cell == 63 && g.n > 0 {
				groups = append(groups, group{g.x / g.n, (g.p + 0.5) / (g.n + 1), g.n})
				g = group{}
			}
		}
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
		// Between two groups of one pool the curve runs through neighbouring pools, so hold it where pools have their points.
		for i := 0; i < len(groups); {
			j, x, n := i, 0.0, 0.0
			for ; j < len(groups) && math.Abs(pooled(j)-pooled(i)) < 1e-12; j++ {
				x, n = x+groups[j].x*groups[j].n, n+groups[j].n
			}
			if got := curve.Probability(x / n); math.Abs(got-pooled(i)) > 1e-9 {
				t.Fatalf("%v at %v, want %v", got, x/n, pooled(i))
			}
			i = j
		}
	})
}

func TestCalibrationCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c, back scoring.Calibration
		for _, r := range drawResolved(t, 100) {
			c.Add(r.score, r.silent, r.at, 5*day)
		}
		b := scoring.AppendCalibration([]byte("x"), &c)[1:]
		if err := scoring.ReadCalibration(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" || len(b) > 16+64*16 {
			t.Fatalf("%d bytes (-want +got):\n%s", len(b), diff)
		}
		if err := scoring.ReadCalibration(b[:len(b)-1], &back); !errors.Is(err, scoring.ErrCalibrationDamaged) {
			t.Fatalf("cut short: %v", err)
		}
	})
	for name, b := range map[string][]byte{
		"nothing":                   {},
		"more silent than resolved": scoring.AppendCalibration(nil, &scoring.Calibration{Resolved: [64]float64{1}, Silent: [64]float64{2}}),
		"not a number":              scoring.AppendCalibration(nil, &scoring.Calibration{Resolved: [64]float64{math.Inf(1)}, Silent: [64]float64{math.NaN()}}),
		"before all time":           scoring.AppendCalibration(nil, &scoring.Calibration{At: -1}),
	} {
		if err := scoring.ReadCalibration(b, new(scoring.Calibration)); !errors.Is(err, scoring.ErrCalibrationDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadCalibration: what is accepted is encoded to the same bytes again, and read as a curve that rises.
func FuzzReadCalibration(f *testing.F) {
	f.Add([]byte{})
	var c scoring.Calibration
	f.Add(scoring.AppendCalibration(nil, &c))
	for i := range 400 {
		c.Add(float64(i%40)/4-4, i%3 > 0, begin+int64(i)*day, 90*day)
	}
	f.Add(scoring.AppendCalibration(nil, &c))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c scoring.Calibration
		if err := scoring.ReadCalibration(b, &c); err != nil {
			return
		}
		if again := scoring.AppendCalibration(nil, &c); !bytes.Equal(again, b) {
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
