package alert

import (
	"encoding/json"
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
	if n := placeOf[profile.Kind](said.Kind, profile.KindNames()); n != profile.Lapse && len(r.Pack.Kinds[n].Opens) == 0 {
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
	pack   *pack.Pack
	said   *declaredAlert
	x      *Explanation
	tree   map[string]any // the alert
}

// decisions are those that the alert may come from: visits, an opening and at times a stage do not stand in it. There
// is at least one.
func (r *replay) decisions() (all []scoring.Decision) {
	d := scoring.Decision{
		Kind: placeOf[profile.Kind](
			r.said.Kind,
			profile.KindNames(),
		),
		Transition: placeOf[scoring.Transition](r.said.Transition, scoring.TransitionNames()),
		Episode:    r.said.Episode,
		Sequence:   r.said.Sequence,
		At:         r.said.Time.UnixMilli(),
		Score:      r.score(),
	}
	d.Reading = model.Reading{Probes: r.x.Probes, Number: uint8(len(r.x.Curve))}
	for i, p := range r.x.Curve {
		d.Reading.Points[i] = model.ReadPoint{LogOdds: p[0], Probability: p[1]}
	}
	for _, silence := range r.silences(&d) {
		d.Since = d.At - silence
		for _, o := range r.openings(d.Kind) {
			d.Opening, d.About = o[0], o[1]
			if d.Kind != profile.Lapse {
				d.Since = d.At
				d.Opener = d.FloorOpening(r.pack).Mark // of what is raised
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
func (r *replay) silences(d *scoring.Decision) []int64 {
	if d.Kind != profile.Lapse || d.Transition != scoring.Recovered {
		return []int64{moment.Millis(d.Score.Silence)}
	}
	const half = moment.DayMillis/2000 - 1
	said := moment.Millis(r.said.Overdue.Silent)
	return []int64{said, said - half, said + half}
}

// placeOf is the place of a name in a table, its first where it is none of it.
func placeOf[T ~uint8](name string, table []string) T { return T(max(slices.Index(table, name), 0)) }

// score is the score as the alert shows it, with the features that it shows.
func (r *replay) score() model.Score {
	s := model.Score{
		At:      r.said.Time.UnixMilli(),
		Factors: r.x.FactorSum,
		Values:  make([]feature.Value, len(r.pack.Features)),
	}
	for i := range r.x.Terms {
		s.Terms[i] = r.x.Terms[i].LogOdds
	}
	if !r.x.Unscored {
		in := func(term int, name string) float64 { return r.x.Terms[term].Inputs[name] }
		s.LnTypical, s.Regularity, s.Silence = in(
			model.TermSilence,
			"ln_typical_days",
		), in(
			model.TermSilence,
			"regularity",
		), in(
			model.TermSilence,
			"silent_days",
		)
		s.Level, s.Idle, s.Tenure, s.Friction = in(
			model.TermLevel,
			"level",
		), in(
			model.TermLevel,
			"idle_days",
		), in(
			model.TermTenure,
			"tenure_days",
		), in(
			model.TermFriction,
			"friction",
		)
	}
	set := func(name string, n int64) {
		if i := slices.IndexFunc(r.pack.Features, func(f feature.Feature) bool { return f.Name == name }); i >= 0 {
			s.Values[i] = feature.Value{N: n, OK: true}
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
func (r *replay) openings(n profile.Kind) (all [][2]uint8) {
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
func (r *replay) visits(s *model.Score) []uint32 {
	if s.Silence == 0 {
		return []uint32{0}
	}
	all := []uint32{2, 1}
	for _, reason := range r.said.Reasons {
		for _, word := range strings.FieldsFunc(reason.Text, func(c rune) bool { return c < '0' || c > '9' }) {
			var n uint32
			if _, err := fmt.Sscan(word, &n); err == nil && n > 0 && reason.Code == pack.ReasonLittleActivity {
				all = append(all, n)
			}
		}
	}
	return all
}

// stages are those that fit silence and tenure; of these the one that the alert names, if it names one.
func (r *replay) stages(d *scoring.Decision) (all []profile.Stage) {
	s, silence, age := &r.pack.Model.Stages, moment.Millis(d.Score.Silence), moment.Millis(d.Score.Tenure)
	calm := []profile.Stage{profile.StageActive, profile.StageAtRisk}
	if d.Kind == profile.Lapse {
		calm = []profile.Stage{
			map[bool]profile.Stage{false: profile.StageActive, true: profile.StageAtRisk}[d.Transition == scoring.Escalated],
		}
	}
	switch {
	case d.Score.Silence == 0: // never active
		all = []profile.Stage{profile.StageActive}
	case s.Churned > 0 && silence >= s.Churned:
		all = []profile.Stage{profile.StageChurned}
	case s.Dormant > 0 && silence >= s.Dormant:
		all = []profile.Stage{profile.StageDormant}
	case age < s.New:
		all = []profile.Stage{profile.StageNew}
	case age < s.Onboarding:
		all = []profile.Stage{profile.StageOnboarding}
		if s.Until != 0 {
			all = append(all, calm...)
		}
	default:
		all = calm
	}
	if s.Resurrected > 0 && all[0] != profile.StageChurned && all[0] != profile.StageDormant && d.Score.Silence > 0 {
		all = append(all, profile.StageResurrected)
	}
	if named := r.said.Stage; named != nil &&
		slices.ContainsFunc(all, func(s profile.Stage) bool { return s.String() == *named }) {
		return []profile.Stage{profile.Stage(slices.Index(profile.StageNames(), *named))}
	}
	return all
}

// setTiers sets the tiers after and before: what the alert says where it may be. Open episodes of other kinds, which
// do not stand in it, may lift either.
func (r *replay) setTiers(d *scoring.Decision) {
	own := r.pack.Model.TierOf(&d.Score)
	after, least, most := own, own, own
	switch {
	case d.Kind == profile.Lapse && d.Transition == scoring.Raised:
		least, most = r.pack.Model.TiersBefore(d.Score)
	case d.Kind == profile.Lapse && d.Transition == scoring.Escalated:
		least, most = profile.AtRisk, profile.AtRisk
	case d.Kind == profile.Lapse:
		least, most = profile.AtRisk, profile.Critical
	case d.Transition == scoring.Recovered || d.Transition == scoring.Expired: // what was open does not stand in it
		least, most = max(own, profile.Watch), max(own, r.highest(func(n profile.Kind) bool { return n == d.Kind }))
	default:
		after = max(own, r.pack.Model.FloorTier(d.FloorOpening(r.pack).LogOdds, d.Score.Stage))
		switch d.Transition {
		case scoring.Escalated:
			least, most = max(own, profile.Watch), after
		case scoring.Deescalated:
			least, most = after, r.highest(func(n profile.Kind) bool { return n == d.Kind })
		default:
		}
	}
	others := r.highest(func(n profile.Kind) bool { return n != d.Kind })
	d.Tier = min(max(placeOf[profile.Tier](r.said.Tier, profile.TierNames()), after), max(after, others))
	d.Previous = min(max(placeOf[profile.Tier](r.said.Previous, profile.TierNames()), least), max(most, others))
}

// highest is the highest tier that an opening of some kinds lifts to at any stage.
func (r *replay) highest(of func(profile.Kind) bool) (tier profile.Tier) {
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		for i := range r.pack.Kinds[n].Opens {
			for stage := profile.Stage(0); of(n) && stage < profile.NumStages; stage++ {
				tier = max(tier, r.pack.Model.FloorTier(r.pack.Kinds[n].Opens[i].LogOdds, stage))
			}
		}
	}
	return tier
}
