package backtest

import (
	"time"

	"ebb/scoring/profile"
)

// Cells are the cells of a migration that hold customers.
type Cells struct {
	At     time.Time `json:"at"`
	Tiers  []Cell    `json:"tiers"`
	Stages []Cell    `json:"stages"`
}

type Cell struct {
	A         string `json:"a"`
	B         string `json:"b"`
	Customers int64  `json:"customers"`
}

// CellsOf lists the cells of a migration that hold customers.
func CellsOf(m *Migration) Cells {
	out := Cells{At: m.At, Tiers: []Cell{}, Stages: []Cell{}}
	for a := range m.Tiers {
		for b, n := range m.Tiers[a] {
			out.Tiers = appendCell(out.Tiers, profile.Tier(a).String(), profile.Tier(b).String(), n)
		}
	}
	for a := range m.Stages {
		for b, n := range m.Stages[a] {
			out.Stages = appendCell(out.Stages, profile.Stage(a).String(), profile.Stage(b).String(), n)
		}
	}
	return out
}

func appendCell(cells []Cell, a, b string, customers int64) []Cell {
	if customers == 0 {
		return cells
	}
	return append(cells, Cell{a, b, customers})
}
