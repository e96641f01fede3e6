package scoring

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Explain is the package's Explain, and holds against the pack what else stands in the alert: the decision is read
// back and rendered anew, and whatever comes out otherwise is a difference. The alert has to be of this pack. What an
// alert does not carry enough for is not looked at, or only as far as it goes:
//
//   - tenant, customer, episode, sequence and cause; the id, but for what is raised, and for a lapse that escalates
//   - the tier before a lapse was raised, of a pack with factors: as far as these reach within their cap
//   - tiers, above what score and floor give: as far as open episodes of other kinds lift them
//   - the stage, where it follows from what happened before: it is one that fits the silence and the tenure
//   - coverage: it is a share of the pack's features that fits those that the alert shows
//   - what an event brought a feature to that no factor reads: the rest of its sentence is looked at
//
// Errors: ErrNoAlert.
func (r *Renderer) Explain(alert []byte) (*Explanation, error) {
	x, err := Explain(alert)
	if err != nil {
		return nil, err
	}
	var said declaredAlert
	var tree map[string]any
	if err := unmarshalObject(alert, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	if err := json.Unmarshal(alert, &tree); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAlert, err)
	}
	if said.Pack.Hash != r.Pack.Hash {
		return nil, fmt.Errorf("%w: it is of another pack, %.12s", ErrNoAlert, said.Pack.Hash)
	}
	if n := placeOf[Kind](said.Kind, KindNames()); n != Lapse && len(r.Pack.Kinds[n].Opens) == 0 {
		return nil, fmt.Errorf("%w: its pack has no kind %s", ErrNoAlert, said.Kind)
	}
	again := replay{render: r, pack: r.Pack, said: &said, x: x, tree: tree}
	var best []Difference
	for i, d := range again.decisions() {
		if found := again.differences(&d); i == 0 || len(found) < len(best) {
			best = found
		}
		if len(best) == 0 {
			break
		}
	}
	for _, d := range best {
		if !slices.ContainsFunc(x.Differences, func(o Difference) bool { return o.Field == d.Field }) {
			x.Differences = append(x.Differences, d)
		}
	}
	return x, nil
}

