package scoring_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// ms

// TestDeadlines: ebb raises and escalates at the same minutes as a look at every single minute would, after any
// history.
func TestDeadlines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		var p profile.Profile
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
func silentUntil(t *rapid.T, pack *pack.Pack, p *profile.Profile, until int64) {
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
				t.Fatalf(
					"%v in minute %d, by brute force %v in minute %d, of %+v",
					d.Transition,
					d.At/60_000,
					transition,
					want,
					before,
				)
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

// nextByBruteForce looks at every hour, and at every minute of the hours in which the score may reach the threshold.
func nextByBruteForce(pack *pack.Pack, p *profile.Profile, until int64) (int64, scoring.Transition) {
	if p.Visits == 0 || p.Lapse.Tier == profile.Critical {
		return 0, scoring.TransitionNone
	}
	begin, tier, transition := (p.At+59_999)/60_000, pack.Model.Raise.Otherwise, scoring.Raised
	if regular := pack.Model.Raise.Regular; regular != profile.TierNone &&
		p.Visits >= 5 && math.Exp(p.M) <= pack.Horizon.Hours()/24/5 {
		tier = regular
	}
	if p.Lapse.Tier != profile.TierNone {
		begin, tier, transition = max(begin, p.Lapse.LastTransition/60_000), p.Lapse.Tier+1, scoring.Escalated
	}
	enter := map[profile.Tier]float64{
		profile.Watch: math.Log(2. / 3), profile.AtRisk: math.Log(1.5), profile.Critical: math.Log(4),
	}[tier]
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
