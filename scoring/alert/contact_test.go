package alert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
	"ebb/scoring/zone"
)

// TestContact: an alert says how and from when on the customer may be written to, as far as it is known, it is explained
// with that, and what does not follow is found.
func TestContact(t *testing.T) {
	k := scoringtest.PackOf(t, "1", scoringtest.Lapsing()...)
	renderer, described := alert.NewRenderer(k), schema(t)
	decided := scoringtest.Decided(k, []scoringtest.Happening{
		{At: 0, Type: "buy"}, {At: 3 * scoringtest.Day, Type: "buy"}, {At: 400 * scoringtest.Day, Type: "buy"},
	}, 0)
	raised, recovered := decided[0], decided[len(decided)-1]
	if raised.Transition != scoring.Raised || recovered.Transition != scoring.Recovered {
		t.Fatalf("%v, then %v", raised.Transition, recovered.Transition)
	}
	mark := func(name string) uint32 { return uint32(zone.Named([]byte(name)).Mark) }
	of := func(name string) profile.ContactChange { return profile.ContactChange{Zone: mark(name)} }
	render := func(d scoring.Decision, home string, changes ...profile.ContactChange) []byte {
		t.Helper()
		for _, c := range changes {
			d.Contact = d.Contact.Apply(d.At, &c)
		}
		if home != "" {
			d.Home = mark(home)
		}
		a := alert.Alert{Decision: d, Customer: []byte("c"), Cause: alert.Cause{Deadline: true, Time: d.At}}
		if d.Transition.Ends() {
			a.Cause = alert.Cause{Time: d.At, EventType: []byte("buy")}
		}
		b := renderer.AppendAlert(nil, &a, a.ID())
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if err := described.Validate(v); err != nil {
			t.Errorf("%v: %s", err, b)
		}
		if x, err := renderer.Explain(b); err != nil || len(x.Differences) > 0 {
			t.Fatalf("%+v, %v: %s", x.Differences, err, b)
		}
		return b
	}
	contactOf := func(b []byte) string {
		var said struct {
			Contactable  *bool    `json:"contactable"`
			Unsubscribed []string `json:"unsubscribed"`
			Zone         string   `json:"zone"`
			ZoneOf       string   `json:"zone_of"`
			NotBefore    string   `json:"not_before"`
		}
		if err := json.Unmarshal(b, &said); err != nil {
			t.Fatal(err)
		}
		contactable := "unknown"
		if said.Contactable != nil {
			contactable = strconv.FormatBool(*said.Contactable)
		}
		return fmt.Sprint(contactable, said.Unsubscribed, said.Zone, said.ZoneOf, said.NotBefore)
	}
	if at := time.UnixMilli(raised.At).UTC().Format(time.RFC3339); at != "2020-10-02T10:38:00Z" {
		t.Fatalf("raised at %s", at)
	}
	for name, c := range map[string]struct {
		alert []byte
		want  string
	}{
		"nothing known":  {render(raised, ""), "unknown[]"},
		"at night":       {render(raised, "", of("Pacific/Auckland")), "unknown[]Pacific/Auckland2020-10-02T20:00:00Z"},
		"in the morning": {render(raised, "", of("Etc/GMT+2")), "unknown[]Etc/GMT+22020-10-02T11:00:00Z"},
		"at day":         {render(raised, "", of("Asia/Tokyo")), "unknown[]Asia/Tokyo2020-10-02T10:38:00Z"},
		"of the tenant":  {render(raised, "Etc/GMT-12"), "unknown[]Etc/GMT-12tenant2020-10-02T21:00:00Z"},
		"its own, though the tenant has one": {
			render(raised, "Etc/GMT-12", of("Asia/Tokyo")), "unknown[]Asia/Tokyo2020-10-02T10:38:00Z",
		},
		"none unsubscribed": {render(raised, "", profile.ContactChange{Whole: true}), "true[]"},
		"some": {
			render(raised, "", profile.ContactChange{Out: 1<<profile.Email | 1<<profile.Push}), "true[email push]",
		},
		"all":         {render(raised, "", profile.ContactChange{Out: profile.AllChannels}), "false[]"},
		"of an ended": {render(recovered, "UTC", profile.ContactChange{Out: 1 << profile.SMS}), "true[sms]UTCtenant"},
	} {
		if got := contactOf(c.alert); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	b := render(raised, "Etc/GMT-12", profile.ContactChange{Out: 1 << profile.Email})
	for name, change := range map[string]func(a map[string]any){
		"/not_before":     func(a map[string]any) { a["not_before"] = "2020-10-02T10:38:00Z" },
		"/zone_of":        func(a map[string]any) { a["zone_of"] = "customer" },
		"/unsubscribed/0": func(a map[string]any) { a["unsubscribed"] = []any{"EMAIL"} },
		"/zone":           func(a map[string]any) { a["zone"] = "Europe/Atlantis" },
		"/unsubscribed":   func(a map[string]any) { delete(a, "contactable") },
	} {
		x, err := renderer.Explain(altered(t, b, change))
		if err != nil || !slices.ContainsFunc(x.Differences, func(d alert.Difference) bool { return d.Field == name }) {
			t.Errorf("%s: %+v, %v", name, x.Differences, err)
		}
	}
}