// declaredAlert is what an alert says that follows from the pack.
type declaredAlert struct {
	Tenant     string    `json:"tenant"`
	Customer   string    `json:"customer"`
	Kind       string    `json:"kind"`
	Episode    uint32    `json:"episode"`
	Sequence   uint32    `json:"sequence"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Previous   string    `json:"previous_tier"`
	Stage      *string   `json:"stage"`
	Coverage   float64   `json:"coverage"`
	Time       time.Time `json:"time"`
	Overdue    struct {
		Silent float64 `json:"silent_days"`
	} `json:"overdue"`
	Reasons []struct {
		Code string `json:"code"`
		Text string `json:"text"`
	} `json:"reasons"`
	Pack struct {
		Hash string `json:"hash"`
	} `json:"pack"`
}

// replay holds an alert against its pack.
type replay struct {
	render *Renderer
	pack   *Pack
	said   *declaredAlert
	x      *Explanation
	tree   map[string]any // the alert
}

// decisions are those that the alert may come from: visits, an opening and at times a stage do not stand in it. There
// is at least one.
func (r *replay) decisions() (all []Decision) {
	d := Decision{
		Kind: placeOf[Kind](r.said.Kind, KindNames()), Transition: placeOf[Transition](r.said.Transition, TransitionNames()),
		Episode: r.said.Episode, Sequence: r.said.Sequence, At: r.said.Time.UnixMilli(), Score: r.score(),
	}
	d.Reading = Reading{Probes: r.x.Probes, Number: uint8(len(r.x.Curve))}
	for i, p := range r.x.Curve {
		d.Reading.Points[i] = ReadPoint{LogOdds: p[0], Probability: p[1]}
	}
	d.Since = d.At
	for _, d.Silence = range r.silences(&d) {
		for _, o := range r.openings(d.Kind) {
			d.Opening, d.About = o[0], o[1]
			if d.Kind != Lapse {
				d.Opener = d.FloorOpening(r.pack).mark // of what is raised
			}
			for _, d.Score.Stage = range r.stages(&d) {
				for _, d.Score.Visits = range r.visits(&d.Score) {
					r.setTiers(&d)
					all = append(all, d)
				}
			}
		}
	}
	return all
}

// silences are how long the silence may have been, in ms: of one that ended, the alert has it in thousandths of a day.
func (r *replay) silences(d *Decision) []int64 {
	if d.Kind != Lapse || d.Transition != Recovered {
		return []int64{millis(d.Score.Silence)}
	}
	const half = dayMillis/2000 - 1
	said := millis(r.said.Overdue.Silent)
	return []int64{said, said - half, said + half}
}

// placeOf is the place of a name in a table, its first where it is none of it.
func placeOf[T ~uint8](name string, table []string) T { return T(max(slices.Index(table, name), 0)) }

// score is the score as the alert shows it, with the features that it shows.
func (r *replay) score() Score {
	s := Score{At: r.said.Time.UnixMilli(), Factors: r.x.FactorSum, Values: make([]FeatureValue, len(r.pack.Features))}
	for i := range r.x.Terms {
		s.Terms[i] = r.x.Terms[i].LogOdds
	}
	if !r.x.Unscored {
		in := func(term int, name string) float64 { return r.x.Terms[term].Inputs[name] }
		s.LnTypical, s.Regularity, s.Silence = in(TermSilence, "ln_typical_days"), in(TermSilence, "regularity"), in(TermSilence, "silent_days")
		s.Level, s.Idle, s.Tenure, s.Friction = in(TermLevel, "level"), in(TermLevel, "idle_days"), in(TermTenure, "tenure_days"), in(TermFriction, "friction")
	}
	set := func(name string, n int64) {
		if i := slices.IndexFunc(r.pack.Features, func(f Feature) bool { return f.Name == name }); i >= 0 {
			s.Values[i] = FeatureValue{N: n, OK: true}
		}
	}
	for _, f := range r.x.Factors {
		set(f.Feature, f.Inputs.Value)
	}
	if v := r.x.Value; v != nil {
		set(v.Feature, v.Amount)
	}
	return s
}

// openings are those of the kind with the code and the floor that the alert names, each with those that its first
// reason is about; the first where it names none, or of a lapse.
func (r *replay) openings(n Kind) (all [][2]uint8) {
	opens := r.pack.Kinds[n].Opens
	for i := range opens {
		if f := r.x.Floor; f == nil || opens[i].Floor != f.Risk || opens[i].Code != f.Code {
			continue
		}
		for j := range opens {
			if len(r.said.Reasons) > 0 && opens[j].Code == r.said.Reasons[0].Code {
				all = append(all, [2]uint8{uint8(i), uint8(j)})
			}
		}
	}
	if len(all) == 0 {
		return [][2]uint8{{}}
	}
	return all
}

// visits are how many there may have been: none, one, those of which a sentence speaks, or some.
func (r *replay) visits(s *Score) []uint32 {
	if s.Silence == 0 {
		return []uint32{0}
	}
	all := []uint32{2, 1}
	for _, reason := range r.said.Reasons {
		for _, word := range strings.FieldsFunc(reason.Text, func(c rune) bool { return c < '0' || c > '9' }) {
			var n uint32
			if _, err := fmt.Sscan(word, &n); err == nil && n > 0 && reason.Code == ReasonLittleActivity {
				all = append(all, n)
			}
		}
	}
	return all
}

// stages are those that fit silence and tenure; of these the one that the alert names, if it names one.
func (r *replay) stages(d *Decision) (all []Stage) {
	s, silence, age := &r.pack.Model.Stages, millis(d.Score.Silence), millis(d.Score.Tenure)
	calm := []Stage{StageActive, StageAtRisk}
	if d.Kind == Lapse {
		calm = []Stage{map[bool]Stage{false: StageActive, true: StageAtRisk}[d.Transition == Escalated]}
	}
	switch {
	case d.Score.Silence == 0: // never active
		all = []Stage{StageActive}
	case s.Churned > 0 && silence >= s.Churned:
		all = []Stage{StageChurned}
	case s.Dormant > 0 && silence >= s.Dormant:
		all = []Stage{StageDormant}
	case age < s.New:
		all = []Stage{StageNew}
	case age < s.Onboarding:
		all = []Stage{StageOnboarding}
		if s.Until != 0 {
			all = append(all, calm...)
		}
	default:
		all = calm
	}
	if s.Resurrected > 0 && all[0] != StageChurned && all[0] != StageDormant && d.Score.Silence > 0 {
		all = append(all, StageResurrected)
	}
	if named := r.said.Stage; named != nil && slices.ContainsFunc(all, func(s Stage) bool { return s.String() == *named }) {
		return []Stage{Stage(slices.Index(StageNames(), *named))}
	}
	return all
}

// setTiers sets the tiers after and before: what the alert says where it may be. Open episodes of other kinds, which
// do not stand in it, may lift either.
func (r *replay) setTiers(d *Decision) {
	own := r.pack.Model.TierOf(&d.Score)
	after, least, most := own, own, own
	switch {
	case d.Kind == Lapse && d.Transition == Raised:
		least, most = r.pack.Model.TiersBefore(d.Score)
	case d.Kind == Lapse && d.Transition == Escalated:
		least, most = AtRisk, AtRisk
	case d.Kind == Lapse:
		least, most = AtRisk, Critical
	case d.Transition == Recovered || d.Transition == Expired: // what was open does not stand in it
		least, most = max(own, Watch), max(own, r.highest(func(n Kind) bool { return n == d.Kind }))
	default:
		after = max(own, r.pack.Model.floorTier(d.FloorOpening(r.pack).logOdds, d.Score.Stage))
		switch d.Transition {
		case Escalated:
			least, most = max(own, Watch), after
		case Deescalated:
			least, most = after, r.highest(func(n Kind) bool { return n == d.Kind })
		default:
		}
	}
	others := r.highest(func(n Kind) bool { return n != d.Kind })
	d.Tier = min(max(placeOf[Tier](r.said.Tier, TierNames()), after), max(after, others))
	d.Previous = min(max(placeOf[Tier](r.said.Previous, TierNames()), least), max(most, others))
}

// highest is the highest tier that an opening of some kinds lifts to at any stage.
func (r *replay) highest(of func(Kind) bool) (tier Tier) {
	for n := Explicit; n < NumKinds; n++ {
		for i := range r.pack.Kinds[n].Opens {
			for stage := Stage(0); of(n) && stage < NumStages; stage++ {
				tier = max(tier, r.pack.Model.floorTier(r.pack.Kinds[n].Opens[i].logOdds, stage))
			}
		}
	}
	return tier
}
