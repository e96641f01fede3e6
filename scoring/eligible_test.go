package scoring_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// eligible are the lines of a pack that alerts about buyers alone.
var eligible = append([]string{"eligible: {signal: buy, retention: 20d}"}, scoringtest.Lapsing()...)

// comes returns the transitions of one customer of a pack to whom these types happen, a week apart, and then nothing.
func comes(k *pack.Pack, types ...string) []string {
	s, c := scoring.NewScorer(k), profile.Customer{Profile: &profile.Profile{}}
	var pop profile.Population
	var got []string
	note := func(decisions []scoring.Decision) {
		for i := range decisions {
			d := &decisions[i]
			day := float64(d.At-scoringtest.Begin) / scoringtest.Day
			got = append(got, fmt.Sprintf("day %.2f: %v %v, %v", day, d.Kind, d.Transition, d.Tier))
		}
	}
	silent := func(until float64) {
		for c.Armed != 0 && c.Armed <= (scoringtest.Begin+int64(until*scoringtest.Day))/60_000 {
			note(s.Wake(&c))
		}
	}
	for week, name := range types {
		silent(float64(7 * week))
		at := scoringtest.Begin + int64(7*week)*scoringtest.Day
		note(s.Observe(&c, &pop, &scoring.Observation{Time: at, Signal: k.Signal([]byte(name))}))
	}
	silent(800)
	return got
}

// TestEligible: nothing is raised about a visitor, by silence or by an event. From the signal on, everything is as if the
// pack had no such section, with all that the visitor did before.
func TestEligible(t *testing.T) {
	waits, all := scoringtest.PackOf(t, "1", eligible...), scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	for _, types := range []string{"view", "view view view view view view", "leave", "view ticket leave", "unpaid view"} {
		if got := comes(waits, strings.Fields(types)...); len(got) > 0 {
			t.Errorf("%s: %q", types, got)
		}
		if got := comes(all, strings.Fields(types)...); len(got) == 0 {
			t.Errorf("%s raises nothing without the section either", types)
		}
	}
	for _, types := range []string{"buy", "view view view buy view view", "buy leave", "view buy view ticket"} {
		want := comes(all, strings.Fields(types)...)
		if diff := cmp.Diff(want, comes(waits, strings.Fields(types)...)); diff != "" || len(want) == 0 {
			t.Errorf("%s (-without the section +with it):\n%s", types, diff)
		}
	}
}

// TestEligibleAfterAPackChange: whoever could be alerted about before still can, others wait.
func TestEligibleAfterAPackChange(t *testing.T) {
	waits, all := scoringtest.PackOf(t, "1", eligible...), scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	for _, c := range []struct {
		name     string
		from, to *pack.Pack
		types    string
		want     bool
	}{
		{"a visitor, of whom nobody asked", all, waits, "view view", true},
		{"a visitor", waits, waits, "view view", false},
		{"a buyer", waits, waits, "view buy", true},
		{"a visitor, of whom nobody asks any more", waits, all, "view view", true},
	} {
		s := scoringtest.Story{Pack: c.from}
		for week, name := range strings.Fields(c.types) {
			s.Event(float64(7*week), c.from.Signal([]byte(name)))
		}
		m := scoring.NewMigration(scoring.NewScorer(c.from), scoring.NewScorer(c.to))
		m.Enter(&profile.Customer{Profile: &s.Profile}, scoringtest.Begin+20*scoringtest.Day)
		if got := c.to.Alerts(&s.Profile); got != c.want {
			t.Errorf("%s: alerts %v, want %v", c.name, got, c.want)
		}
	}
}

// TestShippedPacksAlertAboutCustomers: what makes somebody a customer of a shipped pack, and what everybody may do.
func TestShippedPacksAlertAboutCustomers(t *testing.T) {
	for name, lives := range map[string]struct{ visitors, customers []string }{
		"retail": {
			[]string{
				"Product Viewed", "Products Searched, Product Added, Checkout Started, Payment Failed, Payment Failed",
				"Product Viewed, Support Ticket Opened, Cancellation Started, Account Deleted",
			},
			[]string{
				"Order Completed", "purchase", "Product Viewed, Order Delivered", "Product Viewed, return",
				"Product Viewed, Product Viewed, Subscription Started", "Dispute Opened", "Support Ticket Escalated",
				"Cancellation Requested",
			},
		},
		"saas": {
			[]string{"Webinar Attended", "Webinar Attended, Training Completed, Community Post Created, Survey Sent"},
			[]string{
				"Signed In", "Account Created", "Trial Started", "Feature Used", "Payment Failed", "Incident Affected Customer",
				"Cancellation Started", "Webinar Attended, Seats Counted",
			},
		},
		"marketplace": {
			[]string{
				"Listing Viewed", "Listings Searched, Listing Saved, Seller Contacted, Event Attended",
				"Listing Viewed, Payment Failed, Cancellation Started",
			},
			[]string{"Order Completed", "Offer Made", "Listing Viewed, Seller Rated", "Dispute Opened", "Fraud Reported"},
		},
		"marketplace_seller": {
			[]string{"Signed In", "Signed In, Course Started, Course Completed, Community Post Created, Identity Verified"},
			[]string{
				"Listing Created", "Signed In, Listing Abandoned", "Signed In, Sale Completed", "Buyer Answered", "Payout Held",
				"Seller Suspended", "Cancellation Started",
			},
		},
		"creator": {
			[]string{
				"Content Viewed", "App Opened, Email Link Clicked, Comment Posted, Poll Voted, Live Attended, Challenge Day Completed",
				"Content Viewed, Unsubscribed, Account Deleted",
			},
			[]string{
				"Content Viewed, Membership Started", "Content Viewed, Membership Upgraded", "Tip Sent", "Order Completed", "Perk Used",
				"Payment Failed", "Dispute Opened", "Cancellation Requested",
			},
		},
		"any": {nil, []string{"Product Viewed", "whatever"}},
	} {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		for alerted, all := range map[bool][]string{false: lives.visitors, true: lives.customers} {
			for _, life := range all {
				types := strings.Split(life, ", ")
				for _, kind := range types {
					if !k.Signal([]byte(kind)).Known {
						t.Errorf("%s does not name %s", name, kind)
					}
				}
				if got := comes(k, types...); (len(got) > 0) != alerted {
					t.Errorf("%s, %s: %q", name, life, got)
				}
			}
		}
	}
}
