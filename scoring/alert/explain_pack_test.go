package alert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// currencies are some, the first more often, and none.
var currencies = []profile.Currency{{'E', 'U', 'R'}, {'E', 'U', 'R'}, {'E', 'U', 'R'}, {'G', 'B', 'P'}, {}}

// manyDecided are decisions about made-up customers of a pack: of every kind and transition that occurs with it, some
// with a learnt curve. One event in eight comes up to late ms late.
func manyDecided(k *pack.Pack, seed uint64, customers int, late int64) (all []alert.Alert) {
	const year = 365 * scoringtest.Day
	r, scorer, pop := rand.New(rand.NewPCG(seed, seed)), scoring.NewScorer(k), profile.Population{}
	types := k.EventTypes()
	for n := range customers {
		p := scoringtest.Eligible()
		c := profile.Customer{Profile: &p}
		note := func(decisions []scoring.Decision, cause alert.Cause) {
			for _, d := range decisions {
				if sum := d.Score.Sum(); n%2 == 0 && d.Score.Visits > 0 {
					d.Reading = model.Reading{Probes: 120, Number: 2, Points: [2]model.ReadPoint{
						{LogOdds: sum - 0.25, Probability: 0.4}, {LogOdds: sum + 0.5, Probability: 0.75},
					}}
				}
				d.Score.Values = slices.Clone(d.Score.Values)
				all = append(all, alert.Alert{Decision: d, Tenant: []byte("t"), Customer: fmt.Append(nil, "c-", n), Cause: cause})
			}
		}
		gap := int64(scoringtest.Day)/4 + r.Int64N(40*scoringtest.Day)
		for at := scoringtest.Begin + r.Int64N(gap); at < scoringtest.Begin+year; at += 1 + r.Int64N(2*gap) {
			for c.Armed != 0 && c.Armed <= at/60_000 {
				note(scorer.Wake(&c), alert.Cause{Deadline: true, Time: at})
			}
			properties := make([]feature.Property, len(k.Properties()))
			for i := range properties {
				properties[i] = feature.Property{Kind: feature.PropertyNumber, Number: 1000 * r.Int64N(11)}
			}
			name, time := []byte(types[r.IntN(len(types))]), at
			if late > 0 && r.IntN(8) == 0 {
				time -= r.Int64N(late)
			}
			note(scorer.Observe(&c, &pop, &scoring.Observation{
				Time: time, Signal: k.Signal(name, properties...), HasValue: r.IntN(4) > 0, Value: r.Int64N(20_000),
				Currency: currencies[r.IntN(len(currencies))], Properties: properties,
			}), alert.Cause{EventID: fmt.Append(nil, at), EventType: name, Time: time})
		}
	}
	return all
}

// manyAlerts are the alerts of many decisions.
func manyAlerts(t testing.TB, k *pack.Pack) (all [][]byte) {
	t.Helper()
	renderer := alert.NewRenderer(k)
	for _, a := range manyDecided(k, 7, 60, 0) {
		all = append(all, renderer.AppendAlert(nil, &a, a.ID()))
	}
	return all
}

// TestExplainByPack: every alert of every shipped pack follows from itself and its pack.
func TestExplainByPack(t *testing.T) {
	for _, name := range pack.Shipped() {
		t.Run(name, func(t *testing.T) {
			k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
			seen := map[string]int{}
			for _, b := range manyAlerts(t, k) {
				x, err := alert.NewRenderer(k).Explain(b)
				if err != nil || len(x.Differences) > 0 {
					t.Fatalf("%+v, %v: %s", x, err, b)
				}
				var a struct{ Kind, Transition string }
				if err := json.Unmarshal(b, &a); err != nil {
					t.Fatal(err)
				}
				seen[a.Kind+" "+a.Transition]++
			}
			if len(seen) < 2 || name != "any" && len(seen) < 7 {
				t.Errorf("only %v", seen)
			}
		})
	}
}

// altered is the alert with some of its fields changed.
func altered(t *testing.T, b []byte, change func(a map[string]any)) []byte {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	change(a)
	return scoringtest.Must(json.Marshal(a))
}

