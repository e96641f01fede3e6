package alert_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
	"ebb/scoring/scoringtest/golden"
)

// alerts are one customer's alerts, from the deadline's raise to the recovery by an event.
func alerts(t testing.TB) (*pack.Pack, []alert.Alert) {
	t.Helper()
	s := scoringtest.Weekly()
	var all []alert.Alert
	wake := func(until float64) {
		for p := &s.Profile; p.Armed != 0 && p.Armed <= (scoringtest.Begin+int64(until*scoringtest.Day))/60_000; {
			minute := p.Armed
			if d, ok := scoringtest.Wake(s.Pack, p); ok {
				all = append(all, alert.Alert{
					Decision: d,
					Tenant:   []byte("shop"),
					Customer: []byte("c-1"),
					Cause:    alert.Cause{Deadline: true, Time: minute * 60_000},
				})
			}
		}
	}
	wake(150)
	s.Event(150, scoringtest.Failed)
	wake(1000)
	at := scoringtest.Begin + 1000*scoringtest.Day + 7
	d, ok := scoringtest.Observe(s.Pack, &s.Profile, &s.Pop, scoring.Observation{Time: at, Signal: scoringtest.Bought})
	if !ok || len(all) != 3 { // watch, at_risk and critical
		t.Fatalf("%d alerts, recovered %v", len(all), ok)
	}
	all[1].Reading = model.Reading{
		Probes: 1234,
		Number: 2,
		Points: [2]model.ReadPoint{{LogOdds: 0.3125, Probability: 0.61}, {LogOdds: 1.75, Probability: 0.86}},
	}
	d.Reading = model.Reading{Probes: 99}
	return s.Pack, append(all, alert.Alert{Decision: d, Customer: []byte("c-1"), Cause: alert.Cause{
		EventID: []byte("e-9"), EventType: []byte("Order Completed"), Partition: 3, Offset: 1234, Time: at,
	}})
}

func TestAlertGolden(t *testing.T) {
	pack, all := alerts(t)
	var b []byte
	for i := range all {
		b = append(alert.NewRenderer(pack).AppendAlert(b, &all[i], all[i].ID()), '\n')
	}
	golden.File(t, "alerts.ndjson", string(b))
}

