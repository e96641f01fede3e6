package inspect

import (
	"slices"
	"testing"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/zone"
)

// TestContactOfCustomer: a customer is shown with its zone and with what it has unsubscribed from, where that is known.
func TestContactOfCustomer(t *testing.T) {
	k, err := pack.Load("any", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	c, pop := profile.Customer{Profile: &profile.Profile{}}, profile.Population{}
	show := func(o *scoring.Observation) *Customer {
		o.Time, o.Signal = 1_700_000_000_000, k.Signal([]byte("visit"))
		scoring.NewScorer(k).Observe(&c, &pop, o)
		v, err := newCustomer(k, "", "c", 0, &pipeline.Meta{}, profile.Append(nil, &c, profile.Format))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := show(&scoring.Observation{}); v.Zone != "" || v.Channels != nil {
		t.Errorf("nothing is known: %q, %q", v.Zone, v.Channels)
	}
	said := profile.ContactChange{
		Zone: uint32(zone.Named([]byte("Asia/Tokyo")).Mark),
		Out:  1<<profile.SMS | 1<<profile.Email,
	}
	if v := show(
		&scoring.Observation{Contact: said},
	); v.Zone != "Asia/Tokyo" ||
		!slices.Equal(v.Channels, []string{"email", "sms"}) {
		t.Errorf("%q, %q", v.Zone, v.Channels)
	}
}