// TestExplainFindsAlteredAlerts: every altered part that follows from an alert and its pack is found.
func TestExplainFindsAlteredAlerts(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	all := manyAlerts(t, k)
	in := func(a map[string]any, key string) map[string]any { return a[key].(map[string]any) }
	for name, c := range map[string]struct {
		needs  []string // parts of the alert
		change func(a map[string]any)
		field  string // the field that is found, or a part of the error
	}{
		"tier": {nil, func(a map[string]any) { a["tier"] = "watch" }, "/tier"},
		"tier before": {
			[]string{`"transition":"escalated"`, `"kind":"lapse"`},
			func(a map[string]any) { a["previous_tier"] = "healthy" }, "/previous_tier",
		},
		"priority": {nil, func(a map[string]any) { a["priority"] = 999 }, "/priority"},
		"amount":   {[]string{`"value":{`}, func(a map[string]any) { in(a, "value")["amount"] = 9_000_000 }, "/value/amount"},
		"at risk":  {[]string{`"value":{`}, func(a map[string]any) { in(a, "value")["at_risk"] = 1 }, "/value/at_risk"},
		"value tier": {
			[]string{`"value":{`}, func(a map[string]any) { in(a, "value")["tier"] = "none" }, "/value/tier",
		},
		"value gone": {[]string{`"value":{`}, func(a map[string]any) { a["value"] = nil }, "/value"},
		"risk after it": {
			[]string{`"cheapest_exit":`},
			func(a map[string]any) { in(a, "cheapest_exit")["risk_score"] = 12.5 }, "/cheapest_exit/risk_score",
		},
		"tier after it": {
			[]string{`"cheapest_exit":`},
			func(a map[string]any) { in(a, "cheapest_exit")["tier"] = "critical" }, "/cheapest_exit/tier",
		},
		"no way out": {
			[]string{`"cheapest_exit":`}, func(a map[string]any) { delete(a, "cheapest_exit") }, "/cheapest_exit",
		},
		"coverage": {nil, func(a map[string]any) { in(a, "score")["coverage"] = 0.123 }, "/score/coverage"},
		"stage": {
			[]string{`"stage":"dormant"`}, func(a map[string]any) { in(a, "score")["stage"] = "new" }, "/score/stage",
		},
		"provisional": {[]string{`"curve":`}, func(a map[string]any) { a["provisional"] = true }, "/provisional"},
		"probes": {
			[]string{`"curve":`}, func(a map[string]any) { a["probes"] = 7 }, "/probes is 7",
		},
		"a reason's words": {
			nil, func(a map[string]any) { a["reasons"].([]any)[0].(map[string]any)["text"] = "all is well" }, "/reasons/0/text",
		},
		"order of reasons": {
			[]string{`},{"code":`}, func(a map[string]any) { slices.Reverse(a["reasons"].([]any)) }, "/reasons/",
		},
		"a term": {
			nil, func(a map[string]any) { in(in(a, "score"), "terms")["rhythm"] = 0.5 }, "/score/terms/rhythm",
		},
		"a term gone": {
			nil, func(a map[string]any) { delete(in(in(a, "score"), "terms"), "rhythm") }, "/score/terms/rhythm",
		},
		"an input": {
			nil, func(a map[string]any) { in(in(a, "score"), "inputs")["level"] = 0.5 }, "/score/terms/level",
		},
		"a floor from nowhere": {
			[]string{`"kind":"lapse"`},
			func(a map[string]any) { a["floor"] = map[string]any{"risk_score": 1, "code": "incident"} }, "/floor",
		},
		"floor": {[]string{`"floor":{`}, func(a map[string]any) { in(a, "floor")["risk_score"] = 1 }, "/floor/risk_score"},
		"sum of factors": {
			[]string{`"factors":{`},
			func(a map[string]any) { in(in(a, "score"), "terms")["factors"] = 0.123 },
			"/score/terms/factors",
		},
		"a factor gone": {
			[]string{`"factors":{`}, func(a map[string]any) { delete(in(a, "score"), "factors") }, "/score/factors",
		},
		"a feature's half": {
			[]string{`"orders_365d":`},
			func(a map[string]any) { in(in(a, "score"), "features")["orders_365d"] = 0.5 },
			"/score/features cannot be number",
		},
		"a curve's point": {
			[]string{`"curve":`},
			func(a map[string]any) { p := in(a, "score")["curve"].([]any); p[0] = append(p[0].([]any), 4) }, "/score/curve/0 holds",
		},
		"a curve that falls": {
			[]string{`"curve":`},
			func(a map[string]any) { slices.Reverse(in(a, "score")["curve"].([]any)) },
			"/score/curve does not rise",
		},
		"id": {
			[]string{`"transition":"raised"`}, func(a map[string]any) { a["id"] = strings.Repeat("0", 32) }, "/id",
		},
		"episode": {nil, func(a map[string]any) { a["episode_id"] = strings.Repeat("0", 32) }, "/episode_id"},
		"customer": {
			[]string{`"transition":"raised"`}, func(a map[string]any) { a["customer"] = "another" }, "/id",
		},
		"playbook": {
			[]string{`"playbook":`}, func(a map[string]any) { in(a, "playbook")["owner"] = "nobody" }, "/playbook/owner",
		},
		"opened": {
			[]string{`"transition":"raised"`}, func(a map[string]any) { a["opened_at"] = a["began_at"] }, "/opened_at",
		},
		"expires": {
			[]string{`"kind":"lapse"`, `"expires_at":`}, func(a map[string]any) { a["expires_at"] = a["time"] }, "/expires_at",
		},
		"a year beyond": {
			nil, func(a map[string]any) { a["began_at"] = "9999-01-01T00:00:00.000Z" }, "/began_at is beyond",
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(all, func(b []byte) bool {
				return !slices.ContainsFunc(c.needs, func(need string) bool { return !bytes.Contains(b, []byte(need)) })
			})
			if i < 0 {
				t.Fatalf("no alert has %v", c.needs)
			}
			b := altered(t, all[i], c.change)
			x, err := alert.NewRenderer(k).Explain(b)
			if err != nil && strings.Contains(err.Error(), c.field) {
				return
			}
			if err != nil ||
				!slices.ContainsFunc(x.Differences, func(d alert.Difference) bool { return strings.HasPrefix(d.Field, c.field) }) {
				t.Fatalf("not found: %+v, %v in %s", x, err, b)
			}
		})
	}
}

