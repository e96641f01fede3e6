package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
)

// playing is the pack any with a horizon of five days, and two plays for its silences: of the owner crm, and of another.
func playing(t testing.TB, other string) *pack.Pack {
	t.Helper()
	file := `{name: any, version: "2", horizon: 5d, overdue: 0.5, tiers: {watch: 40, at_risk: 60, critical: 80},
raise: {regular: watch}, activity: ["*"], friction: {failed: 1}, playbooks: [
{when: {kind: lapse, tier: watch}, mid: {id: write, intent: content, owner: crm, respond_within: 1d}},
{when: {kind: lapse}, mid: {id: ring, intent: call, owner: ` + other + `, respond_within: 1d}}]}`
	k, err := pack.Load("./any.yaml", func(string) ([]byte, error) { return []byte(file), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newBudgeted is a shelf of one partition with small budgets, with storms and silences besides.
func newBudgeted(t testing.TB, other, budgets string) *shelf {
	t.Helper()
	s := newShelf(t, playing(t, other), 0, 0)
	s.cfg.Settings.Budgets, s.budgeted = budgets, true
	s.restart()
	return s
}

// shareBudgets grants what the partition may release, and releases of it, as an owner does, now and then; all: always.
func (s *shelf) shareBudgets(t testing.TB, rng *rand.Rand, all bool) {
	t.Helper()
	s.settle(t)
	report := s.BudgetReport()
	for _, b := range s.Budgets() {
		kept := s.Lane(b.Lane)
		if kept.Grant.Hour >= report.Hour && len(kept.Grant.Given) > 0 || !s.MayRelease() || !all && rng.IntN(4) == 0 {
			continue
		}
		if next, more := kept.Grant.Next(&b, report.Hour, []pipeline.LaneReport{report.Lanes[b.Lane]}); more {
			s.Grant(b.Lane, &next, 0)
			s.change(t)
		}
	}
	for range 3 {
		for _, lane := range s.Lanes() {
			kept := s.Lane(lane.Name)
			n := lane.Waiting
			if !all {
				n = min(n, 1+rng.IntN(3))
			}
			if lane.Budgeted {
				n = min(n, kept.Left(&kept.Grant, 0, s.Today()))
			}
			if (n > 0 || lane.Expired > 0) && s.MayRelease() {
				s.ReleaseLane(lane.Name, n, 0)
				s.change(t)
			}
		}
	}
}

// checkBudgets: no day has more raises of a lane than its budget.
func checkBudgets(r *rapid.T, s *shelf) (raised int) {
	sent := map[string]int{}
	for _, b := range s.outbox {
		e := pipeline.MustReadEntry(b)
		if e.Kind != pipeline.EntryAlert || e.Alert.Transition != scoring.Raised {
			continue
		}
		owner := s.pack.Play(e.Alert.Play).Owner
		of := s.Budgets().Of(owner)
		if of == nil {
			continue
		}
		if e.Alert.HeldFor == 0 {
			r.Fatalf("at once: %s", alertText(&e))
		}
		raised++
		day := fmt.Sprint(owner, " ", pipeline.FloorDiv(e.Alert.At, pipeline.DayMillis))
		if sent[day]++; sent[day] > slices.Max(of.Daily) {
			r.Fatalf("%d on a day: %s", sent[day], alertText(&e))
		}
	}
	return raised
}

// TestBudgetIsReplayed: no day has more raises than its budget, and each has waited to the end of its hour at least. A replay
// decides all of it again, from the beginning and from any state of then, whatever the batches and restarts.
func TestBudgetIsReplayed(t *testing.T) {
	const budgets = `{"crm":[2,9],"sales":[1]}`
	raised, withdrawn, expired, held := 0, uint64(0), uint64(0), 0
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 4))
		records := stormRecords(rng)
		s := newBudgeted(t, "sales", budgets)
		s.quiet = rng.IntN(3) == 0
		if rng.IntN(3) == 0 {
			s.cfg.Settings.Storm, s.cfg.Settings.ReviewMillis = pipeline.StormTestRules, pipeline.HourMillis
			s.restart()
		}
		copies := s.live(t, rng, records)
		raised += checkBudgets(r, s)
		checkEpisodes(r, s)
		checkLedger(r, s)
		withdrawn += s.tally.Withdrawn[pipeline.HeldBudget]
		expired += s.tally.Withheld[InBudget]
		held += s.Size().Held[pipeline.HeldBudget]
		first := newBudgeted(t, "sales", budgets)
		first.cfg.Settings = s.cfg.Settings
		first.restart()
		s.checkReplays(t, r, rng, records, append(copies, first))
	})
	t.Logf("%d raised, %d withdrawn, %d expired, %d held at the end", raised, withdrawn, expired, held)
	if raised < 200 || withdrawn < 50 || expired < 20 || held < 20 {
		t.Error("the logs show too little")
	}
}

