package main

import (
	"fmt"
	"io"

	"ebb/scoring/pack"
)

// regression is by how much a cost may exceed what was recorded before it is marked.
const regression = 0.10

// show writes what was measured, beside what was recorded.
func show(out io.Writer, pack *pack.Pack, found []cost, last *record) error {
	fmt.Fprintf(out, "pack %s: %d signals, %d features, %d factors; %d customers of 10 to 640 events a year\n", pack.Name, len(pack.SignalNames()), len(pack.Features), len(pack.Model.Factors), customers)
	if last.Hash != "" && last.Hash != pack.Hash {
		fmt.Fprintf(out, "note: the record is of another pack, %s %.12s…, not %.12s…\n", last.Pack, last.Hash, pack.Hash)
	}
	fmt.Fprintf(out, "\n%-32s %8s %7s %9s %8s\n", "", "ns", "allocs", "recorded", "change")
	slower, allocating := 0, 0
	for _, c := range found {
		recorded, change, mark := "–", "–", ""
		if was := last.Costs[c.name]; was > 0 {
			by := c.ratio/was - 1
			recorded, change = fmt.Sprintf("%.0f", c.ns*was/c.ratio), fmt.Sprintf("%+.0f %%", 100*by)
			if by > regression {
				mark = "  <-- slower by more than 10 %"
				slower++
			}
		}
		if c.allocs > 0 {
			mark += "  <-- allocates"
			allocating++
		}
		fmt.Fprintf(out, "%-32s %8.0f %7d %9s %8s%s\n", c.name, c.ns, c.allocs, recorded, change, mark)
	}
	fmt.Fprintln(out, "\nrecorded: what was recorded last would take here and now, by the fixed loop that is timed before each step")
	said := "nothing is slower by more than 10 %, nothing allocates"
	if slower+allocating > 0 {
		said = fmt.Sprintf("%d slower by more than 10 %%, %d allocating", slower, allocating)
	}
	_, err := fmt.Fprintln(out, said)
	return err
}
