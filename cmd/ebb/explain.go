package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/scoring"
)

// explainFlags is the command line of explain.
type explainFlags struct{ json bool }

func newExplainCommand(a *app) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Recompute alerts from what they carry, and show the sum",
		Long: `Recompute each alert from nothing but the inputs and coefficients that it carries: no Kafka, no Redis, no pack. Every term is
shown with what it was computed from and the sum so far. Exit code 1 where an alert says anything else than what follows from its own
numbers, to the last bit; then the rest is not looked at. FILE holds an alert a line, as ebb alerts --json prints them; it may be
gzipped. "-" or no FILE is standard input.`,
		Example: "  ebb alerts --from-start --until-end --json | ebb explain\n" +
			"  ebb explain alerts.ndjson.gz\n" +
			"  ebb alerts --json | grep '\"customer\":\"c-42\"' | ebb explain --json",
		Args: arguments(0, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd, &f, args) },
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print an object for each alert: its id, and the terms, the sum and the differences")
	return cmd
}

func (a *app) explain(cmd *cobra.Command, f *explainFlags, args []string) error {
	name := stdinName
	if len(args) > 0 {
		name = args[0]
	}
	lines, err := openLines(name, newStoppableReader(cmd.Context(), cmd.InOrStdin()))
	if err != nil {
		return err
	}
	defer lines.Close()
	show := explainText{newScreen(cmd.OutOrStdout(), a.environ)}
	encoder := json.NewEncoder(cmd.OutOrStdout())
	for n := 0; ; n++ {
		if cmd.Context().Err() != nil {
			return stopCause(cmd.Context())
		}
		line, err := lines.nextLine()
		if errors.Is(err, io.EOF) {
			return show.end(n, f.json)
		}
		if err != nil {
			return err
		}
		x, err := scoring.Explain(line)
		if err != nil {
			return advise(fmt.Errorf("%s:%d: %w", lines.name, lines.line, err), "an alert a line is wanted, as ebb alerts --json prints them")
		}
		var who explained
		if err := json.Unmarshal(line, &who); err != nil {
			return fmt.Errorf("%s:%d: %w", lines.name, lines.line, err)
		}
		who.Explanation = x
		if f.json {
			err = encoder.Encode(&who)
		} else {
			err = show.alert(&who, n > 0)
		}
		if err != nil {
			return err
		}
		if len(x.Differences) > 0 {
			return fmt.Errorf("%s:%d: alert %s does not prove itself: %s", lines.name, lines.line, who.ID, differencesInWords(x.Differences))
		}
	}
}

// explained is an alert and its explanation.
type explained struct {
	ID         string `json:"id"`
	Tenant     string `json:"tenant"`
	Customer   string `json:"customer"`
	Transition string `json:"transition"`
	Tier       string `json:"tier"`
	Time       string `json:"time"`
	Reasons    []struct {
		Code string `json:"code"`
		Text string `json:"text"`
	} `json:"reasons"`
	*scoring.Explanation
}

// explainText shows explanations to people.
type explainText struct{ screen }

func (s explainText) alert(e *explained, another bool) error {
	if another {
		fmt.Fprintln(s)
	}
	fmt.Fprintf(s, "%s: %s, %s at %s\n", s.paint(text.Colors{text.Bold}, fullName(e.Tenant, e.Customer)), e.Transition, e.Tier, e.Time)
	for _, r := range e.Reasons {
		fmt.Fprintf(s, "  %s\n", printable(r.Text))
	}
	if !e.Unscored {
		fmt.Fprintln(s, s.table(e))
	}
	if e.Floor != nil {
		fmt.Fprintf(s, "not below %g: %s\n", e.Floor.Risk, strings.ReplaceAll(e.Floor.Code, "_", " "))
	}
	verdict := s.paint(text.Colors{text.FgGreen}, "every bit as the alert says")
	if len(e.Differences) > 0 {
		verdict = s.paint(text.Colors{text.FgRed, text.Bold}, "the alert says something else")
	}
	formula := fmt.Sprintf("risk %.3f = 100 / (1 + exp(-%s))", e.Risk, shortest(e.LogOdds))
	if bySum := 100 / (1 + math.Exp(-e.LogOdds)); bySum < e.Risk-0.001 {
		formula = fmt.Sprintf("risk %.3f, by the floor; by the sum %.3f", e.Risk, bySum)
	}
	if e.Unscored {
		formula = fmt.Sprintf("risk %.3f, by the floor alone: no activity yet, so there is no score", e.Risk)
	} else {
		fmt.Fprintln(s, probabilityInWords(e.Explanation))
	}
	_, err := fmt.Fprintf(s, "%s; %s\n", formula, verdict)
	return err
}

// table is the sum, term by term; on a terminal the last column is wrapped to what the others leave.
func (s explainText) table(e *explained) string {
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
		t.AppendRow(table.Row{f.Code, fmt.Sprintf("%+.6f", f.LogOdds), fmt.Sprintf("%+.6f", sum), fmt.Sprintf("%s %d", strings.ReplaceAll(f.Feature, "_", " "), f.Inputs.Value)})
	}
	if sum != e.LogOdds {
		t.AppendRow(table.Row{"cap", fmt.Sprintf("%+.6f", e.LogOdds-sum), fmt.Sprintf("%+.6f", e.LogOdds), fmt.Sprintf("factors add %g at most", e.Cap)})
	}
	from := table.ColumnConfig{Number: 4}
	if s.terminal {
		from.WidthMax, from.WidthMaxEnforcer = max(20, s.width-frame-widest[0]-widest[1]-widest[2]), text.WrapSoft
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight}, from,
	})
	return t.Render()
}

func (s explainText) end(alerts int, quiet bool) error {
	if quiet || alerts == 1 {
		return nil
	}
	if alerts == 0 {
		_, err := fmt.Fprintln(s, "no alerts")
		return err
	}
	_, err := fmt.Fprintf(s, "\n%s recomputed, every bit as they say\n", plural(alerts, "alert"))
	return err
}

// probabilityInWords says how probable a silent horizon is, and what stands behind that.
func probabilityInWords(x *scoring.Explanation) string {
	if x.Provisional {
		return fmt.Sprintf("churn probability %.3f, provisional: the score's own, with %s resolved", x.Probability, plural64(int64(x.Probes), "probe"))
	}
	var points []string
	for _, p := range x.Curve {
		points = append(points, fmt.Sprintf("%.3f at %+.3f", p[1], p[0]))
	}
	return fmt.Sprintf("churn probability %.3f, learnt from %s: %s", x.Probability, plural64(int64(x.Probes), "probe"), strings.Join(points, ", "))
}

func inputsInWords(inputs map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		words = append(words, fmt.Sprintf("%s %.4g", strings.ReplaceAll(name, "_", " "), inputs[name]))
	}
	return strings.Join(words, ", ")
}

func differencesInWords(all []scoring.Difference) string {
	var words []string
	for _, d := range all {
		words = append(words, fmt.Sprintf("%s says %s, %s follows", d.Field, shortest(d.Says), shortest(d.Recomputed)))
	}
	return strings.Join(words, "; ")
}

func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
