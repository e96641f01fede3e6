package scoring_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// valued are the lines of a pack whose value is what orders and refunds come to, with a kind that a sign of it opens.
var valued = []string{
	"signals:",
	"  order: {types: [buy]}",
	"  paid: {types: [buy, refund]}",
	"  leave: {types: [leave]}",
	"features:",
	"  spend: {kind: sum, of: paid, within: 90d, absent: 0}",
	"  orders: {kind: count, of: order, within: 90d, priced: true}",
	"value: {feature: spend, orders: orders, high: 5000, mid: 1000}",
	"kinds: {explicit: {opens: [{signal: leave, floor: 99.5, code: cancellation_requested}], closes: [order], expires: 60d}}",
}

// eur, gbp and jpy are currencies; none is that of an event that names none.
var (
	none profile.Currency
	eur  = profile.Currency{'E', 'U', 'R'}
	gbp  = profile.Currency{'G', 'B', 'P'}
	jpy  = profile.Currency{'J', 'P', 'Y'}
)

// dealt is an event that may bear money.
type dealt struct {
	day      float64
	kind     string
	value    int64
	has      bool
	currency profile.Currency
}

// deal is an event with money.
func deal(day float64, kind string, value int64, c profile.Currency) dealt {
	return dealt{day, kind, value, true, c}
}

// after is a customer of a pack after events.
func after(s *scoring.Scorer, events []dealt) *profile.Customer {
	c := &profile.Customer{Profile: &profile.Profile{}}
	for _, e := range events {
		s.Observe(c, &profile.Population{}, &scoring.Observation{
			Time: scoringtest.At(e.day), Signal: s.Pack.Signal([]byte(e.kind)),
			Value: e.value, HasValue: e.has, Currency: e.currency,
		})
	}
	return c
}

// TestWorth: what is known of a customer's money, in the currency of the first event that names one.
func TestWorth(t *testing.T) {
	type want struct {
		Known          bool
		Amount, Orders int64
		Other          uint32
		Currency       profile.Currency
		Tier           pack.ValueTier
		Mean           int64
	}
	tests := map[string]struct {
		events []dealt
		at     float64
		want   want
	}{
		"nobody":                     {nil, 1, want{}},
		"a visitor without orders":   {[]dealt{{kind: "view"}}, 1, want{}},
		"money of what nothing sums": {[]dealt{deal(0, "view", 700, eur)}, 1, want{}},
		"an order without a price":   {[]dealt{{kind: "buy"}, {kind: "buy", day: 2}}, 3, want{}},
		"a price in another currency": {
			[]dealt{deal(0, "view", 5, gbp), deal(1, "buy", 700, eur)},
			2,
			want{Known: true, Amount: 700, Orders: 1, Currency: eur, Tier: pack.ValueLow, Mean: 700},
		},
		"one order": {
			[]dealt{deal(0, "buy", 1290, none)},
			1,
			want{Known: true, Amount: 1290, Orders: 1, Tier: pack.ValueMid, Mean: 1290},
		},
		"an order for nothing": {
			[]dealt{deal(0, "buy", 0, eur)},
			1,
			want{Known: true, Orders: 1, Currency: eur, Tier: pack.ValueLow},
		},
		"orders without a price beside": {
			[]dealt{{kind: "buy"}, deal(1, "buy", 101, eur), {kind: "buy", day: 2}, deal(3, "buy", 100, eur)},
			4,
			want{Known: true, Amount: 201, Orders: 2, Currency: eur, Tier: pack.ValueLow, Mean: 101},
		},
		"all of it paid back": {
			[]dealt{deal(0, "buy", 6000, eur), deal(9, "refund", -6000, eur)},
			10,
			want{Known: true, Orders: 1, Currency: eur, Tier: pack.ValueLow},
		},
		"more than that paid back": {
			[]dealt{deal(0, "buy", 10, eur), deal(9, "refund", -60, eur)},
			10,
			want{Known: true, Amount: -50, Orders: 1, Currency: eur, Tier: pack.ValueLow},
		},
		"a window without orders": {
			[]dealt{deal(0, "buy", 6000, eur)},
			300,
			want{Known: true, Currency: eur, Tier: pack.ValueLow},
		},
		"a second currency": {
			[]dealt{
				deal(0, "buy", 600, gbp),
				deal(1, "buy", 70_000, jpy),
				deal(2, "buy", 400, none),
				deal(3, "refund", -5, eur),
				deal(4, "buy", 50, gbp),
			},
			5,
			want{Known: true, Amount: 1050, Orders: 3, Other: 2, Currency: gbp, Tier: pack.ValueMid, Mean: 350},
		},
		"the first that is named": {
			[]dealt{deal(0, "buy", 600, none), deal(1, "buy", 70_000, jpy), deal(2, "buy", 400, eur)},
			5,
			want{Known: true, Amount: 70_600, Orders: 2, Other: 1, Currency: jpy, Tier: pack.ValueHigh, Mean: 35_300},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := scoring.NewScorer(scoringtest.PackOf(t, "1", valued...))
			d := s.Now(after(s, tt.events), scoringtest.At(tt.at))
			w, known := d.Worth(s.Pack)
			mean, _ := w.MeanOrder()
			got := want{
				Known: known, Amount: w.Amount, Orders: w.Orders, Other: w.Other, Currency: w.Currency, Tier: w.Tier, Mean: mean,
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || d.ValueTier(s.Pack) != w.Tier {
				t.Errorf("(-want +got):\n%s", diff)
			}
			likely := d.Likelihood(d.Floor(s.Pack))
			amount := float64(max(w.Amount, 0))
			// a horizon is 30 days, the window 90
			if math.Abs(float64(w.AtRisk)-amount*likely) > 0.51 || math.Abs(float64(w.Expected)-amount/3*(1-likely)) > 0.51 {
				t.Errorf("at risk %d, expected %d, of %v with likelihood %v", w.AtRisk, w.Expected, amount, likely)
			}
		})
	}
}

