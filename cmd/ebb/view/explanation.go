package view

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/alert"
)

// Explanation shows explanations to people.
type Explanation struct{ terminal.Screen }

func (s Explanation) Alert(e *inspect.Explained, another bool) error {
	if another {
		fmt.Fprintln(s)
	}
	what := e.Transition
	if e.Tier != "" {
		what += ", " + e.Tier
	}
	s.Say(
		"",
		"  ",
		fmt.Sprintf(
			"%s: %s at %s",
			s.Paint(text.Colors{text.Bold}, terminal.FullName(e.Tenant, e.Customer)),
			terminal.Printable(what),
			terminal.Printable(e.Time),
		),
	)
	if e.By != nil {
		s.body(e)
	}
	_, err := fmt.Fprintln(s, s.verdict(e))
	return err
}

// worth is what a customer is worth.
func worth(e *inspect.Explained) string {
	v := e.Value
	in := "worth " + e.Worth(v.Amount)
	if v.Orders != nil {
		in += " in " + advice.Plural(int(*v.Orders), "order")
	}
	in += fmt.Sprintf(", which is %s; at risk of it: %s", terminal.Printable(v.Tier), e.Worth(v.AtRisk))
	if v.Expected != nil {
		in += "; expected of the next horizon: " + e.Worth(*v.Expected)
	}
	if v.Other > 0 {
		in += fmt.Sprintf("; not in it: %s in another currency", advice.Plural(int(v.Other), "event"))
	}
	return in
}

// body shows how a score comes about: reasons, terms, floor, value, the way out of the tier, and the probability.
func (s Explanation) body(e *inspect.Explained) {
	for _, r := range e.Reasons {
		s.Say("  ", "  ", terminal.Printable(r.Text))
	}
	if e.Unscored {
		s.Say("", "  ", "never active, so there is no score")
	} else {
		fmt.Fprintln(s, s.table(e))
	}
	if e.Floor != nil {
		s.Say("", "  ", fmt.Sprintf("not below %g: %s", e.Floor.Risk, spaced(e.Floor.Code)))
	}
	switch {
	case e.Value != nil:
		s.Say("", "  ", worth(e))
	case e.By.Pack.Value.Feature >= 0:
		s.Say("", "  ", "nothing is known of what the customer is worth")
	}
	if x := e.Exit; x != nil {
		s.Say("", "  ", fmt.Sprintf("cheapest way out: %s, to %.3f, %s", "no more "+spaced(x.Change), x.Risk, spaced(x.Tier)))
	}
	if !e.Unscored {
		s.Say("", "  ", probabilityInWords(e.Explanation))
	}
	if !e.Unscored || e.Floor != nil {
		s.Say("", "  ", formula(e.Explanation))
	}
}

// spaced is a name in words.
func spaced(name string) string { return terminal.Printable(strings.ReplaceAll(name, "_", " ")) }

// formula shows how the sum becomes the risk score.
func formula(x *alert.Explanation) string {
	if x.Unscored {
		return fmt.Sprintf("risk %.3f, by the floor", x.Risk)
	}
	if bySum := 100 / (1 + math.Exp(-x.LogOdds)); bySum < x.Risk-0.001 {
		return fmt.Sprintf("risk %.3f, by the floor; by the sum %.3f", x.Risk, bySum)
	}
	return fmt.Sprintf("risk %.3f = 100 / (1 + exp(%s))", x.Risk, shortest(0-x.LogOdds))
}

// table is the sum, term by term. On a terminal the last column is wrapped to the width that the others leave.
func (s Explanation) table(e *inspect.Explained) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"term", "log-odds", "sum", "from"})
	const frame = 13 // columns of lines and padding
	sum, widest := 0.0, [3]int{len("term"), len("log-odds"), len("sum")}
	for i, term := range e.Terms {
		if sum += term.LogOdds; i == 0 {
			sum = term.LogOdds
		}
		first := [3]string{term.Name, fmt.Sprintf("%+.6f", term.LogOdds), fmt.Sprintf("%+.6f", sum)}
		for j := range first {
			widest[j] = max(widest[j], text.StringWidth(first[j]))
		}
		t.AppendRow(table.Row{first[0], first[1], first[2], inputsInWords(term.Inputs)})
	}
	for _, f := range e.Factors {
		sum += f.LogOdds
		widest[0] = max(widest[0], text.StringWidth(f.Code))
		t.AppendRow(
			table.Row{
				terminal.Printable(f.Code),
				fmt.Sprintf("%+.6f", f.LogOdds),
				fmt.Sprintf("%+.6f", sum),
				spaced(f.Feature) + " " + e.Amount(f.Feature, f.Value),
			},
		)
	}
	if e.Uncapped != e.FactorSum {
		t.AppendRow(
			table.Row{
				"cap",
				fmt.Sprintf("%+.6f", e.FactorSum-e.Uncapped),
				fmt.Sprintf("%+.6f", e.LogOdds),
				fmt.Sprintf("factors add or take away %g at most", e.Cap),
			},
		)
	}
	from := table.ColumnConfig{Number: 4}
	if s.Terminal {
		from.WidthMax, from.WidthMaxEnforcer = max(20, s.Width-frame-widest[0]-widest[1]-widest[2]), text.WrapSoft
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{
			Number:      2,
			Align:       text.AlignRight,
			AlignHeader: text.AlignRight,
		},
		{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight},
		from,
	})
	return t.Render()
}

// probabilityInWords is the probability of a silent horizon, and what it is based on.
func probabilityInWords(x *alert.Explanation) string {
	if x.Provisional {
		return fmt.Sprintf(
			"churn probability %.3f, provisional: the score's own, with %s resolved",
			x.Probability,
			advice.Count(int64(x.Probes), "probe"),
		)
	}
	var points []string
	for _, p := range x.Curve {
		points = append(points, fmt.Sprintf("%.3f at %+.3f", p[1], p[0]))
	}
	return fmt.Sprintf(
		"churn probability %.3f, learnt from %s%s: %s",
		x.Probability,
		advice.Count(int64(x.Probes), "probe"),
		ofClass(x.Class),
		strings.Join(points, ", "),
	)
}

// ofClass is the class of the customers who were probed, in words.
func ofClass(class string) string {
	if class == "" {
		return ""
	}
	return " of " + terminal.Printable(class) + " customers"
}

func inputsInWords(inputs map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		words = append(words, fmt.Sprintf("%s %.4g", strings.ReplaceAll(name, "_", " "), inputs[name]))
	}
	return strings.Join(words, ", ")
}

func Differences(all []alert.Difference) string {
	var words []string
	for _, d := range all {
		words = append(
			words,
			fmt.Sprintf("%s says %s, %s follows", terminal.Printable(d.Field), partInWords(d.Says), partInWords(d.Recomputed)),
		)
	}
	return strings.Join(words, "; ")
}

func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// partInWords is a part of an alert.
func partInWords(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case float64:
		return shortest(v)
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// verdict is whether the alert's content follows from its data, and what it was compared with.
func (s Explanation) verdict(e *inspect.Explained) string {
	if len(e.Differences) > 0 {
		return s.Paint(text.Colors{text.FgRed, text.Bold}, "the alert says something else")
	}
	if e.By == nil {
		return "whoever keeps something of the customer is to delete it"
	}
	s.Say("", "  ", fmt.Sprintf("checked against its pack, %s", e.By.Pack.Name+" "+e.By.Pack.Version))
	return s.Paint(text.Colors{text.FgGreen}, "every digit as the alert says")
}
