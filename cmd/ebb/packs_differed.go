package main

import (
	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
	"ebb/scoring"
)

// packsDiffered is what two packs declare and decide differently.
type packsDiffered struct {
	A        packSummary          `json:"a"`
	B        packSummary          `json:"b"`
	Differ   bool                 `json:"differ"` // decisions; without a log: what is declared
	Declared []declaredDifference `json:"declared"`
	Decided  *decidedDifference   `json:"decided,omitempty"`

	Names []string `json:"-"` // as given
}

// decidedDifference is what came of a log.
type decidedDifference struct {
	Log     string `json:"log"`
	Skipped int64  `json:"skipped"` // lines that could not be used
	*backtest.Difference
	Migrations []migrationJSON `json:"migrations"`
}

// newPacksDiffered compares what two packs declare. names are what they were asked for by.
func newPacksDiffered(packs [2]*scoring.Pack, names []string) *packsDiffered {
	d := &packsDiffered{A: summarise(packs[0]), B: summarise(packs[1]), Declared: declaredDifferences(packs[0], packs[1]), Names: names}
	d.Differ = len(d.Declared) > 0
	return d
}

// decide adds what they decided about a log, of which so many lines were skipped.
func (d *packsDiffered) decide(log string, skipped int64, found *backtest.Difference) {
	d.Decided = newDecided(log, skipped, found)
	d.Differ = found.Differ()
}

// newDecided is what came of a log, of which so many lines were skipped.
func newDecided(log string, skipped int64, found *backtest.Difference) *decidedDifference {
	d := &decidedDifference{Log: log, Skipped: skipped, Difference: found, Migrations: []migrationJSON{}}
	for _, list := range [][]backtest.ChangedAlert{found.Removed, found.Added, found.Changed} {
		for i := range list {
			tenant, customer := pipeline.SplitKey([]byte(list[i].Key))
			list[i].Tenant, list[i].Customer = string(tenant), string(customer)
		}
	}
	for i := range found.Migrations {
		d.Migrations = append(d.Migrations, newMigration(&found.Migrations[i]))
	}
	return d
}
