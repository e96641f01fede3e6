package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ebb/scoring/exact"
	"ebb/scoring/model"
)

// Explanation is an alert's score, recomputed only from the alert's own inputs and coefficients.
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
	Probes      uint32  `json:"probability_probes"`      // behind it
	Provisional bool    `json:"probability_provisional"` // too few: the probability is the score's own
	// points that it is read from: log-odds, probability
	Curve [][2]float64    `json:"probability_curve,omitempty"`
	Value *ExplainedValue `json:"value,omitempty"`
	Exit  *ExplainedExit  `json:"cheapest_exit,omitempty"`

	// Differences are where the alert differs from what follows, to the bit; none: it proves itself.
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

// ErrNoAlert is returned by Explain for text that is no alert, or for an alert with terms unknown to this build.
var ErrNoAlert = errors.New("no alert that can be recomputed")

// Explain recomputes alert, the JSON of one alert as published (docs/alert.schema.json). It needs no pack: the alert
// holds every number, so that it can be explained years later exactly as on its day. Renderer.Explain checks the rest.
// Errors: ErrNoAlert.
func Explain(alert []byte) (*Explanation, error) {
	x, _, err := explain(alert)
	return x, err
}

// explain is Explain, and returns the alert's content.
func explain(alert []byte) (x *Explanation, said *saidAlert, err error) {
	said = new(saidAlert)
	if err = unmarshalObject(alert, said); err == nil {
		x, err = said.explain()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	return x, said, nil
}

func (said *saidAlert) explain() (*Explanation, error) {
	if said.Scored != nil && !*said.Scored && len(said.Terms) == 0 && said.Risk != nil {
		return said.explainUnscored(), nil
	}
	if len(said.Terms) == 0 || said.LogOdds == nil || said.Risk == nil || said.Probability == nil {
		return nil, errors.New("it has no terms, log_odds, risk_score or churn_probability")
	}
	x := &Explanation{
		Cap: said.Cap, Floor: said.Floor, Probes: said.Probes, Value: said.Value, Exit: said.Exit,
		Differences: []Difference{},
	}
	for _, step := range []func(*saidAlert) error{x.addTerms, x.addFactors, x.read} {
		if err := step(said); err != nil {
			return nil, err
		}
	}
	risk := model.Thousandths(exact.Sigmoid(x.LogOdds))
	if x.Floor != nil {
		risk = max(risk, model.FloorThousandths(x.Floor.Risk))
	}
	x.Risk = float64(risk) / 1000
	x.differ("/log_odds", *said.LogOdds, x.LogOdds)
	x.differ("/risk_score", *said.Risk, x.Risk)
	x.differ("/churn_probability", *said.Probability, x.Probability)
	if said.Provisional != x.Provisional {
		x.Differences = append(x.Differences, Difference{"/probability_provisional", said.Provisional, x.Provisional})
	}
	x.weigh()
	return x, x.leave()
}

// explainUnscored explains an alert about a customer without activity: the risk is the floor.
func (said *saidAlert) explainUnscored() *Explanation {
	x := &Explanation{
		Unscored: true, Floor: said.Floor, Provisional: true, Value: said.Value,
		Terms: []ExplainedTerm{}, Differences: []Difference{},
	}
	if x.Floor != nil {
		x.Risk = float64(model.FloorThousandths(x.Floor.Risk)) / 1000
	}
	x.differ("/risk_score", *said.Risk, x.Risk)
	x.weigh()
	return x
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

// recompute is the term's log-odds by its own inputs and coefficients. The formulas stand in scoring/model/score.go.
func (t *ExplainedTerm) recompute() (float64, error) {
	n, names := named{t: t}, model.TermNames()
	var value float64
	switch t.Name {
	case names[model.TermBase]:
		value = n.coefficient("base")
	case names[model.TermRhythm]:
		value = float64(n.coefficient("weight") * n.odds(n.coefficient("min_silent_days")))
	case names[model.TermSilence]:
		days := n.input("silent_days")
		value = model.SilenceBy(
			n.coefficient("weight"),
			model.ClockworkBy(n.coefficient("clockwork_from"), n.coefficient("clockwork_to"), n.input("regularity")),
			n.odds(days)-n.odds(n.coefficient("min_silent_days")),
			model.Outgrown(n.input("ln_typical_days"), n.input("regularity"), days),
		)
	case names[model.TermLevel]:
		value = n.level(n.input("level"), n.input("idle_days"), n.input("outgrown"))
	case names[model.TermTenure]:
		value = model.TenureBy(
			n.coefficient("weight"),
			n.coefficient("offset"),
			n.input("tenure_days"),
			n.coefficient("horizon_days"),
		)
	case names[model.TermFriction]:
		value = model.FrictionBy(
			n.coefficient("weight"),
			n.input("friction"),
			n.input("idle_days"),
			n.coefficient("fade_days"),
		)
	default:
		return 0, fmt.Errorf("term %q is not known to this build", t.Name)
	}
	return value, n.err
}

// named looks up a term's numbers and keeps the first missing name.
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
		n.err = fmt.Errorf("/%s/%s is missing, which another version of the score may not have", kind, name)
	}
	return v
}

// odds is the log-odds that a silence of so many days lasts a horizon more.
func (n *named) odds(days float64) float64 {
	regularity := min(n.input("regularity"), n.coefficient("max_regularity"))
	return model.LogitSilent(n.input("ln_typical_days"), regularity, days, n.coefficient("horizon_days"))
}

// level is the term for an amount of activity as of idle days ago, of which the silence has outgrown a part.
func (n *named) level(level, idle, outgrown float64) float64 {
	return model.LevelBy(
		n.coefficient("weight"), n.coefficient("floor"), level, idle,
		n.coefficient("fade_days"), n.coefficient("outgrown_fade"), outgrown,
	)
}
