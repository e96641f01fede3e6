package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ebb/scoring"
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// saidAlert is the part of an alert from which its decision can be read back.
type saidAlert struct {
	Tenant     string            `json:"tenant"`
	Customer   string            `json:"customer"`
	Kind       string            `json:"kind"`
	Episode    uint32            `json:"episode"`
	Sequence   uint32            `json:"sequence"`
	Transition string            `json:"transition"`
	Tier       string            `json:"tier"`
	Previous   string            `json:"previous_tier"`
	Initial    bool              `json:"initial"`
	HeldFor    int64             `json:"held_for"`
	Probes     uint32            `json:"probes"`
	About      string            `json:"about"`
	OpenedBy   string            `json:"opened_by"`
	Floor      *saidFloor        `json:"floor"`
	BeganAt    *time.Time        `json:"began_at"`
	Unseen     int64             `json:"unseen_ms"`
	OpenedAt   *time.Time        `json:"opened_at"`
	ExpiresAt  *time.Time        `json:"expires_at"`
	Time       *time.Time        `json:"time"`
	Cause      *saidCause        `json:"cause"`
	Value      *saidValue        `json:"value"`
	Score      *saidScore        `json:"score"`
	Playbook   *saidPlaybook     `json:"playbook"`
	Trouble    *saidTrouble      `json:"trouble"`
	Facts      map[string]string `json:"facts"`
	saidContact
	Pack     saidPack `json:"pack"`
	Arm      string   `json:"arm"`
	ArmEpoch uint32   `json:"arm_epoch"`
	ArmShare float64  `json:"arm_share"`
}

type saidFloor struct {
	Code string `json:"code"`
}

type saidCause struct {
	Time      *time.Time `json:"time"`
	ID        string     `json:"id"`
	EventType string     `json:"event_type"`
	Partition int        `json:"partition"`
	Offset    int64      `json:"offset"`
}

type saidScore struct {
	Visits   uint32           `json:"visits"`
	Stage    string           `json:"stage"`
	Inputs   *saidInputs      `json:"inputs"`
	CurveOf  string           `json:"curve_of"`
	Curve    [][]float64      `json:"curve"`
	Features map[string]int64 `json:"features"`
}

type saidInputs struct {
	LnTypical  *float64 `json:"ln_gap"`
	Regularity *float64 `json:"regularity"`
	Level      *float64 `json:"level"`
	Friction   float64  `json:"friction"`
	Silent     *int64   `json:"silent_ms"`
	Idle       *int64   `json:"idle_ms"`
	Tenure     *int64   `json:"tenure_ms"`
}

// saidPack names the pack of an alert, and the version of the core that scored it.
type saidPack struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Hash    string `json:"hash"`
	Core    int    `json:"core"`
}

