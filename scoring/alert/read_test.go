package alert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/scoring/alert"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// read is an alert as far as somebody who acts on it reads it.
type read struct {
	Kind       string    `json:"kind"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Time       time.Time `json:"time"`
	Expires    time.Time `json:"expires_at"`
	Exit       *struct {
		Change string `json:"change"`
	} `json:"cheapest_exit"`
	Playbook struct {
		ID   string `json:"id"`
		Step int    `json:"step"`
	} `json:"playbook"`
	Reasons []struct{ Code, Text string } `json:"reasons"`
}

// readAlerts are the alerts of one customer of a shipped pack, up to 400 days after its last event.
func readAlerts(t *testing.T, name string, events ...scoringtest.Happening) (all []read) {
	t.Helper()
	k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
	slices.SortStableFunc(events, func(a, b scoringtest.Happening) int { return int(a.At - b.At) })
	r := alert.NewRenderer(k)
	for _, d := range scoringtest.Decided(k, events, 400) {
		a := alert.Alert{Customer: []byte("c-1"), Decision: d, Cause: alert.Cause{Deadline: true}}
		var v read
		text := r.AppendAlert(nil, &a, a.ID())
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, v)
	}
	return all
}

// each is an event every so many days, from one day to before another.
func each(eventType string, from, to, every float64) (all []scoringtest.Happening) {
	for day := from; day < to; day += every {
		all = append(all, on(day, eventType))
	}
	return all
}

func on(day float64, eventType string) scoringtest.Happening {
	return scoringtest.Happening{At: int64(day * scoringtest.Day), Type: eventType}
}

// tells reports whether an alert has a reason.
func (v *read) tells(code string) bool {
	return slices.ContainsFunc(v.Reasons, func(r struct{ Code, Text string }) bool { return r.Code == code })
}

// plays are the transitions of a kind with the tier and the playbook of each.
func plays(all []read, kind profile.Kind) string {
	var said []string
	for _, v := range all {
		if v.Kind == kind.String() {
			said = append(said, fmt.Sprintf("%s %s %s %d", v.Transition, v.Tier, v.Playbook.ID, v.Playbook.Step))
		}
	}
	return strings.Join(said, "; ")
}

// TestNothingIsToldTwice: a reason that says what another one says is left out.
func TestNothingIsToldTwice(t *testing.T) {
	weekly := each("Key Action Completed", 0, 70, 3.5)
	for name, c := range map[string]struct {
		pack   string
		events []scoringtest.Happening
		kind   profile.Kind
		first  string // the reason that is told
		again  string // the reason that would tell it again
	}{
		"the cancellation that opens an episode": {
			"saas", slices.Concat(weekly, each("Cancellation Started", 68, 69, 1)), profile.Explicit, "cancellation_started", "friction",
		},
		"a ticket without a reply": {
			"saas", slices.Concat(weekly, each("Support Ticket Opened", 68, 69, 1)), profile.Lapse, "ticket_unsolved", "ticket_unanswered",
		},
		"nothing seen, by whom nothing is seen": {
			"creator", append(each("Content Viewed", 0, 60, 6), each("Content Published", 0, 160, 3)...), profile.Lapse, "overdue",
			"content_unseen",
		},
	} {
		told := false
		for _, v := range readAlerts(t, c.pack, c.events...) {
			silent := v.Time.Sub(time.UnixMilli(scoringtest.Begin)) > 100*24*time.Hour
			if v.Kind != c.kind.String() || v.Transition != "raised" && v.Transition != "escalated" ||
				c.pack == "creator" && !silent {
				continue
			}
			told = told || v.tells(c.first)
			if v.tells(c.again) {
				t.Errorf("%s: %+v", name, v)
			}
		}
		if !told && c.pack != "creator" {
			t.Errorf("%s: nothing tells %s", name, c.first)
		}
	}
}

// TestAlertsAreInTime: no alert is out of date when it is published.
func TestAlertsAreInTime(t *testing.T) {
	escalated := 0
	for _, name := range pack.Shipped() {
		k := scoringtest.Must(pack.Load(name, nil, pack.Overrides{}))
		activity := k.Activity[0]
		if activity == pack.Everything {
			activity = "visit"
		}
		for _, every := range []float64{1, 5, 20} {
			for _, v := range readAlerts(t, name, each(activity, 0, 40*every, every)...) {
				if v.Transition == "escalated" {
					escalated++
				}
				if !v.Expires.IsZero() && !v.Expires.After(v.Time) {
					t.Errorf("%s, every %g days: %s at %v, out of date at %v", name, every, v.Transition, v.Time, v.Expires)
				}
			}
		}
	}
	if escalated < 10 {
		t.Errorf("only %d escalations", escalated)
	}
}

// TestExitIsWorthIt: what would hardly change the score is no way out, however close the edge of the tier is.
func TestExitIsWorthIt(t *testing.T) {
	for _, v := range readAlerts(t, "saas", append(each("Signed In", 0, 200, 2), on(20, "Cancellation Started"))...) {
		if v.Exit != nil && !v.tells(v.Exit.Change) {
			t.Errorf("%s on %v: %s ends it, and is no reason", v.Transition, v.Time, v.Exit.Change)
		}
	}
}

// TestPlaybooksAsRead: what an alert asks for is apt for who gets it, and the same again is its next step, unless it has steps of its own.
func TestPlaybooksAsRead(t *testing.T) {
	messages := slices.Concat(each("Order Completed", 0, 60, 6), each("Email Delivered", 0, 60, 5))
	mention := append(each("Content Viewed", 0, 60, 3), on(58, "Membership Renewed"), on(59, "Negative Mention Received"))
	for name, c := range map[string]struct {
		pack   string
		events []scoringtest.Happening
		kind   profile.Kind
		want   string
	}{
		"once an order, then an offer": {
			"retail",
			[]scoringtest.Happening{on(0, "Order Completed")},
			profile.Lapse,
			"raised at_risk second_purchase 1; escalated critical content_then_offer 1; reminded critical content_then_offer 2; " +
				"reminded critical content_then_offer 3",
		},
		"the same again": {
			"saas", each("Payment Failed", 3, 12, 4), profile.Involuntary,
			"raised watch dunning_sequence 1; escalated at_risk dunning_sequence 2; expired   0",
		},
		"unsubscribed, so no message": {
			"marketplace", append(messages, on(55, "Unsubscribed")), profile.Lapse,
			"raised watch other_channel 1; escalated at_risk other_channel 2; escalated critical other_channel 3",
		},
		"an old mention": {
			"creator", mention, profile.Lapse,
			"raised watch close_the_loop 1; escalated at_risk close_the_loop 2; escalated critical close_the_loop 3",
		},
		"a mistyped card": {
			"marketplace", append(each("Order Completed", 0, 60, 6), on(59.99, "Payment Failed"), on(60, "Order Completed")),
			profile.Involuntary, "",
		},
		"connected again": {
			"saas",
			append(each("Key Action Completed", 0, 70, 3.5), on(60, "Integration Disconnected"), on(62, "Integration Connected")),
			profile.Lapse, "raised watch in_app_guide 1; escalated at_risk restart_offer 1; escalated critical restart_offer 2",
		},
		"what is refunded already": {
			"retail", append(each("Order Completed", 0, 60, 6), each("Order Refunded", 40, 60, 7)...), profile.Lapse,
			"raised watch fit_help 1; escalated at_risk fit_help 2; escalated critical content_then_offer 1; reminded critical content_then_offer 2; " +
				"reminded critical content_then_offer 3",
		},
		"thanks while there is somebody to thank": {
			"retail", append(each("Order Completed", 0, 240, 6), on(1, "Gift Sent")), profile.Lapse,
			"raised watch thank_you 1; escalated at_risk content_then_offer 1; escalated critical content_then_offer 1; " +
				"reminded critical content_then_offer 2; reminded critical content_then_offer 3",
		},
	} {
		if got := plays(readAlerts(t, c.pack, c.events...), c.kind); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