// TestWorthByFloor: the likelihood of an episode's floor counts where it is the higher.
func TestWorthByFloor(t *testing.T) {
	s := scoring.NewScorer(scoringtest.PackOf(t, "1", valued...))
	c := after(s, []dealt{deal(0, "buy", 10_000, eur), deal(1, "buy", 20_000, eur), {day: 1.5, kind: "leave"}})
	d := s.Now(c, scoringtest.At(1.6))
	if w, known := d.Worth(s.Pack); !known || w.AtRisk != 29_850 || w.Expected != 50 || d.Floor(s.Pack) != 99.5 {
		t.Errorf("%+v, floor %v", w, d.Floor(s.Pack))
	}
}

// TestWorthOfOther packs: without value nothing is known; a number is no money and in no currency.
func TestWorthOfOther(t *testing.T) {
	plain := scoring.NewScorer(scoringtest.PackOf(t, "1", valued[:7]...))
	c := after(plain, []dealt{deal(0, "buy", 10_000, eur)})
	d := plain.Now(c, scoringtest.At(1))
	if w, known := d.Worth(plain.Pack); known || w.Amount != 0 || d.Unvalued || d.Money != (profile.Money{}) {
		t.Errorf("%+v, %+v", w, d)
	}
	points := scoring.NewScorer(scoringtest.PackOf(t, "1",
		"signals: {award: {types: [buy]}}", "features: {points: {kind: sum, of: award, property: points, within: 30d}}",
		"value: {feature: points, high: 5000, mid: 1000}"))
	c = &profile.Customer{Profile: &profile.Profile{}}
	number := []feature.Property{{Kind: feature.PropertyNumber, Number: 12_500}}
	points.Observe(c, &profile.Population{}, &scoring.Observation{
		Time: scoringtest.Begin, Signal: points.Pack.Signal([]byte("buy"), number...), Properties: number,
		Value: 9, HasValue: true, Currency: eur,
	})
	d = points.Now(c, scoringtest.At(900))
	if w, known := d.Worth(points.Pack); !known || w.Amount != 0 || w.Currency != none || w.Tier != pack.ValueLow {
		t.Errorf("%+v", w)
	}
	d = points.Now(c, scoringtest.At(1))
	w, _ := d.Worth(points.Pack)
	if likely := d.Likelihood(0); w.Amount != 12_500 || math.Abs(w.AtRiskMajor()-12.5*likely) > 0.001 || w.Counted {
		t.Errorf("%+v, %v at risk", w, w.AtRiskMajor())
	}
}