// schema is the published description of alerts.
func schema(t interface{ Fatal(...any) }) *jsonschema.Schema {
	s, err := jsonschema.NewCompiler().Compile("../../docs/alert.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAlertSchema: the schema describes every alert, and its terms can be recomputed.
func TestAlertSchema(t *testing.T) {
	described := schema(t)
	rapid.Check(t, func(t *rapid.T) {
		pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
		name := rapid.StringOfN(rapid.Rune(), 1, 20, 64)
		tenant, customer := rapid.StringN(0, 10, 64).Draw(t, "tenant"), name.Draw(t, "customer")
		check := func(d *scoring.Decision, c alert.Cause) {
			d.Reading = scoringtest.DrawReading(t, d.Score.Sum())
			a := alert.Alert{Decision: *d, Tenant: []byte(tenant), Customer: []byte(customer), Cause: c}
			checkAlert(t, described, pack, &a)
		}
		var p profile.Profile
		now := int64(1_600_000_000_000)
		for range rapid.IntRange(1, 7).Draw(t, "events") {
			o := scoringtest.DrawEvent(t, now)
			now = max(now, o.Time)
			for p.Armed != 0 && p.Armed <= now/60_000 {
				minute := p.Armed
				if d, ok := scoringtest.Wake(pack, &p); ok {
					check(&d, alert.Cause{Deadline: true, Time: minute * 60_000})
				}
			}
			if d, ok := scoringtest.Observe(pack, &p, pop, o); ok {
				check(&d, alert.Cause{
					EventID: []byte(rapid.StringN(0, 10, 64).Draw(t, "id")), EventType: []byte(name.Draw(t, "type")),
					Partition: 2, Offset: rapid.Int64Range(0, 1<<60).Draw(t, "offset"), Time: o.Time,
				})
			}
		}
	})
}

// published is an alert in the form that its readers get.
type published struct {
	ID, Tenant, Customer, Transition, Tier string
	LogOdds                                float64      `json:"log_odds"`
	Risk                                   float64      `json:"risk_score"`
	Probability                            float64      `json:"churn_probability"`
	Probes                                 uint32       `json:"probability_probes"`
	Provisional                            bool         `json:"probability_provisional"`
	Curve                                  [][2]float64 `json:"probability_curve"`
	Time                                   time.Time
	Terms                                  []publishedTerm
	Cause                                  struct {
		ID        string
		EventType string `json:"event_type"`
	}
}

type publishedTerm struct {
	Name         string
	LogOdds      float64 `json:"log_odds"`
	Inputs       map[string]float64
	Coefficients map[string]float64
}

func checkAlert(t *rapid.T, described *jsonschema.Schema, pack *pack.Pack, a *alert.Alert) {
	b := alert.NewRenderer(pack).AppendAlert(nil, a, a.ID())
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	if err := described.Validate(value); err != nil {
		t.Fatalf("%v of %s", err, b)
	}
	var got published
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != a.ID().String() || got.Tenant != string(a.Tenant) || got.Customer != string(a.Customer) ||
		got.Cause.ID != string(
			a.Cause.EventID,
		) || got.Cause.EventType != string(a.Cause.EventType) || got.Time.UnixMilli() != a.At {
		t.Fatalf("%+v of %+v", got, a)
	}
	sum := 0.0
	for i, term := range got.Terms {
		if again := recompute(t, &term); math.Float64bits(again) != math.Float64bits(term.LogOdds) {
			t.Fatalf("%s is %v by its inputs, not %v, in %s", term.Name, again, term.LogOdds, b)
		}
		if term.LogOdds != a.Score.Terms[i] {
			t.Fatalf("%s is %v, not %v", term.Name, term.LogOdds, a.Score.Terms[i])
		}
		sum += term.LogOdds
	}
	if x, err := alert.Explain(b); err != nil || len(x.Differences) > 0 || x.LogOdds != got.LogOdds {
		t.Fatalf("explained as %+v, %v: %s", x, err, b)
	}
	if x, err := alert.NewRenderer(pack).Explain(b); err != nil || len(x.Differences) > 0 {
		t.Fatalf("by its pack explained as %+v, %v: %s", x, err, b)
	}
	probability := 1 / (1 + exact.Exp(-sum))
	learnt := probability
	switch c := got.Curve; len(c) {
	case 1:
		learnt = c[0][1]
	case 2:
		learnt = c[0][1] + float64((sum-c[0][0])/(c[1][0]-c[0][0])*(c[1][1]-c[0][1]))
	}
	r := a.Reading
	if got.Probes != r.Probes || got.Provisional != (len(got.Curve) == 0) || len(got.Curve) != int(r.Number) ||
		got.Provisional != r.Provisional() {
		t.Fatalf("%d probes, provisional %v, curve %v of %+v", got.Probes, got.Provisional, got.Curve, r)
	}
	if sum != got.LogOdds || learnt != got.Probability || math.Abs(got.Risk-100*probability) > 0.000501 {
		t.Fatalf("sum %v, probability %v in %s", sum, probability, b)
	}
}

// recompute computes a term only from the alert's own content.
func recompute(t interface{ Fatalf(string, ...any) }, term *publishedTerm) float64 {
	in, co := term.Inputs, term.Coefficients
	u := func(regularity, r float64) float64 {
		return exact.Exp(float64(regularity * (exact.Log(r) - in["ln_typical_days"])))
	}
	lasts := func(r float64) float64 { // log-odds that a silence of r days lasts a horizon more
		k := min(in["regularity"], co["max_regularity"])
		from, to := u(k, r), u(k, r+co["horizon_days"])
		return exact.Log((1 + from) / max(to-from, float64(to*0x1p-52)))
	}
	switch term.Name {
	case "base":
		return co["base"]
	case "rhythm":
		return float64(co["weight"] * lasts(co["min_silent_days"]))
	case "silence":
		clockwork := min(max((in["regularity"]-co["clockwork_from"])/(co["clockwork_to"]-co["clockwork_from"]), 0), 1)
		odds := float64((1 - clockwork) * (lasts(in["silent_days"]) - lasts(co["min_silent_days"])))
		return float64(co["weight"] * (odds + float64(clockwork*exact.Log(1+u(in["regularity"], in["silent_days"])))))
	case "level":
		fade := exact.Exp(-in["idle_days"]/co["fade_days"] - float64(co["outgrown_fade"]*in["outgrown"]))
		return float64(-co["weight"] * exact.Log(float64(in["level"]*fade)+co["floor"]))
	case "tenure":
		return float64(-co["weight"] * exact.Log(in["tenure_days"]/co["horizon_days"]+co["offset"]))
	case "friction":
		return float64(co["weight"] * exact.Log(1+float64(in["friction"]*exact.Exp(-in["idle_days"]/co["fade_days"]))))
	}
	t.Fatalf("a term of no known name: %s", term.Name)
	return 0
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\n\t\r\x00\x1f\x7f\u2028é\U0001f600</script>")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // the decoder of events accepts none
		}
		b := alert.AppendString([]byte("x"), []byte(s))
		var got string
		if err := json.Unmarshal(b[1:], &got); err != nil || got != s {
			t.Fatalf("%q became %s: %q, error %v", s, b, got, err)
		}
	})
}

