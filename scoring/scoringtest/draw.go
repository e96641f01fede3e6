package scoringtest

import (
	"math"
	"time"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// DrawReading draws the reading of a calibration at a score.
func DrawReading(t *rapid.T, sum float64) model.Reading {
	r := model.Reading{
		Probes: rapid.Uint32Max(99).Draw(t, "probes"),
		Number: uint8(rapid.IntRange(0, 2).Draw(t, "points")),
	}
	for i := range r.Points[:r.Number] {
		r.Probes += 100
		r.Points[i] = model.ReadPoint{
			LogOdds:     sum + rapid.Float64Range(0.01, 3).Draw(t, "apart")*float64(2*i-1),
			Probability: (rapid.Float64Range(0, 0.9).Draw(t, "probability") + float64(i)) / 2,
		}
	}
	r.OfClass = r.Number > 0 && rapid.Bool().Draw(t, "of its class")
	return r
}

// DrawPack draws a pack's settings.
func DrawPack(t *rapid.T) *pack.Pack {
	horizon := rapid.SampledFrom([]int{1, 14, 30, 90, 180, 730}).Draw(t, "horizon")
	f := Must(pack.Load("testdata/quick.yaml", func(string) ([]byte, error) {
		return []byte("name: quick\nversion: 1\nhorizon: 30d\nactivity: [a]\nfriction: {f: 1, g: 0.3, none: 0}\noverdue: " +
			rapid.SampledFrom([]string{"0.5", "0.2", "0.9"}).Draw(t, "overdue") +
			rapid.SampledFrom([]string{
				"", "\nraise: {regular: watch}", "\nraise: {regular: at_risk, otherwise: watch}", "\nraise: {otherwise: critical}",
			}).Draw(t, "raise") +
			rapid.SampledFrom([]string{
				"", "\nplaybooks: [{when: {kind: lapse, tier: critical}, mid: {id: a, intent: none}}, " +
					"{when: [overdue], mid: {id: b, intent: none}}]",
			}).Draw(t, "playbooks")), nil
	}, pack.Overrides{Horizon: time.Duration(horizon) * 24 * time.Hour}))
	return f
}

// GoingOn is a pack whose lapses go on by themselves.
func GoingOn() *pack.Pack {
	return Must(
		LoadText("name: quick\nversion: 1\nhorizon: 30d\nactivity: [a]\nfriction: {f: 1, g: 0.3, none: 0}\nchurned: true\n"+
			"playbooks: [{when: {kind: lapse}, mid: {id: a, intent: content, owner: o, respond_within: 1d, steps: ["+
			"{after: 1d, action: b, intent: none}, {after: 9d, action: c, intent: offer, owner: p, respond_within: 1h}]}}]\n", pack.Overrides{}),
	)
}

// DrawPopulation draws a population.
func DrawPopulation(t *rapid.T) *profile.Population {
	if rapid.Bool().Draw(t, "nobody else") {
		return &profile.Population{}
	}
	within := math.Exp(rapid.Float64Range(-4, 1).Draw(t, "ln within"))
	return &profile.Population{
		N:      500,
		Mean:   rapid.Float64Range(-0.5, 5.5).Draw(t, "mean"),
		Total:  within + rapid.Float64Range(-0.5, 3).Draw(t, "between"),
		NGaps:  500,
		Within: within,
	}
}

// DrawCurrency draws the currency of an amount, or that it has none.
func DrawCurrency(t *rapid.T) profile.Currency {
	return rapid.SampledFrom([]profile.Currency{{}, {'E', 'U', 'R'}, {'G', 'B', 'P'}, {'J', 'P', 'Y'}}).Draw(t, "currency")
}

// DrawEvent draws the next event: from a minute to two years on, or late.
func DrawEvent(t *rapid.T, now int64) scoring.Observation {
	ms := int64(math.Exp(rapid.Float64Range(math.Log(60e3), math.Log(730*Day)).Draw(t, "ln ms ahead")))
	if rapid.IntRange(0, 9).Draw(t, "late") == 0 {
		ms = -min(ms, now-Day)
	}
	signal := rapid.SampledFrom([]pack.Signal{
		{Known: true, Activity: true},
		{Known: true, Activity: true},
		{Known: true, Activity: true},
		{Known: true, Friction: 1, Trouble: pack.TroubleMark("f")},
		{Known: true, Friction: 0.3, Trouble: pack.TroubleMark("g")},
		{Known: true},
		{},
	}).Draw(t, "signal")
	return scoring.Observation{Time: now + ms, Signal: signal}
}
