package scoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Explanation is an alert's score, recomputed from nothing but the inputs and coefficients that the alert carries.
type Explanation struct {
	Terms       []ExplainedTerm   `json:"terms"`             // in the order in which they are added
	Factors     []ExplainedFactor `json:"factors,omitempty"` // what the pack declares beside them, added last within its cap
	Cap         float64           `json:"factors_cap,omitempty"`
	FactorSum   float64           `json:"factors_log_odds,omitempty"`
	Floor       *ExplainedFloor   `json:"floor,omitempty"` // that the risk score is not below
	LogOdds     float64           `json:"log_odds"`
	Risk        float64           `json:"risk_score"`         // 0 to 100, in thousandths
	Unscored    bool              `json:"unscored,omitempty"` // the customer has no activity: there are no terms, and the risk is the floor
	Probability float64           `json:"churn_probability"`
	Probes      uint32            `json:"probability_probes"`          // behind it
	Provisional bool              `json:"probability_provisional"`     // too few: it is the score's own
	Curve       [][2]float64      `json:"probability_curve,omitempty"` // points that it is read from: log-odds, probability

	// Differences are where the alert says something else, to the bit; none: it proves itself.
	Differences []Difference `json:"differences"`
}

// ExplainedTerm is a term with what it was computed from.
type ExplainedTerm struct {
	Name         string             `json:"name"`
	LogOdds      float64            `json:"log_odds"`
	Inputs       map[string]float64 `json:"inputs"`
	Coefficients map[string]float64 `json:"coefficients"`
}

// ExplainedFactor is a factor with the feature's value that it was computed from, and its curve.
type ExplainedFactor struct {
	Code    string  `json:"code"`
	Feature string  `json:"feature"`
	LogOdds float64 `json:"log_odds"`
	Inputs  struct {
		Value int64 `json:"value"`
	} `json:"inputs"`
	Coefficients struct {
		Curve [][2]float64 `json:"curve"`
	} `json:"coefficients"`
}

// ExplainedFloor is the risk score that the customer's is not below, and why.
type ExplainedFloor struct {
	Risk float64 `json:"risk_score"`
	Code string  `json:"code"`
}

// Difference is a number of an alert that does not follow from the others.
type Difference struct {
	Field      string  `json:"field"`      // as a JSON pointer into the alert
	Says       float64 `json:"says"`       // what the alert says
	Recomputed float64 `json:"recomputed"` // what follows
}

// ErrNoAlert is what Explain returns for what is no alert, or one with terms that this build does not know.
var ErrNoAlert = errors.New("no alert that can be recomputed")