// TestExitOfTheBusiness: only what an event of the business ends is a way out: neither a visit, nor what the customer ends
// by its own activity, nor what time alone ends.
func TestExitOfTheBusiness(t *testing.T) {
	for name, c := range map[string]struct {
		feature, activity string
		want              bool
	}{
		"ended by the business":   {"{kind: open, of: bad, until: mended}", "[a]", true},
		"ended by a visit":        {"{kind: open, of: bad, until: mended}", "[a, m]", false},
		"ended by any event":      {"{kind: open, of: bad, until: mended}", "['*']", false},
		"ended by time":           {"{kind: since, of: bad}", "[a]", false},
		"ended by what is a mess": {"{kind: open, of: bad, until: mended}", "[a]\nfriction: {m: 1}", true},
	} {
		k := scoringtest.Must(scoringtest.LoadText("name: way\nversion: 1\nhorizon: 30d\nactivity: "+c.activity+`
signals: {bad: {types: [b]}, mended: {types: [m]}}
features: {bads: `+c.feature+`}
factors: [{code: incident, feature: bads, curve: [[0h, 0.6], [24h, 0.9]]}]
`, pack.Overrides{}))
		s, customer := scoring.NewScorer(k), profile.Customer{Profile: &profile.Profile{}}
		for i, name := range []string{"a", "a", "a", "b"} {
			s.Observe(&customer, &profile.Population{}, &scoring.Observation{
				Time: scoringtest.Begin + int64(i)*5*scoringtest.Day, Signal: k.Signal([]byte(name)),
			})
		}
		seen := map[string]bool{}
		for at := scoringtest.Begin + 21*scoringtest.Day; at < scoringtest.Begin+200*scoringtest.Day; at += scoringtest.Day / 4 {
			score := s.Eval.Score(&customer, at)
			if e, ok := k.Model.CheapestExit(&score); ok {
				seen[e.Change] = true
			}
		}
		if seen["incident"] != c.want || len(seen) > 1 {
			t.Errorf("%s: %v", name, seen)
		}
	}
}