// TestWithholdBudget: what waits for a budget, for which, and until when.
func TestWithholdBudget(t *testing.T) {
	budgets := pipeline.Budgets{{Lane: "call", Daily: []int{1}}, {Lane: "crm", Daily: []int{1}}}
	const at = int64(1_700_000_100_000) // a quarter past
	for name, c := range map[string]struct {
		budgets    pipeline.Budgets
		transition scoring.Transition
		play       pack.PlayRef
		was        pipeline.Held
		lane       string // "": it passes
	}{
		"a raise":              {budgets, scoring.Raised, 1, pipeline.Held{}, "crm"},
		"by its intent":        {budgets, scoring.Raised, 5, pipeline.Held{}, "call"},
		"of a lane without":    {budgets[1:], scoring.Raised, 5, pipeline.Held{}, ""},
		"without a play":       {budgets, scoring.Raised, 0, pipeline.Held{}, ""},
		"without budgets":      {nil, scoring.Raised, 1, pipeline.Held{}, ""},
		"an escalation":        {budgets, scoring.Escalated, 1, pipeline.Held{}, ""},
		"a recovery":           {budgets, scoring.Recovered, 0, pipeline.Held{}, ""},
		"released of a storm":  {budgets, scoring.Raised, 1, pipeline.Held{Reason: pipeline.HeldStorm}, "crm"},
		"released of a budget": {budgets, scoring.Raised, 1, pipeline.Held{Reason: pipeline.HeldBudget, Lane: "crm"}, ""},
		"released of another":  {budgets, scoring.Raised, 1, pipeline.Held{Reason: pipeline.HeldBudget, Lane: "call"}, "crm"},
	} {
		d := &decided{Budgets: c.budgets, Pack: playing(t, "sales"), Was: c.was}
		d.Alert.Transition, d.Alert.Play, d.Alert.At = c.transition, c.play, at
		withheld := withholdBudget(d)
		if (withheld == InBudget) != (c.lane != "") || (d.Hold == pipeline.HeldBudget) != (c.lane != "") || d.Lane != c.lane {
			t.Errorf("%s: withheld %q, held %v in %q", name, withheld, d.Hold, d.Lane)
		}
		if ms := d.Review * pipeline.MinuteMillis; d.Hold != 0 &&
			(ms <= at || ms > at+pipeline.HourMillis || ms%pipeline.HourMillis != 0) {
			t.Errorf("%s: reviewed at minute %d", name, d.Review)
		}
	}
}

// TestBudgetOfOne follows a budget of one a day for five customers who leave together: the most important goes first, one
// each day; who is back is never mentioned; and without its budget all that waits goes at once.
func TestBudgetOfOne(t *testing.T) {
	s := newBudgeted(t, "crm", `{"crm":[1]}`)
	rng := rand.New(rand.NewPCG(1, 1))
	var records []pipeline.Record
	add := func(day float64, customers ...string) {
		for _, c := range customers {
			records = append(records, visit(fmt.Sprint(c, day), c, "visit", day))
		}
	}
	for day := range 9 {
		add(float64(day), "a", "b", "c", "d", "e")
		add(float64(day)+0.5, "one", "two", "three")
	}
	sent := func() (n uint64) { return s.tally.Alerts[scoring.Raised] }
	day := 9.0
	pass := func() {
		for range 24 {
			day += 1.0 / 24
			add(day, "one", "two", "three")
			s.put(t, records)
			records = nil
			s.shareBudgets(t, rng, true)
		}
	}
	for sent() == 0 && day < 30 {
		pass()
	}
	if sent() != 1 || len(s.raises) != 4 {
		t.Fatalf("%d sent on the first day, %d held", sent(), len(s.raises))
	}
	var back string
	for key := range s.raises {
		customer, _ := pipeline.SplitHeldKey(key)
		_, name := pipeline.SplitKey([]byte(customer))
		back = string(name)
	}
	add(day+0.001, back)
	pass()
	if sent() != 2 || len(s.raises) != 2 {
		t.Fatalf("%d sent on two days, %d held", sent(), len(s.raises))
	}
	s.cfg.Settings.Budgets = ""
	s.restart()
	pass()
	if sent() != 4 || len(s.raises) != 0 {
		t.Fatalf("%d sent without a budget, %d held", sent(), len(s.raises))
	}
	if n := s.tally.Released[pipeline.HeldBudget]; n != 4 {
		t.Errorf("%d released", n)
	}
}