// Explain recomputes alert, the JSON of one alert as published (docs/alert.schema.json). It knows no pack: every number it
// needs stands in the alert, so that an alert is explained years later as it was on its day. Errors: ErrNoAlert.
func Explain(alert []byte) (*Explanation, error) {
	var said struct {
		Scored      *bool             `json:"scored"`
		Terms       []ExplainedTerm   `json:"terms"`
		Factors     []ExplainedFactor `json:"factors"`
		Cap         float64           `json:"factors_cap"`
		FactorSum   float64           `json:"factors_log_odds"`
		Floor       *ExplainedFloor   `json:"floor"`
		LogOdds     *float64          `json:"log_odds"`
		Risk        *float64          `json:"risk_score"`
		Probability *float64          `json:"churn_probability"`
		Probes      uint32            `json:"probability_probes"`
		Curve       [][2]float64      `json:"probability_curve"`
	}
	if err := json.Unmarshal(alert, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	if said.Scored != nil && !*said.Scored && len(said.Terms) == 0 && said.Risk != nil {
		return explainUnscored(said.Floor, *said.Risk), nil
	}
	if len(said.Terms) == 0 || said.LogOdds == nil || said.Risk == nil || said.Probability == nil {
		return nil, fmt.Errorf("%w: it has no terms, log_odds, risk_score or churn_probability", ErrNoAlert)
	}
	x := &Explanation{Differences: []Difference{}, Factors: said.Factors, Cap: said.Cap, Floor: said.Floor, Probes: said.Probes, Curve: said.Curve}
	for i, t := range said.Terms {
		value, err := t.recompute()
		if err != nil {
			return nil, fmt.Errorf("%w: /terms/%d: %w", ErrNoAlert, i, err)
		}
		x.differ(fmt.Sprintf("/terms/%d/log_odds", i), t.LogOdds, value)
		t.LogOdds = value
		x.Terms = append(x.Terms, t)
		if i == 0 {
			x.LogOdds = value
		} else {
			x.LogOdds += value
		}
	}
	if err := x.addFactors(said.FactorSum); err != nil {
		return nil, err
	}
	if math.IsNaN(x.LogOdds) || math.IsInf(x.LogOdds, 0) {
		return nil, fmt.Errorf("%w: its inputs lead to no number", ErrNoAlert)
	}
	if err := x.read(); err != nil {
		return nil, err
	}
	risk := thousandths(sigmoid(x.LogOdds))
	if x.Floor != nil {
		risk = max(risk, int(float64(x.Floor.Risk*1000)+0.5))
	}
	x.Risk = float64(risk) / 1000
	x.differ("/log_odds", *said.LogOdds, x.LogOdds)
	x.differ("/risk_score", *said.Risk, x.Risk)
	x.differ("/churn_probability", *said.Probability, x.Probability)
	return x, nil
}

// explainUnscored is of an alert about a customer without activity: the risk is the floor.
func explainUnscored(floor *ExplainedFloor, said float64) *Explanation {
	x := &Explanation{Floor: floor, Unscored: true, Provisional: true, Terms: []ExplainedTerm{}, Differences: []Difference{}}
	if floor != nil {
		x.Risk = float64(int(float64(floor.Risk*1000)+0.5)) / 1000
	}
	x.differ("/risk_score", said, x.Risk)
	return x
}

// read reads the probability off the points of the curve, or off the score where there are none.
func (x *Explanation) read() error {
	r := Reading{Probes: x.Probes, Number: uint8(min(len(x.Curve), 3))}
	if len(x.Curve) > len(r.Points) {
		return fmt.Errorf("%w: /probability_curve has %d points, which is too many", ErrNoAlert, len(x.Curve))
	}
	for i, p := range x.Curve {
		r.Points[i] = ReadPoint{p[0], p[1]}
	}
	x.Probability, x.Provisional = r.Probability(x.LogOdds), r.Provisional()
	if math.IsNaN(x.Probability) || math.IsInf(x.Probability, 0) {
		return fmt.Errorf("%w: /probability_curve leads to no number", ErrNoAlert)
	}
	return nil
}

// addFactors recomputes what the factors add, one by one and together.
func (x *Explanation) addFactors(said float64) error {
	for i := range x.Factors {
		f := &x.Factors[i]
		c := Factor{}
		for _, p := range f.Coefficients.Curve {
			c.Curve = append(c.Curve, CurvePoint{int64(p[0]), p[1]})
		}
		if len(c.Curve) == 0 || len(x.Factors) > maxFactors {
			return fmt.Errorf("%w: /factors/%d/coefficients/curve has no point", ErrNoAlert, i)
		}
		value := c.add(f.Inputs.Value)
		x.differ(fmt.Sprintf("/factors/%d/log_odds", i), f.LogOdds, value)
		f.LogOdds = value
		x.FactorSum += value
	}
	x.FactorSum = min(max(x.FactorSum, -x.Cap), x.Cap)
	x.differ("/factors_log_odds", said, x.FactorSum)
	x.LogOdds += x.FactorSum
	return nil
}

func (x *Explanation) differ(field string, says, recomputed float64) {
	if math.Float64bits(says) != math.Float64bits(recomputed) {
		x.Differences = append(x.Differences, Difference{field, says, recomputed})
	}
}

// recompute is the term's log-odds by its own inputs and coefficients. The formulas stand in score.go.
func (t *ExplainedTerm) recompute() (float64, error) {
	n := named{t: t}
	var value float64
	switch t.Name {
	case termNames[TermBase]:
		value = n.coefficient("base")
	case termNames[TermRhythm]:
		value = float64(n.coefficient("weight") * n.silent(n.coefficient("min_silent_days")))
	case termNames[TermSilence]:
		value = float64(n.coefficient("weight") * (n.silent(n.input("silent_days")) - n.silent(n.coefficient("min_silent_days"))))
	case termNames[TermLevel]:
		value = levelBy(n.coefficient("weight"), n.coefficient("floor"), n.input("level"), n.input("idle_days"), n.coefficient("fade_days"))
	case termNames[TermTenure]:
		value = tenureBy(n.coefficient("weight"), n.coefficient("offset"), n.input("tenure_days"), n.coefficient("horizon_days"))
	case termNames[TermFriction]:
		value = frictionBy(n.coefficient("weight"), n.input("friction"), n.input("idle_days"), n.coefficient("fade_days"))
	default:
		return 0, fmt.Errorf("term %q is not known to this build", t.Name)
	}
	return value, n.err
}

// named looks up a term's numbers and keeps the first that is missing.
type named struct {
	t   *ExplainedTerm
	err error
}

func (n *named) input(name string) float64 { return n.get("inputs", n.t.Inputs, name) }
func (n *named) coefficient(name string) float64 {
	return n.get("coefficients", n.t.Coefficients, name)
}

func (n *named) get(kind string, from map[string]float64, name string) float64 {
	v, ok := from[name]
	if !ok && n.err == nil {
		n.err = fmt.Errorf("/%s/%s is missing", kind, name)
	}
	return v
}

func (n *named) silent(days float64) float64 {
	return logitSilentFor(n.input("ln_typical_days"), n.input("regularity"), days, n.coefficient("horizon_days"))
}