// TestAtRiskMajor: in the major unit of the customer's own currency.
func TestAtRiskMajor(t *testing.T) {
	s := scoring.NewScorer(scoringtest.PackOf(t, "1", valued...))
	for currency, unit := range map[profile.Currency]float64{
		none: 100, eur: 100, jpy: 1, {'K', 'W', 'D'}: 1000, {'C', 'L', 'F'}: 10_000, {'X', 'Y', 'Z'}: 100,
	} {
		d := s.Now(after(s, []dealt{deal(0, "buy", 123_456_789, currency)}), scoringtest.At(40))
		w, _ := d.Worth(s.Pack)
		if got := w.AtRiskMajor(); w.AtRisk == 0 || got != float64(w.AtRisk)/unit {
			t.Errorf("%s: %v of %d", currency, got, w.AtRisk)
		}
	}
}

// TestWorthExactly compares at risk and expected with rationals, for any amount, window and horizon.
func TestWorthExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		within, horizon := rapid.IntRange(1, 400).Draw(t, "within"), rapid.IntRange(1, 730).Draw(t, "horizon")
		k := scoringtest.Must(scoringtest.LoadText(fmt.Sprintf("name: v\nversion: 1\nhorizon: 30d\nactivity: [buy]\n"+
			"signals: {paid: {types: [buy]}}\nfeatures: {spend: {kind: sum, of: paid, within: %dd}}\n"+
			"value: {feature: spend, high: 2, mid: 1}\n", within), pack.Overrides{Horizon: time.Duration(horizon) * 24 * time.Hour}))
		amount := rapid.Int64Range(-1e6, 1<<41).Draw(t, "amount")
		d := scoring.Decision{Transition: scoring.Raised}
		d.Score.Visits, d.Score.Values = 1, []feature.Value{{N: amount, OK: true}}
		d.Score.Terms[0] = rapid.Float64Range(-8, 8).Draw(t, "score")
		w, _ := d.Worth(k)
		likely := new(big.Rat).SetFloat64(d.Likelihood(0))
		money := new(big.Rat).SetInt64(max(amount, 0))
		stays := new(big.Rat).Sub(big.NewRat(1, 1), likely)
		stays.Mul(stays, big.NewRat(int64(horizon), int64(within)))
		for what, both := range map[string][2]*big.Rat{
			"at risk":  {likely, big.NewRat(w.AtRisk, 1)},
			"expected": {stays, big.NewRat(w.Expected, 1)},
		} {
			exact := new(big.Rat).Mul(money, both[0])
			off, _ := new(big.Rat).Sub(exact, both[1]).Float64()
			size, _ := exact.Float64()
			if math.Abs(off) > 0.5+size*1e-15 {
				t.Fatalf("%s: off by %v, of %v", what, off, size)
			}
		}
	})
}

// TestWorthAsRecounted compares what is known after any events, also late ones, with a count of all of them.
func TestWorthAsRecounted(t *testing.T) {
	k := scoringtest.PackOf(t, "1", valued...)
	rapid.Check(t, func(t *rapid.T) {
		s, c := scoring.NewScorer(k), &profile.Customer{Profile: &profile.Profile{}}
		var events []dealt
		day := 0.0
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			day += rapid.Float64Range(0, 20).Draw(t, "days")
			e := dealt{
				day: day, kind: rapid.SampledFrom([]string{"buy", "buy", "refund", "view"}).Draw(t, "type"),
				value: rapid.Int64Range(-500, 5000).Draw(t, "value"), has: rapid.IntRange(0, 3).Draw(t, "priced") > 0,
				currency: scoringtest.DrawCurrency(t),
			}
			if rapid.IntRange(0, 5).Draw(t, "late") == 0 {
				e.day = max(0, e.day-rapid.Float64Range(0, 150).Draw(t, "by"))
			}
			events = append(events, e)
			s.Observe(c, &profile.Population{}, &scoring.Observation{
				Time: scoringtest.At(
					e.day,
				),
				Signal:   k.Signal([]byte(e.kind)),
				Value:    e.value,
				HasValue: e.has,
				Currency: e.currency,
			})
			if rapid.IntRange(0, 3).Draw(t, "stored") == 0 {
				back := &profile.Customer{Profile: &profile.Profile{}}
				if err := profile.Read(profile.Append(nil, c, profile.Format), back); err != nil {
					t.Fatal(err)
				}
				c = back
			}
		}
		at := day + rapid.Float64Range(0, 120).Draw(t, "after")
		d := s.Now(c, scoringtest.At(at))
		got, known := d.Worth(k)
		want, wanted := recount(events, at)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(scoring.Worth{}, "AtRisk", "Expected", "Tier"),
			cmpopts.IgnoreUnexported(scoring.Worth{})); diff != "" && known || known != wanted {
			t.Fatalf("known %v, want %v (-want +got):\n%s\n%+v", known, wanted, diff, events)
		}
	})
}

