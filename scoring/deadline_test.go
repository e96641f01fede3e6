package scoring_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/scoringtest"
)

// ms

// TestDeadlines: at the minutes at which looking at every single one would, ebb raises and escalates, after any
// history.
func TestDeadlines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		var p scoring.Profile
		now := int64(1_600_000_000_000)
		for range rapid.IntRange(1, 7).Draw(t, "events") {
			o := scoringtest.DrawEvent(t, now)
			reached := max(o.Time, now) - rapid.SampledFrom([]int64{0, 0, 300_000, 3 * scoringtest.Day}).Draw(t, "lateness")
			silentUntil(t, pack, &p, reached/60_000)
			scoringtest.Observe(pack, &p, pop, o)
			now = max(now, o.Time)
			silentUntil(t, pack, &p, reached/60_000)
		}
		silentUntil(t, pack, &p, now/60_000+3*365*1440)
	})
}

// silentUntil wakes p up to a minute and checks each transition, and each minute without one, by brute force.
func silentUntil(t *rapid.T, pack *scoring.Pack, p *scoring.Profile, until int64) {
	for p.Armed != 0 && p.Armed <= until {
		want, transition := nextByBruteForce(pack, p, until)
		before := *p
		for p.Armed != 0 && p.Armed <= until {
			armed := p.Armed
			d, ok := scoringtest.Wake(pack, p)
			if p.Armed != 0 && p.Armed <= armed {
				t.Fatalf("armed for minute %d after it was looked at in minute %d", p.Armed, armed)
			}
			if !ok {
				continue
			}
			if transition != d.Transition || d.At != want*60_000 {
				t.Fatalf("%v in minute %d, by brute force %v in minute %d, of %+v", d.Transition, d.At/60_000, transition, want, before)
			}
			transition = scoring.TransitionNone
			break
		}
		if transition != scoring.TransitionNone {
			t.Fatalf("armed for minute %d, by brute force %v in minute %d, of %+v", p.Armed, transition, want, before)
		}
	}
	if minute, transition := nextByBruteForce(pack, p, until); transition != scoring.TransitionNone {
		t.Fatalf("armed for minute %d, by brute force %v in minute %d, of %+v", p.Armed, transition, minute, p)
	}
}

// nextByBruteForce looks at every hour, and at every minute of those in which the score may reach what it takes.
func nextByBruteForce(pack *scoring.Pack, p *scoring.Profile, until int64) (int64, scoring.Transition) {
	if p.Visits == 0 || p.Episode.Tier == scoring.Critical {
		return 0, scoring.TransitionNone
	}
	begin, enter, transition := (p.At+59_999)/60_000, math.Log(1.5), scoring.Raised
	if p.Episode.Tier == scoring.AtRisk {
		begin, enter, transition = max(begin, p.Episode.Since), math.Log(4), scoring.Escalated
	}
	until = min(until, p.Last/60_000+max(3650*1440, int64(20*pack.Horizon.Minutes())))
	score := func(minute int64) float64 {
		s := scoringtest.ScoreOf(pack, p, minute*60_000)
		return s.Sum()
	}
	overdue := func(minute int64) bool {
		gap := math.Exp(p.M) * math.Pow(pack.Overdue/(1-pack.Overdue), 1/p.K)
		return transition == scoring.Escalated || float64(minute*60_000-p.Last) > gap*scoringtest.Day+0.01
	}
	for t := begin; t <= until; {
		ahead := min(t+60, until+1)
		silent := float64(t*60_000-p.Last)/scoringtest.Day + 0.02
		most := 0.05 + 2*p.K/24/silent // no score rises more within an hour
		if !overdue(ahead-1) || max(score(t), score(ahead-1)) < enter-most {
			t = ahead
			continue
		}
		for ; t < ahead; t++ {
			if overdue(t) && score(t) >= enter-1e-12 {
				return t, transition
			}
		}
	}
	return 0, scoring.TransitionNone
}

// TestSilenceFallsThenRises: the shape on which the search for deadlines rests.
func TestSilenceFallsThenRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack := scoringtest.DrawPack(t)
		m, k := rapid.Float64Range(-1, 7).Draw(t, "m"), rapid.Float64Range(0.05, 16).Draw(t, "k")
		rising, last := false, math.Inf(1)
		for ln := math.Log(0.02); ln < math.Log(3650); ln += 0.01 {
			v := pack.Model.LogitSilent(m, k, math.Exp(ln))
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
	packs := make([]*scoring.Pack, 40)
	for i := range packs {
		text := fmt.Sprintf("name: q\nversion: 1\nhorizon: 30d\nactivity: [a]\noverdue: %.2f", between(0.1, 0.9))
		o := scoring.Overrides{Horizon: time.Duration(math.Exp(between(0, 6.5))*24) * time.Hour}
		packs[i] = scoringtest.Must(scoringtest.LoadText(text, o))
	}
	sharp := 0 // bounds that are the score at the end, or nearly
	for n := range 40_000 {
		pack := packs[n%len(packs)]
		p := scoring.Profile{
			Visits: 3, W: 1.9, First: scoringtest.Begin, M: between(-1, 7), K: math.Exp(between(-3, 2.77)), Level: math.Exp(between(-4, 4)),
		}
		p.Last = scoringtest.Begin + int64(scoringtest.Day*math.Exp(between(-3, 7)))
		p.At = p.Last + r.Int64N(2)*int64(scoringtest.Day*math.Exp(between(-3, 5)))
		if r.IntN(3) > 0 {
			p.Friction = math.Exp(between(-3, 3))
		}
		a, bound := p.At/60_000+1+int64(math.Exp(between(0, 14))), pack.Model.Bound
		switch overdue := pack.Model.OverdueMinute(&p); r.IntN(3) {
		case 0: // as when an event is folded and no episode is open
			if overdue < math.MaxInt64 {
				a, bound = max(a, overdue), pack.Model.BoundFrom
			}
		case 1: // and when one is
			p.Episode, bound = scoring.Episode{Tier: scoring.AtRisk, Sequence: 1, Since: a}, pack.Model.BoundFrom
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
	if sharp < 200_000 {
		t.Errorf("the bound is the score in %d cases only", sharp)
	}
}

// TestBoundWhereSilenceFalls: customers regular at a pace much longer than the horizon grow less likely to stay
// silent for a while after they are overdue.
func TestBoundWhereSilenceFalls(t *testing.T) {
	pack := scoringtest.Must(scoring.Load("any", nil, scoring.Overrides{Horizon: 24 * time.Hour}))
	fell := false
	for m := -0.5; m < 6; m += 0.25 {
		for k := 0.5; k < 16; k *= 1.3 {
			p := scoring.Profile{Visits: 1, First: scoringtest.Day, Last: scoringtest.Day, Counted: scoringtest.Day, At: scoringtest.Day, M: m, K: k}
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
