package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// Customer is the state of a customer, and the alert that would follow from it now.
type Customer struct {
	Tenant    string            `json:"tenant"`
	Customer  string            `json:"customer"`
	Partition int               `json:"partition"`
	Pack      pipeline.PackRef  `json:"pack"` // under which its last event was folded
	At        string            `json:"at"`   // the watermark
	Tier      string            `json:"tier"`
	Stage     string            `json:"stage"`
	Coverage  float64           `json:"coverage"`
	Reasons   []Reason          `json:"reasons"`
	Features  map[string]*int64 `json:"features"` // null: no data
	Facts     map[string]string `json:"facts,omitempty"`
	Zone      string            `json:"zone,omitempty"`         // the customer's own; empty: unknown
	Channels  []string          `json:"unsubscribed,omitempty"` // that it has unsubscribed from
	Visits    uint32            `json:"visits"`
	First     string            `json:"first_activity,omitempty"`
	Last      string            `json:"last_activity,omitempty"`
	Next      string            `json:"next_deadline,omitempty"`
	Episodes  []Episode         `json:"open_episodes"`
	State     int               `json:"state_bytes"`
	*alert.Explanation
	Differences *struct{} `json:"differences,omitempty"` // without a pack there is nothing to compare

	By *alert.Renderer `json:"-"`
}

type Episode struct {
	Kind     string  `json:"kind"`
	Number   uint32  `json:"number"`
	Sequence uint32  `json:"sequence"`
	Since    string  `json:"since"`
	Floor    float64 `json:"floor,omitempty"`
	Code     string  `json:"code,omitempty"`
}

func newCustomer(
	pack *pack.Pack,
	tenant, customer string,
	partition int,
	m *pipeline.Meta,
	state []byte,
) (*Customer, error) {
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
	m.Sources.Thaw(c.Profile, at/60_000)
	now := scorer.Now(&c, at)
	curves := m.Learnt.Curves()
	now.Reading = curves.Of(&pack.Model, &now.Score)
	v := &Customer{
		Tenant:    tenant,
		Customer:  customer,
		Partition: partition,
		Pack:      pipeline.RefOf(pack),
		By:        alert.NewRenderer(pack),
		At:        instantText(at),
		Tier:      now.Tier.String(),
		Stage:     now.Score.Stage.String(),
		Visits:    c.Visits,
		Reasons:   []Reason{},
		First:     instantText(c.First),
		Last:      instantText(c.Active()),
		Next:      instantText(c.Armed * 60_000),
		State:     len(state),
		Features:  map[string]*int64{},
		Facts:     map[string]string{},
		Episodes:  []Episode{},
	}
	for i := range pack.Features {
		name := pack.Features[i].Name
		if v.Features[name] = nil; i < len(now.Score.Values) && now.Score.Values[i].OK {
			n := now.Score.Values[i].N
			v.Features[name] = &n
		}
	}
	for name, text := range pack.Facts(c.Facts) {
		v.Facts[name] = string(text)
	}
	if z := zone.Marked(zone.Mark(c.Contact.Zone())); z != nil {
		v.Zone = z.Name
	}
	out, _ := c.Contact.Unsubscribed()
	for channel := range out.All {
		v.Channels = append(v.Channels, channel.String())
	}
	if c.Lapse.Tier != profile.TierNone {
		v.Episodes = append(
			v.Episodes,
			Episode{
				Kind:     profile.Lapse.String(),
				Number:   c.Lapse.Number,
				Sequence: c.Lapse.Sequence,
				Since:    instantText(c.Lapse.LastTransition),
			},
		)
	}
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		if h := c.EpisodeOf(n); h.Open() {
			floor, code := scorer.EpisodeFloor(&c, n)
			v.Episodes = append(v.Episodes, Episode{n.String(), h.Number, h.Sequence, instantText(h.Since), floor, code})
		}
	}
	return v, v.explain(&now)
}

// explain fills in what an alert would contain now, by rendering that alert.
func (v *Customer) explain(now *scoring.Decision) error {
	a := alert.Alert{
		Decision: *now,
		Tenant:   []byte(v.Tenant),
		Customer: []byte(v.Customer),
		Cause:    alert.Cause{Deadline: true, Time: now.At},
	}
	v.Explanation, v.Coverage = v.By.Explanation(now), now.Score.Coverage()
	if now.Kind == profile.Lapse && now.Score.Visits == 0 {
		return nil
	}
	var said Head
	if err := json.Unmarshal(v.By.AppendAlert(nil, &a, a.ID()), &said); err != nil {
		return fmt.Errorf("explain the state: %w", err)
	}
	v.Reasons = said.Reasons
	return nil
}

// instantText is an instant in RFC 3339; empty for none.
func instantText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return advice.Stamp(ms)
}

// Query is which customer to find, and where.
type Query struct {
	Group, Tenant, Customer string

	Configured *pack.Pack // for state without a stored pack; nil: it cannot be read,
	Unusable   error      // and why
}

// Found is how far a search came.
type Found int

// Results of a search.
const (
	GroupUnknown    Found = iota // the group has no state
	CustomerUnknown              // it has none of the customer
	CustomerKnown
)

// Find hands the state of a customer to each, for every partition that has any.
func Find(ctx context.Context, redis *redisstore.Client, q Query, each func(*Customer) error) (found Found, err error) {
	key := pipeline.AppendKey(nil, []byte(q.Tenant), []byte(q.Customer))
	exists, err := EachPartition(ctx, redis, q.Group, key, func(n int, i *redisstore.Inspection) error {
		if i.Profile == nil {
			return nil
		}
		found = CustomerKnown
		pack, err := packOf(i, n, q.Configured)
		if err != nil {
			return cmp.Or(q.Unusable, err)
		}
		v, err := newCustomer(pack, q.Tenant, q.Customer, n, &i.Meta, i.Profile)
		if err != nil {
			return err
		}
		return each(v)
	})
	if exists && found == GroupUnknown {
		found = CustomerUnknown
	}
	return found, err
}
