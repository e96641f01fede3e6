package scoring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// TestBits compares bit patterns with those of amd64: of elementary functions, of profiles, populations and
// calibrations after random histories, of scores and deadlines. It runs on other processors too, and only ebb's own
// code in it may depend on the processor (math/rand/v2's Uint64 and Float64 do not).
func TestBits(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var b strings.Builder
	hex := func(values ...float64) {
		for _, v := range values {
			fmt.Fprintf(&b, " %016x", math.Float64bits(v))
		}
		b.WriteByte('\n')
	}
	for range 100 {
		x := 60 * (r.Float64() - 0.5)
		b.WriteString("exp log")
		hex(x, exact.Exp(x), exact.Log(exact.Exp(x)), exact.Log(1+x*x))
	}
	var pop profile.Population
	var calibration model.Calibration
	for history := range 120 {
		k := scoringtest.Must(
			pack.Load("retail", nil, pack.Overrides{Horizon: time.Duration(1+r.IntN(300)) * 24 * time.Hour}),
		)
		p := scoringtest.Eligible()
		now := int64(1_500_000_000_000) + r.Int64N(1e10)
		pace := 1 + 60*r.Float64()*r.Float64()
		for range 1 + r.IntN(15) {
			now += int64(scoringtest.Day * pace * r.Float64() * 2)
			for p.Armed != 0 && p.Armed <= now/60_000 {
				scoringtest.Wake(k, &p)
			}
			scoringtest.Probe(k, &p, now-1, &calibration)
			signal := []pack.Signal{scoringtest.Bought, scoringtest.Bought, scoringtest.Bought, scoringtest.Failed}[r.IntN(4)]
			scoringtest.Observe(k, &p, &pop, scoring.Observation{Time: now, Signal: signal})
		}
		fmt.Fprintf(&b, "profile %d armed %d profile", history, p.Armed)
		hex(p.W, p.Mu, p.M2, p.Level, p.Friction, p.M, p.K)
		for range 3 {
			s := scoringtest.ScoreOf(k, &p, now+r.Int64N(400*scoringtest.Day))
			b.WriteString("score")
			hex(append(s.Terms[:], s.Sum(), s.Probability())...)
		}
	}
	b.WriteString("population")
	hex(pop.N, pop.Mean, pop.Total, pop.NGaps, pop.Within)
	retail := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	retail.Model.Advance(&calibration, 1)
	retail.Model.Advance(&calibration, 9*retail.Model.EpochEnd(0))
	b.WriteString("calibration")
	hex(append(calibration.Resolved[:], calibration.Silent[:]...)...)
	for i := range calibration.Resolved { // most have faded: as if there had been 4,096 of each
		calibration.Resolved[i], calibration.Silent[i] = math.Ldexp(
			calibration.Resolved[i],
			12,
		), math.Ldexp(
			calibration.Silent[i],
			12,
		)
	}
	curve := calibration.Curve()
	b.WriteString("probability")
	hex(curve.Probes, curve.Probability(-3), curve.Probability(0.3), curve.Probability(1.7), curve.Probability(9))
	golden.File(t, "bits.txt", b.String())
}
