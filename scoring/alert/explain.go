package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Explanation is how a decision's score comes about, by the core's formulas and its pack.
type Explanation struct {
	Terms []ExplainedTerm `json:"terms"` // in the order in which they are added
	// the pack's declared terms, added last and within its cap
	Factors   []ExplainedFactor `json:"factors,omitempty"`
	Cap       float64           `json:"factors_cap,omitempty"`
	FactorSum float64           `json:"factors_log_odds,omitempty"`
	Uncapped  float64           `json:"-"`               // what the factors would add without the cap
	Floor     *ExplainedFloor   `json:"floor,omitempty"` // the risk score is not below it
	LogOdds   float64           `json:"log_odds"`
	Risk      float64           `json:"risk_score"` // 0 to 100, in thousandths
	// the customer has no activity: there are no terms, and the risk is the floor
	Unscored    bool    `json:"unscored,omitempty"`
	Probability float64 `json:"churn_probability"`
	Probes      uint32  `json:"probability_probes"` // behind it
	// of customers, whose probes they are; empty: of all
	Class       string `json:"probability_class,omitempty"`
	Provisional bool   `json:"probability_provisional"` // too few: the probability is the score's own
	// points that it is read from: log-odds, probability
	Curve    [][2]float64    `json:"probability_curve,omitempty"`
	Value    *ExplainedValue `json:"value,omitempty"` // nil: nothing is known
	Priority int             `json:"priority"`
	Exit     *ExplainedExit  `json:"cheapest_exit,omitempty"`

	// Differences are where an alert differs from what follows from it, to the last digit; none: it proves itself.
	Differences []Difference `json:"differences"`
}

// ExplainedTerm is a term with its inputs and coefficients.
type ExplainedTerm struct {
	Name         string             `json:"name"`
	LogOdds      float64            `json:"log_odds"`
	Inputs       map[string]float64 `json:"inputs"`
	Coefficients map[string]float64 `json:"coefficients"`
}

// ExplainedFactor is a factor with its feature's value, and its curve.
type ExplainedFactor struct {
	Code    string       `json:"code"`
	Feature string       `json:"feature"`
	LogOdds float64      `json:"log_odds"`
	Value   int64        `json:"value"`
	Curve   [][2]float64 `json:"curve"` // value, log-odds
}

// ExplainedFloor is the lower bound of the customer's risk score, and its reason.
type ExplainedFloor struct {
	Risk float64 `json:"risk_score"`
	Code string  `json:"code"`
}

// ExplainedExit is the smallest single change that would lower the tier.
type ExplainedExit struct {
	Change  string  `json:"change"`
	LogOdds float64 `json:"log_odds"` // after it
	Risk    float64 `json:"risk_score"`
	Tier    string  `json:"tier"`
}

// Difference is a part of an alert that does not follow from the others.
type Difference struct {
	Field      string `json:"field"`      // as a JSON pointer into the alert
	Says       any    `json:"says"`       // in the alert; nil: nothing
	Recomputed any    `json:"recomputed"` // what follows; nil: nothing
}

// Errors of Explain. Branch on them with errors.Is.
var (
	// ErrNoAlert: the text is no alert.
	ErrNoAlert = errors.New("no alert that can be recomputed")

	// ErrOtherPack: the alert was decided under another pack than the renderer's.
	ErrOtherPack = errors.New("the alert is of another pack")

	// ErrOtherCore: another version of the core scored the alert, whose formulas this build does not have.
	ErrOtherCore = errors.New("the alert was scored by another version of the core")
)

// Explain reads the decision of alert back, the JSON of one alert of the renderer's pack as published
// (docs/alert.schema.json), computes its score anew, renders it, and compares the two: whatever comes out otherwise is
// a difference. So an alert can be proved years later from its own content, its pack and the core version alone. These
// parts follow from nothing else in an alert and are taken from it, some of them within bounds:
//
//   - visits, probes, cause, the values of features, the currency of money and the number of events in another one,
//     and for other kinds the times, except where they are raised
//   - when a lapse recovered, by less than its sentence shows
//   - the tiers: above those of score and floor, as far as open episodes of other kinds lift them, or the lapse itself
//     while it was held
//   - that a raise was held, and then for other kinds than lapse when it ends
//   - the tier before a lapse was raised, for a pack with factors: as far as these reach within their cap
//   - the event of the friction, the playbook that another one supersedes, of a deescalated or reminded episode its
//     playbook, and which of its steps an alert has come to
//   - the stage: one that fits the silence and the tenure
//   - the time zone, whose it is, and the channels that the customer is unsubscribed from
//
// Errors: ErrNoAlert, ErrOtherPack, ErrOtherCore.
func (r *Renderer) Explain(alert []byte) (*Explanation, error) {
	a, err := r.read(alert)
	if err != nil {
		return nil, err
	}
	r.follow(&a.Decision)
	x := r.Explanation(&a.Decision)
	if math.IsNaN(x.LogOdds) || math.IsInf(x.LogOdds, 0) || math.IsNaN(x.Probability) {
		return nil, fmt.Errorf("%w: its inputs lead to no number", ErrNoAlert)
	}
	if x.Differences, err = compareJSON(alert, r.AppendAlert(nil, a, a.ID())); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	return x, nil
}

