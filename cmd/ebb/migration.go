package main

import (
	"time"

	"ebb/cmd/ebb/backtest"
	"ebb/scoring"
)

// migrationJSON are the cells of a migration that hold customers.
type migrationJSON struct {
	At     time.Time       `json:"at"`
	Tiers  []migrationCell `json:"tiers"`
	Stages []migrationCell `json:"stages"`
}

type migrationCell struct {
	A         string `json:"a"`
	B         string `json:"b"`
	Customers int64  `json:"customers"`
}

// newMigration lists the cells of a migration that hold customers.
func newMigration(m *backtest.Migration) migrationJSON {
	out := migrationJSON{At: m.At, Tiers: []migrationCell{}, Stages: []migrationCell{}}
	for a := range m.Tiers {
		for b, n := range m.Tiers[a] {
			out.Tiers = appendCell(out.Tiers, scoring.Tier(a).String(), scoring.Tier(b).String(), n)
		}
	}
	for a := range m.Stages {
		for b, n := range m.Stages[a] {
			out.Stages = appendCell(out.Stages, scoring.Stage(a).String(), scoring.Stage(b).String(), n)
		}
	}
	return out
}

func appendCell(cells []migrationCell, a, b string, customers int64) []migrationCell {
	if customers == 0 {
		return cells
	}
	return append(cells, migrationCell{a, b, customers})
}
