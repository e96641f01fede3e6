package model_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestOddsFallThenRise: the search for deadlines is based on this shape.
func TestOddsFallThenRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		horizon := scoringtest.DrawPack(t).Horizon.Hours() / 24
		m, k := rapid.Float64Range(-1, 7).Draw(t, "m"), rapid.Float64Range(0.05, 2.5).Draw(t, "k")
		mode := 0.0 // from which on they rise
		if k > 1 {
			mode = math.Exp(m) * math.Pow(k-1, 1/k)
		}
		rising, last := false, math.Inf(1)
		for ln := math.Log(0.02); ln < math.Log(3650); ln += 0.01 {
			v := model.LogitSilent(m, k, math.Exp(ln), horizon)
			rising = rising || !math.IsInf(last, 1) && math.Exp(ln-0.01) > mode
			if noise := 1e-9 * (1 + math.Abs(v)); v > last+noise {
				rising = true
			} else if rising && v < last-noise {
				t.Fatalf("falls again at %v days", math.Exp(ln))
			}
			last = v
		}
	})
}

// TestBound: no minute between two has a higher score than the bound, which does not fall as the interval grows.
func TestBound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	packs := make([]*pack.Pack, 40)
	for i := range packs {
		text := fmt.Sprintf("name: q\nversion: 1\nhorizon: 30d\nactivity: [a]\noverdue: %.2f", between(0.1, 0.9))
		o := pack.Overrides{Horizon: time.Duration(math.Exp(between(0, 6.5))*24) * time.Hour}
		packs[i] = scoringtest.Must(scoringtest.LoadText(text, o))
	}
	sharp := 0 // bounds that equal the score at the end, or nearly
	for n := range 40_000 {
		pack := packs[n%len(packs)]
		p := profile.Profile{
			Visits: 3,
			W:      1.9,
			First:  scoringtest.Begin,
			M:      between(-1, 7),
			K:      math.Exp(between(-3, 2.77)),
			Level:  math.Exp(between(-4, 4)),
		}
		p.Last = scoringtest.Begin + int64(scoringtest.Day*math.Exp(between(-3, 7)))
		p.At = p.Last + r.Int64N(2)*int64(scoringtest.Day*math.Exp(between(-3, 5)))
		if r.IntN(3) > 0 {
			p.Friction = math.Exp(between(-3, 3))
		}
		a, bound := p.At/60_000+1+int64(math.Exp(between(0, 14))), pack.Model.Bound
		switch overdue := pack.Model.OverdueMinute(&p); r.IntN(3) {
		case 0: // as after an event without an open episode
			if overdue < math.MaxInt64 {
				a, bound = max(a, overdue), pack.Model.BoundFrom
			}
		case 1: // and with one
			p.Lapse, bound = profile.LapseEpisode{
				Episode: profile.Episode{Number: 1, Sequence: 1, LastTransition: a * 60_000},
				Tier:    profile.AtRisk,
			}, pack.Model.BoundFrom
		}
		width := 1 + int64(float64(a-p.Last/60_000)*math.Exp(between(-5, 1)))
		highest, last := math.Inf(-1), math.Inf(-1)
		for b := a; b <= a+width; b += 1 + width/12 {
			s, most := scoringtest.ScoreOf(pack, &p, b*60_000), bound(&p, a, b)
			if highest = max(highest, s.Sum()); highest > most+1e-9 {
				t.Fatalf("score %v above the bound %v from minute %d to %d of %+v", highest, most, a, b, p)
			}
			if most < last-1e-9 {
				t.Fatalf("bound falls from %v to %v", last, most)
			}
			if last = most; most-s.Sum() < 1e-9 {
				sharp++
			}
		}
	}
	if sharp < 300_000 {
		t.Errorf("the bound is the score in %d cases only", sharp)
	}
}

// TestPoint: the search sees the score, and how fast it rises.
func TestPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		var p profile.Profile
		now := int64(scoringtest.Begin)
		for range rapid.IntRange(1, 7).Draw(t, "events") {
			o := scoringtest.DrawEvent(t, now)
			scoringtest.Observe(pack, &p, pop, o)
			now = max(now, o.Time)
		}
		if p.Visits == 0 {
			return
		}
		minute := p.At/60_000 + int64(math.Exp(rapid.Float64Range(5, 14).Draw(t, "ln minutes")))
		sum := func(minute int64) float64 {
			s := scoringtest.ScoreOf(pack, &p, minute*60_000)
			return s.Sum()
		}
		score, slope := pack.Model.PointAt(&p, minute)
		if want := sum(minute); math.Abs(score-want) > 1e-9 {
			t.Fatalf("%v, the score is %v", score, want)
		}
		ln := func(minute int64) float64 { return math.Log(float64(minute*60_000 - p.Last)) }
		step := max(1, min(minute-p.Last/60_000, int64(pack.Horizon.Minutes()))/1000)
		want := (sum(minute+step) - sum(minute-step)) / (ln(minute+step) - ln(minute-step))
		if silent := minute - step - p.Last/60_000; silent > 100 && minute-step > p.At/60_000 &&
			math.Abs(slope-want) > 1e-3*(1+math.Abs(want)) {
			t.Fatalf("slope %v, by differences %v, of %+v", slope, want, p)
		}
	})
}

// TestBoundWhereSilenceFalls: where a pack calls a customer overdue before the mode of its gap law, a silent horizon
// becomes less likely for a while.
func TestBoundWhereSilenceFalls(t *testing.T) {
	pack := scoringtest.Must(scoringtest.LoadText(
		"name: q\nversion: 1\nhorizon: 1d\nactivity: [a]\noverdue: 0.1", pack.Overrides{}))
	fell := false
	for m := -0.5; m < 6; m += 0.25 {
		for k := 0.5; k < 16; k *= 1.3 {
			p := profile.Profile{
				Visits:  1,
				First:   scoringtest.Day,
				Last:    scoringtest.Day,
				Counted: scoringtest.Day,
				At:      scoringtest.Day,
				M:       m,
				K:       k,
			}
			from := pack.Model.OverdueMinute(&p)
			first := scoringtest.ScoreOf(pack, &p, from*60_000)
			for b := from; b < 2*from; b += from / 10 {
				last := scoringtest.ScoreOf(pack, &p, b*60_000)
				fell = fell || last.Sum() < first.Sum()-0.1
				if most := pack.Model.BoundFrom(&p, from, b); first.Sum() > most+1e-9 {
					t.Fatalf("m %v, k %v: score %v above the bound %v", m, k, first.Sum(), most)
				}
			}
		}
	}
	if !fell {
		t.Error("no score fell: the case is not met")
	}
}
