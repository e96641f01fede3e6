package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/packs"
	"ebb/cmd/ebb/terminal"
	"ebb/scoring/profile"
)

// packsDiffText shows the difference between two packs to people.
type packsDiffText struct {
	terminal.Screen
	a, b string // names of the two
}

// Limits of what is shown of declarations; --json has everything.
const (
	mostDeclared  = 20 // settings
	mostNames     = 8  // of what only one pack has, in one place
	widestSetting = 30 // columns; a longer name gets a line of its own
)

// PackDiff shows the difference between two packs.
func PackDiff(s terminal.Screen, d *packs.Diff) error {
	return packsDiffText{s, "A", "B"}.print(d)
}

func (t packsDiffText) print(d *packs.Diff) error {
	for i, k := range []*packs.Summary{&d.A, &d.B} {
		said := fmt.Sprintf("%s %s, hash %.12s…", k.Name, k.Version, k.Hash)
		if d.Names[i] != k.Name {
			said = d.Names[i] + ": " + said
		}
		t.Hang(string(rune('A'+i))+"  ", said)
	}
	t.declared(d)
	if d.Decided != nil {
		t.decided(d.Decided)
	}
	verdict := t.Paint(text.Colors{text.FgGreen}, "No decision differs.")
	switch {
	case d.Decided == nil && d.Differ:
		verdict = "What they decide shows on a log: --events FILE"
	case d.Decided == nil:
		return nil
	case d.Differ:
		verdict = t.Paint(text.Colors{text.FgYellow}, "Decisions differ.")
	}
	_, err := fmt.Fprintf(t, "\n%s\n", verdict)
	return err
}

// declared is what the packs declare differently: names that only one of them has, and the other settings with both
// values.
func (t packsDiffText) declared(d *packs.Diff) {
	if len(d.Declared) == 0 {
		said := "They declare the same."
		if d.A.Hash != d.B.Hash {
			said = "They declare the same, but for name or version."
		}
		fmt.Fprintf(t, "\n%s\n", said)
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.Paint(text.Colors{text.Bold}, "What they declare"))
	lines, hidden := declaredLines(d.Declared)
	width := 0
	for _, line := range lines {
		if len(line[0]) <= widestSetting {
			width = max(width, len(line[0]))
		}
	}
	for _, line := range lines {
		if len(line[0]) > width {
			fmt.Fprintf(t, "  %s\n", line[0])
			line[0] = ""
		}
		t.Paragraph(fmt.Sprintf("  %-*s  ", width, line[0]), line[1])
	}
	if hidden > 0 {
		fmt.Fprintf(t, "  and %s more; --json prints all\n", advice.Plural(hidden, "setting"))
	}
}

// declaredLines are settings with their values, and the names that only one pack has, by their place. hidden: so many
// settings are left out.
func declaredLines(all []packs.Declared) (lines [][2]string, hidden int) {
	names := map[string][]string{}
	settings := 0
	for _, e := range all {
		last := len(e.Path) - 1
		where := strings.Join(e.Path[:last], ".")
		switch {
		case last > 0 && e.B == nil:
			where += ", only A"
		case last > 0 && e.A == nil:
			where += ", only B"
		case settings == mostDeclared:
			hidden++
			continue
		default:
			settings++
			lines = append(lines, [2]string{strings.Join(e.Path, "."), cell(e.A) + " → " + cell(e.B)})
			continue
		}
		if names[where] == nil {
			lines = append(lines, [2]string{where})
		}
		names[where] = append(names[where], e.Path[last])
	}
	for i := range lines {
		if list := names[lines[i][0]]; list != nil {
			lines[i][1] = firstFew(list)
		}
	}
	return lines, hidden
}

// firstFew lists names, as many as a person can read.
func firstFew(names []string) string {
	if len(names) <= mostNames+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
}

func (t packsDiffText) decided(d *packs.Decided) {
	fmt.Fprintln(t)
	t.Paragraph(
		"",
		fmt.Sprintf(
			"On %s: %s events of %s customers, %s to %s",
			LogName(d.Log),
			advice.Grouped(d.Events),
			advice.Grouped(d.Customers),
			d.First.Format(time.DateOnly),
			d.Last.Format(time.DateOnly),
		),
	)
	for _, n := range []struct {
		n    int64
		what string
	}{
		{d.Unnamed[0], "events are of types that A does not name"},
		{d.Unnamed[1], "events are of types that B does not name"},
		{d.Duplicates, "events are repeats, by their id, and count once"},
		{d.Late, "events are more than a day older than one before them"},
		{d.Skipped, "lines could not be used"},
	} {
		if n.n > 0 {
			t.Paragraph("note: ", advice.Grouped(n.n)+" "+n.what)
		}
	}
	for i := range d.Difference.Migrations {
		m := &d.Difference.Migrations[i]
		when := "on " + advice.FormatDate(m.At)
		if i+1 == len(d.Difference.Migrations) {
			when = "at the log's end, " + m.At.Format("2006-01-02 15:04")
		}
		t.migration(when, m)
	}
	t.alerts(d)
}

