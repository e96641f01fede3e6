package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// inspected is what is known of a customer: what an alert would say now, and the state behind it.
type inspected struct {
	Tenant    string             `json:"tenant"`
	Customer  string             `json:"customer"`
	Partition int                `json:"partition"`
	Pack      pipeline.PackRef   `json:"pack"` // under which its last event was folded
	At        string             `json:"at"`   // the watermark
	Tier      string             `json:"tier"`
	Stage     string             `json:"stage"`
	Coverage  float64            `json:"coverage"`
	Reasons   []explainedWords   `json:"reasons"`
	Features  map[string]*int64  `json:"features"` // null: no data
	Visits    uint32             `json:"visits"`
	First     string             `json:"first_activity,omitempty"`
	Last      string             `json:"last_activity,omitempty"`
	Next      string             `json:"next_deadline,omitempty"`
	Episodes  []inspectedEpisode `json:"open_episodes"`
	State     int                `json:"state_bytes"`
	*alert.Explanation
	Differences *struct{} `json:"differences,omitempty"` // there is nothing to differ from

	by *alert.Renderer
}

type inspectedEpisode struct {
	Kind     string  `json:"kind"`
	Number   uint32  `json:"number"`
	Sequence uint32  `json:"sequence"`
	Since    string  `json:"since"`
	Floor    float64 `json:"floor,omitempty"`
	Code     string  `json:"code,omitempty"`
}

func newInspected(pack *pack.Pack, tenant, customer string, partition int, m *pipeline.Meta, state []byte) (*inspected, error) {
	c := profile.Customer{Profile: &profile.Profile{}}
	scorer := scoring.NewScorer(pack)
	err := profile.Read(state, &c)
	if err == nil {
		err = scorer.Fits(&c)
	}
	if err != nil {
		return nil, err
	}
	at := max(m.Clock.Watermark, c.At)
	now := scorer.Now(&c, at)
	curve := m.Learnt.Curve()
	now.Reading = curve.At(now.Score.Sum())
	v := &inspected{
		Tenant: tenant, Customer: customer, Partition: partition, Pack: pipeline.RefOf(pack), by: alert.NewRenderer(pack), At: instantText(at),
		Tier: now.Tier.String(), Stage: now.Score.Stage.String(), Visits: c.Visits, Reasons: []explainedWords{},
		First: instantText(c.First), Last: instantText(c.Last), Next: instantText(c.Armed * 60_000), State: len(state),
		Features: map[string]*int64{}, Episodes: []inspectedEpisode{},
	}
	for i := range pack.Features {
		name := pack.Features[i].Name
		if v.Features[name] = nil; i < len(now.Score.Values) && now.Score.Values[i].OK {
			n := now.Score.Values[i].N
			v.Features[name] = &n
		}
	}
	if c.Episode.Tier != profile.TierNone {
		v.Episodes = append(v.Episodes, inspectedEpisode{Kind: profile.Lapse.String(), Number: c.Episodes, Sequence: c.Episode.Sequence, Since: instantText(c.Episode.Since * 60_000)})
	}
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		if h := c.EpisodeOf(n); h.Open() {
			floor, code := scorer.EpisodeFloor(&c, n)
			v.Episodes = append(v.Episodes, inspectedEpisode{n.String(), h.Number, h.Sequence, instantText(h.Since), floor, code})
		}
	}
	return v, v.explain(&now)
}

// explain fills in what an alert would say now, by way of that alert.
func (v *inspected) explain(now *scoring.Decision) error {
	a := alert.Alert{Decision: *now, Tenant: []byte(v.Tenant), Customer: []byte(v.Customer), Cause: alert.Cause{Deadline: true, Time: now.At}}
	b := v.by.AppendAlert(nil, &a, a.ID())
	e, err := explainAlert(b, nil)
	if err != nil {
		return fmt.Errorf("explain the state: %w", err)
	}
	v.Explanation, v.Coverage = e.Explanation, e.Coverage
	if now.Kind != profile.Lapse || now.Score.Visits > 0 {
		v.Reasons = e.Reasons
	}
	return nil
}

// instantText is an instant in RFC 3339; empty for none.
func instantText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return stampOf(ms)
}

func (v *inspected) show(s explainText, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(s).Encode(v)
	}
	s.say("", "  ", fmt.Sprintf("%s in partition %d as of %s", s.paint(text.Colors{text.Bold}, fullName(v.Tenant, v.Customer)), v.Partition, v.At))
	s.say("", "  ", fmt.Sprintf("scored with pack %s", v.Pack))
	if v.Visits > 0 {
		s.say("", "  ", fmt.Sprintf("%s; stage %s; %s, the first %s, the latest %s", spaced(v.Tier), spaced(v.Stage), plural(int(v.Visits), "visit"), v.First, v.Last))
	} else if v.Tier != "" {
		s.say("", "  ", spaced(v.Tier))
	}
	for _, e := range v.Episodes {
		line := fmt.Sprintf("open: %s since %s", spaced(e.Kind), e.Since)
		if e.Floor > 0 {
			line += fmt.Sprintf(", not below %g: %s", e.Floor, spaced(e.Code))
		}
		s.say("", "  ", line)
	}
	if v.Next != "" {
		s.say("", "  ", "looked at next, if no event comes, as of "+v.Next)
	}
	s.body(&explained{explainedHead: explainedHead{Reasons: v.Reasons, Coverage: v.Coverage}, Explanation: v.Explanation, by: v.by})
	var known []string
	for _, name := range slices.Sorted(maps.Keys(v.Features)) {
		if value := v.Features[name]; value != nil {
			in, _ := v.by.FeatureText(name, *value)
			known = append(known, spaced(name)+" "+in)
		}
	}
	if len(known) > 0 {
		s.hang("features with data: ", strings.Join(known, ", "))
	}
	return nil
}