// complete is an error that names what is missing for a decision to be read back.
func (said *saidAlert) complete() error {
	var missing []string
	lacks := func(field string, is bool) {
		if is {
			missing = append(missing, field)
		}
	}
	lacks("began_at", said.BeganAt == nil)
	lacks("opened_at", said.OpenedAt == nil)
	lacks("time", said.Time == nil)
	for name, at := range map[string]*time.Time{
		"began_at": said.BeganAt, "opened_at": said.OpenedAt, "expires_at": said.ExpiresAt, "time": said.Time,
	} {
		if at != nil && (at.UnixMilli() < 0 || at.UnixMilli() > 2*moment.Max) {
			return fmt.Errorf("/%s is beyond any event", name)
		}
	}
	if said.Unseen < 0 || said.Unseen > moment.Max {
		return errors.New("/unseen_ms is no time that can have passed")
	}
	if s := said.Score; s == nil {
		missing = append(missing, "score")
	} else if s.Visits > 0 {
		if in := s.Inputs; in == nil {
			missing = append(missing, "score/inputs")
		} else {
			lacks("score/inputs/ln_gap", in.LnTypical == nil)
			lacks("score/inputs/regularity", in.Regularity == nil)
			lacks("score/inputs/level", in.Level == nil)
			lacks("score/inputs/tenure_ms", in.Tenure == nil)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("it has no %s", strings.Join(missing, ", "))
	}
	return nil
}

// decode is the inverse of AppendAlert, for an alert that is complete and of the renderer's pack. An item that is not
// in its list or in the pack becomes the first that is, and thereby a difference.
func (r *Renderer) decode(said *saidAlert) (*Alert, error) {
	a := &Alert{Tenant: []byte(said.Tenant), Customer: []byte(said.Customer), Cause: said.cause()}
	a.Assigned = Assignment{
		Arm: placeOf[Arm](said.Arm, ArmNames()), Epoch: said.ArmEpoch, Share: uint32(float64(said.ArmShare*Whole) + 0.5),
	}
	a.Decision = scoring.Decision{
		Kind:       placeOf[profile.Kind](said.Kind, profile.KindNames()),
		Episode:    said.Episode,
		Sequence:   said.Sequence,
		Transition: placeOf[scoring.Transition](said.Transition, scoring.TransitionNames()),
		Tier:       placeOf[profile.Tier](said.Tier, profile.TierNames()),
		Previous:   placeOf[profile.Tier](said.Previous, profile.TierNames()),
		At:         said.Time.UnixMilli(),
		Since:      said.BeganAt.UnixMilli(),
		Missed:     said.Unseen,
		Opened:     said.OpenedAt.UnixMilli(),
		Facts:      r.facts(said.Facts),
		Initial:    said.Initial,
		HeldFor:    said.HeldFor,
	}
	d := &a.Decision
	if said.ExpiresAt != nil {
		d.Expires = said.ExpiresAt.UnixMilli()
	}
	if opens := r.Pack.Kinds[d.Kind].Opens; d.Kind != profile.Lapse {
		place := func(code string) uint8 {
			return uint8(max(slices.IndexFunc(opens, func(o pack.Opening) bool { return o.Code == code }), 0))
		}
		if d.About = place(said.About); said.Floor != nil {
			d.Opening = place(said.Floor.Code)
		}
		if said.OpenedBy != "" {
			d.Opener = pack.MarkOf(said.OpenedBy)
		}
	}
	d.Score, d.Trouble = r.score(said.Score, d), said.Trouble.decode()
	said.saidContact.decode(d)
	r.decodeValue(said.Value, d)
	said.Playbook.decode(d, r.Pack)
	var err error
	d.Reading, err = said.reading()
	return a, err
}

// cause is what an alert was decided by: the event that it names, or a deadline.
func (said *saidAlert) cause() Cause {
	c := said.Cause
	if c == nil {
		return Cause{Deadline: true, Time: said.Time.UnixMilli()}
	}
	at := said.Time
	if c.Time != nil {
		at = c.Time
	}
	return Cause{
		Time: at.UnixMilli(), EventID: []byte(c.ID), EventType: []byte(c.EventType), Partition: c.Partition, Offset: c.Offset,
	}
}

// placeOf is the place of a name in a table, or the first place where the table does not contain it.
func placeOf[T ~uint8](name string, table []string) T { return T(max(slices.Index(table, name), 0)) }

// score reads the score of a decision back, of which everything else is known. Its terms are not computed.
func (r *Renderer) score(said *saidScore, d *scoring.Decision) model.Score {
	s := model.Score{At: d.At, Visits: said.Visits, Values: make([]feature.Value, len(r.Pack.Features))}
	for i := range s.Values {
		s.Values[i].N, s.Values[i].OK = said.Features[r.Pack.Features[i].Name]
	}
	if s.Visits == 0 {
		return s
	}
	in := said.Inputs
	s.LnTypical, s.Regularity, s.Level, s.Friction = *in.LnTypical, *in.Regularity, *in.Level, in.Friction
	silence := max(implied(d), 0)
	if in.Silent != nil {
		silence = *in.Silent
	}
	idle := silence
	if in.Idle != nil {
		idle = *in.Idle
	}
	s.Silence, s.Idle, s.Tenure = moment.Days(silence), moment.Days(idle), moment.Days(*in.Tenure)
	s.Stage = placeOf[profile.Stage](said.Stage, profile.StageNames())
	return s
}

// reading is what the probability is read from.
func (said *saidAlert) reading() (r model.Reading, err error) {
	curve := said.Score.Curve
	r = model.Reading{
		Probes: said.Probes, Number: uint8(min(len(curve), len(r.Points))), OfClass: said.Score.CurveOf != "",
	}
	if len(curve) > len(r.Points) {
		return r, fmt.Errorf("/score/curve has %d points, which is too many", len(curve))
	}
	for i, p := range curve {
		if len(p) != 2 || !(p[1] >= 0 && p[1] <= 1) {
			return r, fmt.Errorf("/score/curve/%d holds %v, must be log-odds and a probability", i, p)
		}
		r.Points[i] = model.ReadPoint{LogOdds: p[0], Probability: p[1]}
	}
	if low, high := r.Points[0], r.Points[1]; r.Number == 2 &&
		!(low.LogOdds < high.LogOdds && low.Probability <= high.Probability) {
		return r, errors.New("/score/curve does not rise")
	}
	if r.Provisional() && (r.Probes >= model.EnoughProbes || r.OfClass) {
		return r, fmt.Errorf("/score/curve is missing: with %d probes there is one", max(r.Probes, model.EnoughProbes))
	}
	if !r.Provisional() && r.Probes < model.PointProbes {
		return r, fmt.Errorf("/probes is %d: a point of a curve has %d", r.Probes, model.PointProbes)
	}
	return r, nil
}