// recount is what a customer is worth at a day by all its events, in the order in which they came.
func recount(events []dealt, at float64) (w scoring.Worth, known bool) {
	last := -1 << 60 // calendar day
	calendar := func(day float64) int { return int(scoringtest.At(day) / scoringtest.Day) }
	for _, e := range events {
		counts := e.has && e.kind != "view"
		if counts && w.Currency == none {
			w.Currency = e.currency
		}
		if counts && (e.currency == none || e.currency == w.Currency) {
			known, last = true, max(last, calendar(e.day))
		} else if counts {
			w.Other++
		}
	}
	w.Counted = false
	lastOrder := -1 << 60
	for _, e := range events {
		if e.has && e.kind == "buy" && (e.currency == none || e.currency == w.Currency) {
			w.Counted, lastOrder = true, max(lastOrder, calendar(e.day))
		}
	}
	for _, e := range events {
		if !e.has || e.kind == "view" || e.currency != none && e.currency != w.Currency {
			continue
		}
		if calendar(e.day) > max(last, calendar(at))-90 {
			w.Amount += e.value
		}
		if e.kind == "buy" && calendar(e.day) > max(lastOrder, calendar(at))-90 {
			w.Orders++
		}
	}
	return w, known
}

// TestValueAllocates nothing: neither a second currency, nor what is known for a decision.
func TestValueAllocates(t *testing.T) {
	s := scoring.NewScorer(scoringtest.PackOf(t, "1", valued...))
	c := after(s, []dealt{deal(0, "buy", 100, eur)})
	c.Features = append(make([]byte, 0, 4096), c.Features...)
	var pop profile.Population
	o := scoring.Observation{
		Time: scoringtest.At(1), Signal: s.Pack.Signal([]byte("buy")), Value: 5, HasValue: true, Currency: jpy,
	}
	d := s.Now(c, scoringtest.At(2))
	room := make([]byte, 0, 4096)
	for name, step := range map[string]func(){
		"a second currency": func() { s.Observe(c, &pop, &o) },
		"worth":             func() { d.Worth(s.Pack) },
		"codec":             func() { room = scoring.AppendDecision(room[:0], &d) },
	} {
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if c.Money.Other < 100 {
		t.Errorf("%+v", c.Money)
	}
}

// TestMoneyOfAnotherPack: where nothing of a customer's money is kept, its currency is not either.
func TestMoneyOfAnotherPack(t *testing.T) {
	from := scoring.NewScorer(scoringtest.PackOf(t, "1", valued...))
	fees := scoring.NewScorer(scoringtest.PackOf(t, "2", "signals: {fee: {types: [fee]}}",
		"features: {fees: {kind: sum, of: fee, within: 90d}}", "value: {feature: fees, high: 2, mid: 1}"))
	for name, tt := range map[string]struct {
		to   *scoring.Scorer
		want profile.Money
	}{
		"the same money": {scoring.NewScorer(scoringtest.PackOf(t, "2", valued...)), profile.Money{Currency: eur, Other: 1}},
		"other money":    {fees, profile.Money{}},
	} {
		c := after(from, []dealt{deal(0, "buy", 100, eur), deal(1, "buy", 100, jpy)})
		scoring.NewMigration(from, tt.to).Enter(c, scoringtest.At(2))
		if c.Money != tt.want {
			t.Errorf("%s: %+v, want %+v", name, c.Money, tt.want)
		}
	}
}
