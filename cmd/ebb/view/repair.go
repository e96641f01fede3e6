package view

import (
	"fmt"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/repair"
	"ebb/cmd/ebb/terminal"
)

// Repair shows what was found of each partition, and what is to be done.
func Repair(s terminal.Screen, group, input string, plan []repair.Partition) error {
	fine := 0
	for i := range plan {
		p := &plan[i]
		if p.Verdict == repair.InOrder {
			fine++
			continue
		}
		s.Say("", "  ", fmt.Sprintf("%s/%d: %s", input, p.Partition, p.Code))
		s.Say("  ", "  ", "found  "+p.Found)
		s.Say("  ", "  ", "Redis  "+stateText(p))
		s.Say("  ", "  ", "Kafka  "+committedText(p))
		if p.Verdict == repair.Repair {
			s.Say("  ", "  ", "proven "+provenText(p))
		} else {
			s.Say("  ", "  ", "do     "+p.Do)
		}
	}
	c := repair.Summary(plan)
	_, err := fmt.Fprintf(s, "group %s: %s in order, %d to repair, %d left\n", group, advice.Plural(fine, "partition"),
		c.Repair, c.Left)
	return err
}

func stateText(p *repair.Partition) string {
	if p.State == nil {
		return "no state"
	}
	st := p.State
	var outbox []string
	for _, kind := range []string{"alerts", "quarantined", "control", "packs", "unreadable"} {
		if n := st.Outbox[kind]; n > 0 {
			outbox = append(outbox, fmt.Sprintf("%d %s", n, kind))
		}
	}
	text := fmt.Sprintf("%s records folded, deadlines fired to minute %d, %s", advice.Grouped(st.Next), st.Fired.Minute,
		advice.Count(st.Profiles, "customer"))
	if len(outbox) > 0 {
		text += ", in the outbox " + strings.Join(outbox, ", ")
	}
	if st.Pack != "" {
		text += fmt.Sprintf("; pack %.12s, settings %s", st.Pack, st.Settings)
	}
	return text
}

func committedText(p *repair.Partition) string {
	log := fmt.Sprintf("the log holds %s to %s", advice.Grouped(p.LogStart), advice.Grouped(p.LogEnd))
	if !p.Committed.Exists {
		return "no offset; " + log
	}
	return fmt.Sprintf("offset %s, metadata %.40q; %s", advice.Grouped(p.Committed.Offset), p.Committed.Metadata, log)
}

func provenText(p *repair.Partition) string {
	n := 0
	if p.State != nil {
		for _, of := range p.State.Outbox {
			n += of
		}
	}
	text := fmt.Sprintf("everything before offset %s was published", advice.Grouped(p.Offset))
	switch {
	case p.State == nil:
		text = fmt.Sprintf("nothing was ever published; it begins at offset %s", advice.Grouped(p.Offset))
	case n > 0:
		text += fmt.Sprintf(", %d of %d outbox entries among it", p.Published, n)
	}
	return text + "; that offset is to be committed again"
}