// TestExplainNobody: an episode of a customer without activity has no score, and that follows.
func TestExplainNobody(t *testing.T) {
	k := scoringtest.Must(pack.Load("saas", nil, pack.Overrides{}))
	scorer := scoring.NewScorer(k)
	kinds := map[string]bool{}
	for _, name := range k.EventTypes() {
		signal := k.Signal([]byte(name))
		if signal.Activity {
			continue
		}
		for _, d := range scorer.Observe(
			&profile.Customer{Profile: &profile.Profile{}},
			&profile.Population{},
			&scoring.Observation{Time: scoringtest.Begin, Signal: signal},
		) {
			a := alert.Alert{
				Decision: d,
				Customer: []byte("c"),
				Cause:    alert.Cause{EventType: []byte(name), Time: scoringtest.Begin},
			}
			b := alert.NewRenderer(k).AppendAlert(nil, &a, a.ID())
			if x, err := alert.NewRenderer(k).Explain(b); err != nil || len(x.Differences) > 0 {
				t.Errorf("%+v, %v: %s", x, err, b)
			}
			kinds[d.Kind.String()] = true
		}
	}
	if len(kinds) < 2 {
		t.Errorf("only %v", slices.Collect(maps.Keys(kinds)))
	}
}

// TestNow: the present alert has the customer's tier, not below the floors of open episodes.
func TestNow(t *testing.T) {
	k := scoringtest.Must(pack.Load("saas", nil, pack.Overrides{}))
	scorer, c := scoring.NewScorer(k), &profile.Customer{Profile: &profile.Profile{}}
	for i, name := range []string{"Signed In", "Signed In", "Cancellation Started", "Cancellation Requested"} {
		at := scoringtest.Begin + int64(i)*scoringtest.Day
		scorer.Observe(c, &profile.Population{}, &scoring.Observation{Time: at, Signal: k.Signal([]byte(name))})
		d := scorer.Now(c, at)
		want, _ := scorer.TierAt(c, at)
		var floor float64
		for n := profile.Explicit; n < profile.NumKinds; n++ {
			f, _ := scorer.EpisodeFloor(c, n)
			floor = max(floor, f)
		}
		a := alert.Alert{Decision: d}
		x := alert.NewRenderer(k).Explanation(&a.Decision)
		if d.Tier != want || x.Risk < floor || (floor > 0) != (x.Floor != nil) || (floor > 0) != (i >= 2) {
			t.Errorf("%s: tier %v, want %v; floor %v, shown as %+v", name, d.Tier, want, floor, x)
		}
	}
}
