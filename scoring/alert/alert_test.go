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
	"ebb/scoring/moment"
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
	if !ok || len(all) != 5 { // watch, at_risk, two steps and critical
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
	ID, Tenant, Customer, Kind, Transition, Tier string
	EpisodeID                                    string    `json:"episode_id"`
	Risk                                         float64   `json:"risk_score"`
	Probability                                  *float64  `json:"churn_probability"`
	Probes                                       uint32    `json:"probes"`
	Provisional                                  bool      `json:"provisional"`
	BeganAt                                      time.Time `json:"began_at"`
	Time                                         time.Time
	Score                                        publishedScore
	Cause                                        struct {
		ID        string
		EventType string `json:"event_type"`
	}
}

type publishedScore struct {
	Visits uint32
	Terms  map[string]float64
	Inputs struct {
		LnTypical  float64 `json:"ln_gap"`
		Regularity float64
		Level      float64
		Friction   float64
		Silent     *int64 `json:"silent_ms"`
		Idle       *int64 `json:"idle_ms"`
		Tenure     int64  `json:"tenure_ms"`
	}
	Curve [][2]float64
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
	if got.EpisodeID != a.EpisodeID().String() {
		t.Fatalf("episode %s of %+v", got.EpisodeID, a)
	}
	x, err := alert.NewRenderer(pack).Explain(b)
	if err != nil || len(x.Differences) > 0 {
		t.Fatalf("explained as %+v, %v: %s", x, err, b)
	}
	sum := 0.0
	for i, name := range model.TermNames() {
		again := recompute(&got, moment.Days(pack.Horizon.Milliseconds()), i)
		if math.Abs(again-got.Score.Terms[name]) > 0.50001e-6 {
			t.Fatalf("%s is %v by its inputs, not %v, in %s", name, again, got.Score.Terms[name], b)
		}
		if math.Abs(again-a.Score.Terms[i]) > 1e-12 || x.Terms[i].LogOdds != a.Score.Terms[i] {
			t.Fatalf("%s is %v and explained as %v, not %v", name, again, x.Terms[i].LogOdds, a.Score.Terms[i])
		}
		sum += a.Score.Terms[i]
	}
	sum += a.Score.Factors
	probability := 1 / (1 + exact.Exp(-sum))
	learnt := probability
	switch c := got.Score.Curve; len(c) {
	case 1:
		learnt = c[0][1]
	case 2:
		learnt = c[0][1] + (sum-c[0][0])/(c[1][0]-c[0][0])*(c[1][1]-c[0][1])
	}
	r := a.Reading
	if got.Probes != r.Probes || got.Provisional != (len(got.Score.Curve) == 0) || len(got.Score.Curve) != int(r.Number) ||
		got.Provisional != r.Provisional() {
		t.Fatalf("%d probes, provisional %v, curve %v of %+v", got.Probes, got.Provisional, got.Score.Curve, r)
	}
	if math.Abs(learnt-*got.Probability) > 0.501e-6 || math.Abs(got.Risk-100*probability) > 0.000501 {
		t.Fatalf("sum %v, probability %v in %s", sum, probability, b)
	}
}

// recompute computes a term by the alert's content and the formulas of core version 3, written down once more.
func recompute(a *published, horizon float64, term int) float64 {
	in := &a.Score.Inputs
	const minSilent = 0.02
	silent := minSilent
	if a.Transition != "recovered" {
		silent = max(silent, moment.Days(a.Time.Sub(a.BeganAt).Milliseconds()))
	}
	if in.Silent != nil {
		silent = moment.Days(*in.Silent)
	}
	idle := silent
	if in.Idle != nil {
		idle = moment.Days(*in.Idle)
	}
	u := func(regularity, r float64) float64 { return math.Exp(regularity * (math.Log(r) - in.LnTypical)) }
	lasts := func(r float64) float64 { // log-odds that a silence of r days lasts a horizon more
		k := min(in.Regularity, 2.5)
		from, to := u(k, r), u(k, r+horizon)
		return math.Log((1 + from) / max(to-from, to*0x1p-52))
	}
	outgrown := math.Log(1 + u(in.Regularity, silent))
	switch term {
	case model.TermBase:
		return 1.75
	case model.TermRhythm:
		return 0.65 * lasts(minSilent)
	case model.TermSilence:
		clockwork := min(max(in.Regularity-2, 0), 1)
		return 0.5 * ((1-clockwork)*(lasts(silent)-lasts(minSilent)) + clockwork*outgrown)
	case model.TermLevel:
		return -math.Log(in.Level*math.Exp(-idle/(4*horizon)-0.2*outgrown) + 0.2)
	case model.TermTenure:
		return -0.1 * math.Log(moment.Days(in.Tenure)/horizon+0.2)
	default:
		return 0.5 * math.Log(1+in.Friction*math.Exp(-idle/horizon))
	}
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
		scoring.Reminded,
		scoring.Recovered,
		scoring.Churned,
		scoring.Expired,
		scoring.Corrected,
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
		if !strings.Contains(text, `"`+name+`": {"type": "number"}`) {
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
		x := alert.NewRenderer(pack).Explanation(&a.Decision)
		if e := x.Exit; e != nil && e.Change != "friction" {
			found = true
			if math.Abs(x.LogOdds-0.1-e.LogOdds) > 1e-9 {
				t.Fatalf("without %s the sum is %v of %v, where the cap leaves 0.5 of 0.6", e.Change, e.LogOdds, x.LogOdds)
			}
		}
	}
	if !found {
		t.Error("no factor is a way out")
	}
}