// migration is the matrix of tiers at a moment, and that of stages where any customer has another one. Tiers and alerts
// already show who is at risk by one pack alone.
func (t packsDiffText) migration(when string, m *backtest.Migration) {
	names := make([]string, profile.NumTiers)
	for i := range names {
		names[i] = profile.Tier(i).String()
	}
	names[profile.TierNone] = "no score"
	cells := make([][]int64, len(names))
	for i := range cells {
		cells[i] = m.Tiers[i][:]
	}
	across := fmt.Sprintf("%s: %s's down, %s's across", when, t.a, t.b)
	t.matrix("Customers by tier "+across, names, cells)
	if worse, better := m.Moved(); worse+better == 0 {
		t.Paragraph("", "Everybody is in the same tier by "+t.b+".")
	} else {
		t.Paragraph("", fmt.Sprintf("%s of %s are in another tier by %s: %s in a worse one, %s in a better one.",
			advice.Grouped(worse+better), advice.Grouped(total(cells)), t.b, advice.Grouped(worse), advice.Grouped(better)))
	}

	stages := make([]string, profile.NumStages)
	cells = make([][]int64, len(stages))
	same := m.Stages[profile.StageActive][profile.StageAtRisk] + m.Stages[profile.StageAtRisk][profile.StageActive]
	for i := range stages {
		stages[i] = profile.Stage(i).String()
		cells[i] = m.Stages[i][:]
		same += m.Stages[i][i]
	}
	if total(cells) > same {
		t.matrix("Customers by stage "+across, stages, cells)
	}
}

func total(cells [][]int64) (n int64) {
	for _, row := range cells {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// matrix shows the rows and columns that are not empty.
func (t packsDiffText) matrix(title string, names []string, cells [][]int64) {
	var used []int
	for i := range cells {
		sum := int64(0)
		for j := range cells {
			sum += cells[i][j] + cells[j][i]
		}
		if sum > 0 {
			used = append(used, i)
		}
	}
	header := []string{strings.ReplaceAll(t.a+" \\ "+t.b, "the ", "")}
	var rows [][]string
	for _, i := range used {
		header = append(header, names[i])
		row := []string{names[i]}
		for _, j := range used {
			if cells[i][j] == 0 {
				row = append(row, "·")
			} else {
				row = append(row, advice.Grouped(cells[i][j]))
			}
		}
		rows = append(rows, row)
	}
	t.Table(title, header, rows)
}

func (t packsDiffText) alerts(d *packs.Decided) {
	if len(d.Alerts) == 0 {
		fmt.Fprintln(t, "\nNeither of them sends an alert.")
		return
	}
	var rows [][]string
	var removed, added, changed int64
	for _, n := range d.Alerts {
		row := []string{n.Kind + " " + n.Transition}
		for _, v := range []int64{n.A, n.B, n.Same, n.Changed, n.Removed, n.Added} {
			row = append(row, advice.Grouped(v))
		}
		rows = append(rows, row)
		removed, added, changed = removed+n.Removed, added+n.Added, changed+n.Changed
	}
	t.Table("Alerts", []string{"", "A sends", "B sends", "the same", "changed", "only A", "only B"}, rows)
	t.examples("Only A sends them", removed, d.Removed)
	t.examples("Only B sends them", added, d.Added)
	t.examples("Both send them, at another time or of another tier", changed, d.Changed)
}

// examples shows the first alerts of a sort.
func (t packsDiffText) examples(title string, all int64, some []backtest.ChangedAlert) {
	if len(some) == 0 {
		return
	}
	if int64(len(some)) < all {
		title += fmt.Sprintf(" (the first %d of %s)", len(some), advice.Grouped(all))
	}
	fmt.Fprintf(t, "\n%s\n", t.Paint(text.Colors{text.Bold}, title))
	what, who := 0, 0
	for i := range some {
		a := &some[i]
		what = max(what, len(a.Kind+" "+a.Transition))
		who = max(who, text.StringWidth(terminal.FullName(a.Tenant, a.Customer)))
	}
	for i := range some {
		a := &some[i]
		t.Paragraph(fmt.Sprintf("  %s  %-*s  %s  ", firstSaid(a).At.Format("2006-01-02 15:04"), what, a.Kind+" "+a.Transition,
			text.Pad(terminal.FullName(a.Tenant, a.Customer), who, ' ')), changeInWords(a))
	}
}

// firstSaid is A's text, or B's where A has none.
func firstSaid(a *backtest.ChangedAlert) *backtest.Said {
	if a.A != nil {
		return a.A
	}
	return a.B
}

// changeInWords is the tier and the reasons of an alert that only one side sends, else what differs in it.
func changeInWords(a *backtest.ChangedAlert) string {
	if a.A == nil || a.B == nil {
		said := firstSaid(a)
		return strings.TrimPrefix(said.Tier+": "+strings.Join(said.Reasons, ", "), ": ")
	}
	var words []string
	if a.A.Tier != a.B.Tier {
		words = append(words, a.A.Tier+" → "+a.B.Tier)
	}
	switch by := a.B.At.Sub(a.A.At); {
	case by > 0:
		words = append(words, "later by "+roughly(by))
	case by < 0:
		words = append(words, "earlier by "+roughly(-by))
	}
	return strings.Join(words, ", ")
}

// roughly is a span in whole hours, or minutes where it is short.
func roughly(d time.Duration) string {
	if d >= advice.Day {
		return advice.FormatDuration(d.Truncate(time.Hour))
	}
	return advice.FormatDuration(max(time.Minute, d.Truncate(time.Minute)))
}

// cell is a setting's value in readable form.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: what came from JSON is JSON: " + err.Error())
	}
	return strings.NewReplacer(`"`, "", ",", ", ", ":", ": ").Replace(string(b))
}