// TestSchemaLists: the closed lists of the code are those of the schema.
func TestSchemaLists(t *testing.T) {
	text := string(scoringtest.Must(os.ReadFile("../../docs/alert.schema.json")))
	list := func(names []string) string { return `["` + strings.Join(names, `", "`) + `"]` }
	var tiers, transitions, reasons, kinds, stages []string
	for n := range profile.NumTiers {
		tiers = append(tiers, n.String())
	}
	for _, n := range []scoring.Transition{
		scoring.Raised,
		scoring.Escalated,
		scoring.Deescalated,
		scoring.Recovered,
		scoring.Expired,
		scoring.Converted,
	} {
		transitions = append(transitions, n.String())
	}
	reasons = slices.Sorted(maps.Keys(pack.Reasons()))
	for n := range profile.NumKinds {
		kinds = append(kinds, n.String())
	}
	for n := range profile.NumStages {
		stages = append(stages, n.String())
	}
	for name, want := range map[string]string{
		"tiers":       list(tiers),
		"transitions": list(transitions),
		"reasons":     list(reasons),
		"kinds":       list(kinds),
		"stages":      list(stages),
	} {
		if !strings.Contains(text, `"enum": `+want) {
			t.Errorf("the schema does not list the %s %s", name, want)
		}
	}
	for _, name := range model.TermNames() {
		if !strings.Contains(text, `{"const": "`+name+`"}`) {
			t.Errorf("the schema does not name the term %s", name)
		}
	}
}

func TestNames(t *testing.T) {
	var got []string
	for n := range scoring.NumTransitions + 1 {
		got = append(got, n.String())
	}
	for n := range profile.NumTiers + 1 {
		got = append(got, n.String())
	}
	want := []string{
		"",
		"raised",
		"escalated",
		"deescalated",
		"reminded",
		"recovered",
		"churned",
		"expired",
		"cancelled",
		"corrected",
		"converted",
		"unknown",
		"",
		"healthy",
		"watch",
		"at_risk",
		"critical",
		"unknown",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("names and their numbers are stored and published: ", diff)
	}
}

// TestExitUnderTheCap: where the cap binds, a factor is the way out only if the score without it is low enough.
func TestExitUnderTheCap(t *testing.T) {
	pack := scoringtest.Must(scoringtest.LoadText(`
name: capped
version: 1
horizon: 30d
activity: [a]
cap: 0.6
signals: {bad: {types: [b]}, worse: {types: [c]}, mended: {types: [m]}}
features: {bads: {kind: open, of: bad, until: mended}, worses: {kind: open, of: worse, until: mended}}
factors:
  - {code: incident, feature: bads, curve: [[0h, 0], [1h, 0.5]]}
  - {code: dispute_open, feature: worses, curve: [[0h, 0], [1h, 0.5]]}
`, pack.Overrides{}))
	s, c := scoring.NewScorer(pack), profile.Customer{Profile: &profile.Profile{}}
	for i, name := range []string{"a", "a", "a", "b", "c"} {
		s.Observe(
			&c,
			&profile.Population{},
			&scoring.Observation{Time: scoringtest.Begin + int64(i)*5*scoringtest.Day, Signal: pack.Signal([]byte(name))},
		)
	}
	found := false
	for at := scoringtest.Begin + 21*scoringtest.Day; at < scoringtest.Begin+200*scoringtest.Day; at += scoringtest.Day / 4 {
		a := alert.Alert{Decision: s.Now(&c, at)}
		var said struct {
			LogOdds float64 `json:"log_odds"`
			Exit    *struct {
				Change  string  `json:"change"`
				LogOdds float64 `json:"log_odds"`
			} `json:"cheapest_exit"`
		}
		if err := json.Unmarshal(alert.NewRenderer(pack).AppendAlert(nil, &a, a.ID()), &said); err != nil {
			t.Fatal(err)
		}
		if e := said.Exit; e != nil && e.Change != "friction" {
			found = true
			if math.Abs(said.LogOdds-0.1-e.LogOdds) > 1e-9 {
				t.Fatalf("without %s the sum is %v of %v, where the cap leaves 0.5 of 0.6", e.Change, e.LogOdds, said.LogOdds)
			}
		}
	}
	if !found {
		t.Error("no factor is a way out")
	}
}
