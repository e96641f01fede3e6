package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/terminal"
)

// Customer shows the state of a customer.
func Customer(screen terminal.Screen, v *inspect.Customer) error {
	s := Explanation{screen}
	s.Say(
		"",
		"  ",
		fmt.Sprintf(
			"%s in partition %d as of %s",
			s.Paint(text.Colors{text.Bold}, terminal.FullName(v.Tenant, v.Customer)),
			v.Partition,
			v.At,
		),
	)
	s.Say("", "  ", fmt.Sprintf("scored with pack %s", v.Pack))
	if v.Visits > 0 {
		s.Say(
			"",
			"  ",
			fmt.Sprintf(
				"%s; stage %s; %s, the first %s, the latest %s",
				spaced(v.Tier),
				spaced(v.Stage),
				advice.Plural(int(v.Visits), "visit"),
				v.First,
				v.Last,
			),
		)
	} else if v.Tier != "" {
		s.Say("", "  ", spaced(v.Tier))
	}
	for _, e := range v.Episodes {
		line := fmt.Sprintf("open: %s since %s", spaced(e.Kind), e.Since)
		if e.Floor > 0 {
			line += fmt.Sprintf(", not below %g: %s", e.Floor, spaced(e.Code))
		}
		s.Say("", "  ", line)
	}
	if v.Next != "" {
		s.Say("", "  ", "looked at next, if no event comes, as of "+v.Next)
	}
	s.body(
		&inspect.Explained{
			Head:        inspect.Head{Reasons: v.Reasons},
			Explanation: v.Explanation,
			By:          v.By,
		},
	)
	if v.Coverage < 1 && !v.Unscored {
		s.Say("", "  ", fmt.Sprintf("%.0f %% of the pack's features have data", 100*v.Coverage))
	}
	var known []string
	for _, name := range slices.Sorted(maps.Keys(v.Features)) {
		if value := v.Features[name]; value != nil {
			in, _ := v.By.FeatureText(name, *value)
			known = append(known, spaced(name)+" "+in)
		}
	}
	if len(known) > 0 {
		s.Hang("features with data: ", strings.Join(known, ", "))
	}
	var facts []string
	for _, name := range slices.Sorted(maps.Keys(v.Facts)) {
		facts = append(facts, spaced(name)+" "+terminal.Printable(v.Facts[name]))
	}
	if len(facts) > 0 {
		s.Hang("facts: ", strings.Join(facts, ", "))
	}
	if v.Zone != "" {
		s.Hang("lives in ", v.Zone)
	}
	if len(v.Channels) > 0 {
		s.Hang("unsubscribed from: ", strings.Join(v.Channels, ", "))
	}
	return nil
}
