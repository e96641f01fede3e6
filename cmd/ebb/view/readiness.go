package view

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/probes"
	"ebb/cmd/ebb/terminal"
)

// Readiness shows the state of each partition and each shadow.
func Readiness(out terminal.Screen, r *probes.Readiness) {
	defer func() {
		for _, s := range r.Shadows {
			out.Hang("shadow "+s.Name+": ", shadowInWords(&s))
		}
	}()
	if r.Ready {
		fmt.Fprintf(out, "ready: group %s, generation %d\n", r.Group, r.Generation)
	}
	if len(r.Partitions) == 0 {
		return
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	const others = 56 // columns of a line before the reason, with the longest numbers
	columns := []table.ColumnConfig{
		{
			Number:      3,
			Align:       text.AlignRight,
			AlignHeader: text.AlignRight,
		},
		{Number: 4, Align: text.AlignRight, AlignHeader: text.AlignRight},
	}
	if out.Terminal {
		columns = append(
			columns,
			table.ColumnConfig{Number: 5, WidthMax: max(20, out.Width-others), WidthMaxEnforcer: text.WrapSoft},
		)
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(table.Row{"partition", "state", "next", "lag", "why"})
	for _, p := range r.Partitions {
		t.AppendRow(table.Row{p.Partition, p.State, advice.Grouped(p.Next), lagInWords(p.Lag), p.Reason})
	}
	fmt.Fprintln(out, t.Render())
}

func lagInWords(lag *int64) string {
	if lag == nil {
		return "unknown"
	}
	return advice.Grouped(*lag)
}

func shadowInWords(s *probes.ShadowState) string {
	words := s.State
	if s.State == "running" && s.Lag != nil {
		words += ", " + advice.Count(*s.Lag, "record") + " behind"
	}
	if s.Reason != "" {
		words += ": " + s.Reason
	}
	return words
}
