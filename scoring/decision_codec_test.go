package scoring_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/encode"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

func TestDecisionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-1e300, 1e300) // the sum of a few is one too
		d := scoring.Decision{
			Transition: scoring.Transition(rapid.IntRange(1, int(scoring.NumTransitions)-1).Draw(t, "transition")),
			Tier:       profile.Tier(rapid.IntRange(0, int(profile.NumTiers)-1).Draw(t, "tier")),
			Previous:   profile.Tier(rapid.IntRange(0, int(profile.NumTiers)-1).Draw(t, "previous")),
			Episode:    rapid.Uint32().Draw(t, "episode"), Sequence: rapid.Uint32().Draw(t, "sequence"),
			At: rapid.Int64().Draw(t, "at"), Since: rapid.Int64().Draw(t, "since"), Opener: rapid.Uint16().Draw(t, "opener"),
			Score: model.Score{
				At: rapid.Int64().
					Draw(t, "score at"),
				LnTypical:  number.Draw(t, "m"),
				Regularity: number.Draw(t, "k"),
				Silence:    number.Draw(t, "r"),
				Level: number.Draw(
					t,
					"level",
				),
				Friction: number.Draw(t, "friction"),
				Idle:     number.Draw(t, "idle"),
				Tenure:   number.Draw(t, "tenure"),
				Visits:   rapid.Uint32().Draw(t, "visits"),
			},
		}
		for i := range d.Score.Terms {
			d.Score.Terms[i] = number.Draw(t, "term")
		}
		if rapid.Bool().Draw(t, "of a pack that declares more") {
			d.Kind = profile.Kind(rapid.IntRange(0, int(profile.NumKinds)-1).Draw(t, "kind"))
			d.About = rapid.Uint8Range(0, 7).Draw(t, "about")
			d.Opening = rapid.Uint8Range(0, 7).Draw(t, "opening")
			d.Score.Stage, d.Score.Factors = profile.Stage(
				rapid.IntRange(0, int(profile.NumStages)-1).Draw(t, "stage"),
			), number.Draw(
				t,
				"factors",
			)
			for range rapid.IntRange(0, 32).Draw(t, "features") {
				v := feature.Value{OK: rapid.Bool().Draw(t, "has data")}
				if v.OK {
					v.N = rapid.Int64().Draw(t, "value")
				}
				d.Score.Values = append(d.Score.Values, v)
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "facts") {
			d.Facts = d.Facts.Put(rapid.Uint16().Draw(t, "mark"), rapid.Int64Range(0, 99).Draw(t, "at"), []byte("a lamp"))
		}
		if rapid.Bool().Draw(t, "of whom a contact is known") {
			c := profile.ContactChange{
				Zone: rapid.Uint32().Draw(t, "zone"),
				Out:  profile.ChannelSet(rapid.Byte().Draw(t, "out")),
			}
			d.Contact, d.Home = d.Contact.Apply(rapid.Int64Range(0, 99).Draw(t, "at"), &c), rapid.Uint32().Draw(t, "home")
		}
		if rapid.Bool().Draw(t, "of a line that has learnt") {
			d.Reading = scoringtest.DrawReading(t, d.Score.Sum())
		}
		if rapid.Bool().Draw(t, "of a pack with playbooks") {
			d.Trouble = profile.Trouble{Type: rapid.Uint16().Draw(t, "trouble"), At: rapid.Int64().Draw(t, "trouble at")}
			d.Play = pack.PlayRef(rapid.Uint16Max(uint16(pack.MaxPlayRef)).Draw(t, "play"))
			d.Step = rapid.Uint8().Draw(t, "step")
			d.Supersedes = rapid.StringOfN(rapid.Rune(), 0, 64, pack.MaxName).Draw(t, "superseded")
		}
		if rapid.Bool().Draw(t, "of a pack that declares value") {
			d.Unvalued = rapid.Bool().Draw(t, "unvalued")
			if d.Money.Takes(scoringtest.DrawCurrency(t)); d.Money.Currency != (profile.Currency{}) {
				d.Money.Other = rapid.Uint32().Draw(t, "other")
			}
		}
		if d.Transition == scoring.Raised {
			d.Initial, d.HeldFor = rapid.Bool().Draw(t, "initial"), rapid.Int64Range(0, 1<<40).Draw(t, "held for")
		}
		b := scoring.AppendDecision(nil, &d)
		var got scoring.Decision
		r := encode.NewReader(b)
		if scoring.ReadDecision(&r, &got); !r.Whole() {
			t.Fatal("it is not read as a whole")
		}
		if diff := cmp.Diff(d, got, cmpopts.EquateNaNs()); diff != "" {
			t.Fatal(diff)
		}
		r = encode.NewReader(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		if scoring.ReadDecision(&r, &got); !r.Damaged() {
			t.Fatal("a part of a decision is taken for one")
		}
	})
}

// TestDecisionOfNoNumbers: a decision with a score, a factor or a reading that is no number is damaged.
func TestDecisionOfNoNumbers(t *testing.T) {
	whole := scoring.Decision{Transition: scoring.Raised, Reading: model.Reading{Probes: 9, Number: 1}}
	for name, set := range map[string]func(d *scoring.Decision, v float64){
		"none of them":  func(*scoring.Decision, float64) {},
		"a term":        func(d *scoring.Decision, v float64) { d.Score.Terms[1] = v },
		"an input":      func(d *scoring.Decision, v float64) { d.Score.LnTypical = v },
		"the factors":   func(d *scoring.Decision, v float64) { d.Score.Factors = v },
		"a probability": func(d *scoring.Decision, v float64) { d.Reading.Points[0].Probability = v },
	} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			d, got := whole, scoring.Decision{}
			set(&d, v)
			r := encode.NewReader(scoring.AppendDecision(nil, &d))
			if scoring.ReadDecision(&r, &got); r.Damaged() == (name == "none of them") {
				t.Errorf("%s of %v: damaged %v", name, v, r.Damaged())
			}
		}
	}
}

// FuzzReadDecision: every accepted decision comes back as its bytes, and its customer's worth is within the bounds of what
// an alert says.
func FuzzReadDecision(f *testing.F) {
	k := scoringtest.PackOf(f, "1", valued...)
	d := scoring.Decision{
		Transition: scoring.Raised,
		Score:      model.Score{Values: []feature.Value{{N: 4, OK: true}, {N: 900, OK: true}}},
	}
	for _, money := range []profile.Money{{}, {Currency: eur}, {Currency: jpy, Other: 300}} {
		d.Money = money
		f.Add(scoring.AppendDecision(nil, &d))
		d.Unvalued = !d.Unvalued
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d scoring.Decision
		r := encode.NewReader(b)
		if scoring.ReadDecision(&r, &d); r.Damaged() || !r.Whole() {
			return
		}
		if again := scoring.AppendDecision(nil, &d); !bytes.Equal(again, b) {
			t.Fatalf("% x came back as % x", b, again)
		}
		if !d.Fits(k) {
			return
		}
		w, known := d.Worth(k)
		mean, counted := w.MeanOrder()
		if w.AtRisk < 0 || w.Expected < 0 || mean < 0 || counted && w.Orders < 1 || known == d.Unvalued && known {
			t.Fatalf("%+v, known %v, mean %d: %+v", w, known, mean, d)
		}
	})
}