// read reads an alert of the renderer's pack back, with its terms computed anew.
func (r *Renderer) read(alert []byte) (*Alert, error) {
	said := new(saidAlert)
	if err := unmarshalObject(alert, said); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	if said.Pack.Core != model.Version && said.Pack.Core != 0 {
		return nil, fmt.Errorf("%w: version %d, this build has %d", ErrOtherCore, said.Pack.Core, model.Version)
	}
	if said.Pack.Hash != pack.Short(r.Pack.Hash) {
		return nil, fmt.Errorf("%w: %s", ErrOtherPack, said.Pack.Hash)
	}
	if n := placeOf[profile.Kind](said.Kind, profile.KindNames()); n != profile.Lapse && len(r.Pack.Kinds[n].Opens) == 0 {
		return nil, fmt.Errorf("%w: its pack has no kind %s", ErrNoAlert, said.Kind)
	}
	err := said.complete()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	a, err := r.decode(said)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	return a, nil
}

// unmarshalObject reads a JSON object, and returns an error in plain words for any other value.
func unmarshalObject(b []byte, into any) error {
	if b = bytes.TrimLeft(b, " \t\r\n"); json.Valid(b) && b[0] != '{' {
		return errors.New("it is no JSON object")
	}
	err := json.Unmarshal(b, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("/%s cannot be %s", strings.ReplaceAll(wrong.Field, ".", "/"), wrong.Value)
	}
	return err
}

// Explanation explains a decision under the renderer's pack. It has no differences.
func (r *Renderer) Explanation(d *scoring.Decision) *Explanation {
	floor := d.Floor(r.Pack)
	x := &Explanation{
		Terms: []ExplainedTerm{}, Risk: float64(d.Score.Floored(floor)) / 1000, Unscored: d.Score.Visits == 0,
		Provisional: true, Value: r.explainValue(d), Priority: d.Priority(r.Pack), Differences: []Difference{},
	}
	if floor > 0 {
		x.Floor = &ExplainedFloor{floor, d.FloorOpening(r.Pack).Code}
	}
	if x.Unscored {
		return x
	}
	x.Terms, x.LogOdds = r.explainTerms(&d.Score), d.Score.Sum()
	x.Probability, x.Probes, x.Provisional = d.Reading.Probability(x.LogOdds), d.Reading.Probes, d.Reading.Provisional()
	x.Class = r.classOf(d)
	for _, p := range d.Reading.Points[:d.Reading.Number] {
		x.Curve = append(x.Curve, [2]float64{p.LogOdds, p.Probability})
	}
	r.explainFactors(x, &d.Score)
	if d.Kind == profile.Lapse && !d.Transition.Ends() {
		if e, ok := r.Pack.Model.CheapestExit(&d.Score); ok {
			risk := float64(model.Thousandths(exact.Sigmoid(e.LogOdds))) / 1000
			x.Exit = &ExplainedExit{e.Change, e.LogOdds, risk, e.Tier.String()}
		}
	}
	return x
}

// explainTerms are the terms of a score, each with the inputs that it reads and its coefficients.
func (r *Renderer) explainTerms(s *model.Score) []ExplainedTerm {
	gaps := map[string]float64{"ln_typical_days": s.LnTypical, "regularity": s.Regularity}
	inputs := [model.NumTerms]map[string]float64{
		model.TermBase:   {},
		model.TermRhythm: gaps,
		model.TermSilence: {
			"ln_typical_days": s.LnTypical, "regularity": s.Regularity, "silent_days": s.Silence,
		},
		model.TermLevel: {
			"level": s.Level, "idle_days": s.Idle, "outgrown": model.Outgrown(s.LnTypical, s.Regularity, s.Silence),
		},
		model.TermTenure:   {"tenure_days": s.Tenure},
		model.TermFriction: {"friction": s.Friction, "idle_days": s.Idle},
	}
	names, coefficients := model.TermNames(), r.Pack.Model.Coefficients()
	all := make([]ExplainedTerm, model.NumTerms)
	for i := range all {
		by := map[string]float64{}
		for _, c := range coefficients[i] {
			by[c.Name] = c.Value
		}
		all[i] = ExplainedTerm{names[i], s.Terms[i], inputs[i], by}
	}
	return all
}

// explainFactors fills in the factors that have data at the customer's stage.
func (r *Renderer) explainFactors(x *Explanation, s *model.Score) {
	var each [model.MaxFactors]float64
	r.Pack.Model.FactorSum(s.Values, s.Stage, each[:])
	x.Cap, x.FactorSum = r.Pack.Model.Cap, s.Factors
	for i := range r.Pack.Model.Factors {
		f := &r.Pack.Model.Factors[i]
		v := s.Value(f.Feature)
		if !v.OK || !f.Stages.Has(s.Stage) {
			continue
		}
		e := ExplainedFactor{Code: f.Code, Feature: r.Pack.Features[f.Feature].Name, LogOdds: each[i], Value: v.N}
		for _, p := range f.Curve {
			e.Curve = append(e.Curve, [2]float64{float64(p.Value), p.LogOdds})
		}
		x.Factors = append(x.Factors, e)
		x.Uncapped += each[i]
	}
}
