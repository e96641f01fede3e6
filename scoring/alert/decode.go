package alert

import (
	"maps"
	"slices"
	"time"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// saidAlert is the content of an alert, without the tables of its pack.
type saidAlert struct {
	Tenant      string           `json:"tenant"`
	Customer    string           `json:"customer"`
	Kind        string           `json:"kind"`
	Episode     uint32           `json:"episode"`
	Sequence    uint32           `json:"sequence"`
	Transition  string           `json:"transition"`
	Tier        string           `json:"tier"`
	Previous    string           `json:"previous_tier"`
	Risk        *float64         `json:"risk_score"`
	Scored      *bool            `json:"scored"`
	LogOdds     *float64         `json:"log_odds"`
	Probability *float64         `json:"churn_probability"`
	Probes      uint32           `json:"probability_probes"`
	Provisional bool             `json:"probability_provisional"`
	Curve       [][]float64      `json:"probability_curve"`
	Terms       []ExplainedTerm  `json:"terms"`
	Visits      *uint32          `json:"visits"`
	Stage       string           `json:"stage"`
	Factors     []saidFactor     `json:"factors"`
	FactorSum   float64          `json:"factors_log_odds"`
	Cap         float64          `json:"factors_cap"`
	Features    map[string]int64 `json:"features"`
	About       string           `json:"about"`
	OpenedBy    string           `json:"opened_by"`
	Floor       *ExplainedFloor  `json:"floor"`
	Value       *ExplainedValue  `json:"value"`
	Exit        *ExplainedExit   `json:"cheapest_exit"`
	BeganAt     *time.Time       `json:"began_at"`
	Time        *time.Time       `json:"time"`
	Cause       saidCause        `json:"cause"`
	Pack        struct {
		Hash string `json:"hash"`
	} `json:"pack"`
}

// saidFactor is a factor whose curve may hold anything.
type saidFactor struct {
	ExplainedFactor
	Coefficients struct {
		Curve [][]float64 `json:"curve"`
	} `json:"coefficients"`
}

type saidCause struct {
	Type      string    `json:"type"`
	Time      time.Time `json:"time"`
	ID        string    `json:"id"`
	EventType string    `json:"event_type"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
}

// decode is the inverse of AppendAlert, for an alert that holds visits, began_at and time, with x as its score. An item
// that is not in its list or in the pack becomes the first that is, and thereby a difference.
func (r *Renderer) decode(said *saidAlert, x *Explanation) *Alert {
	c := &said.Cause
	a := &Alert{Tenant: []byte(said.Tenant), Customer: []byte(said.Customer), Cause: Cause{
		Deadline: c.Type == "deadline", Time: c.Time.UnixMilli(),
		EventID: []byte(c.ID), EventType: []byte(c.EventType), Partition: c.Partition, Offset: c.Offset,
	}}
	a.Decision = scoring.Decision{
		Kind: placeOf[profile.Kind](said.Kind, profile.KindNames()), Episode: said.Episode, Sequence: said.Sequence,
		Transition: placeOf[scoring.Transition](said.Transition, scoring.TransitionNames()),
		Tier:       placeOf[profile.Tier](said.Tier, profile.TierNames()),
		Previous:   placeOf[profile.Tier](said.Previous, profile.TierNames()),
		At:         said.Time.UnixMilli(), Since: said.BeganAt.UnixMilli(), Reading: x.reading(), Score: r.score(said, x),
	}
	r.decodeValue(said.Value, &a.Decision)
	if opens := r.Pack.Kinds[a.Kind].Opens; a.Kind != profile.Lapse {
		place := func(code string) uint8 {
			return uint8(max(slices.IndexFunc(opens, func(o pack.Opening) bool { return o.Code == code }), 0))
		}
		if a.About = place(said.About); said.Floor != nil {
			a.Opening = place(said.Floor.Code)
		}
		if said.OpenedBy != "" {
			a.Opener = pack.MarkOf(said.OpenedBy)
		}
	}
	return a
}

// placeOf is the place of a name in a table, or the first place where the table does not contain it.
func placeOf[T ~uint8](name string, table []string) T { return T(max(slices.Index(table, name), 0)) }

// score is the score of an alert, whose terms x has recomputed.
func (r *Renderer) score(said *saidAlert, x *Explanation) model.Score {
	s := model.Score{At: said.Time.UnixMilli(), Values: r.values(said)}
	if x.Unscored {
		return s
	}
	in := func(term int, name string) float64 { return x.Terms[term].Inputs[name] }
	s.LnTypical, s.Regularity = in(model.TermSilence, "ln_typical_days"), in(model.TermSilence, "regularity")
	s.Silence, s.Tenure = in(model.TermSilence, "silent_days"), in(model.TermTenure, "tenure_days")
	s.Level, s.Idle = in(model.TermLevel, "level"), in(model.TermLevel, "idle_days")
	s.Friction, s.Factors = in(model.TermFriction, "friction"), x.FactorSum
	s.Visits, s.Stage = max(*said.Visits, 1), placeOf[profile.Stage](said.Stage, profile.StageNames())
	for i := range x.Terms {
		s.Terms[i] = x.Terms[i].LogOdds
	}
	return s
}

// values are those of the pack's features. An alert has each of them in factors, value or features.
func (r *Renderer) values(said *saidAlert) []feature.Value {
	all := make(map[string]int64, len(r.Pack.Features))
	maps.Copy(all, said.Features)
	for i := range said.Factors {
		all[said.Factors[i].Feature] = said.Factors[i].Inputs.Value
	}
	r.addValue(all, said)
	values := make([]feature.Value, len(r.Pack.Features))
	for i := range values {
		values[i].N, values[i].OK = all[r.Pack.Features[i].Name]
	}
	return values
}
