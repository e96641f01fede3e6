package packs

import (
	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// Diff is what two packs declare and decide differently.
type Diff struct {
	A        Summary    `json:"a"`
	B        Summary    `json:"b"`
	Differ   bool       `json:"differ"` // decisions; without a log: declarations
	Declared []Declared `json:"declared"`
	Decided  *Decided   `json:"decided,omitempty"`

	Names []string `json:"-"` // as given
}

// Decided is the outcome on a log.
type Decided struct {
	Log     string `json:"log"`
	Skipped int64  `json:"skipped"` // lines that could not be used
	*backtest.Difference
	Migrations []backtest.Cells `json:"migrations"`
}

// NewDiff compares what two packs declare. names are the arguments that selected them.
func NewDiff(packs [2]*pack.Pack, names []string) *Diff {
	d := &Diff{
		A:        Summarise(packs[0]),
		B:        Summarise(packs[1]),
		Declared: declaredDifferences(packs[0], packs[1]),
		Names:    names,
	}
	d.Differ = len(d.Declared) > 0
	return d
}

// Decide adds the packs' decisions on a log, of which so many lines were skipped.
func (d *Diff) Decide(log string, skipped int64, found *backtest.Difference) {
	d.Decided = newDecided(log, skipped, found)
	d.Differ = found.Differ()
}

// newDecided is the outcome on a log, of which so many lines were skipped.
func newDecided(log string, skipped int64, found *backtest.Difference) *Decided {
	d := &Decided{Log: log, Skipped: skipped, Difference: found, Migrations: []backtest.Cells{}}
	for _, list := range [][]backtest.ChangedAlert{found.Removed, found.Added, found.Changed} {
		for i := range list {
			tenant, customer := pipeline.SplitKey([]byte(list[i].Key))
			list[i].Tenant, list[i].Customer = string(tenant), string(customer)
		}
	}
	for i := range found.Migrations {
		d.Migrations = append(d.Migrations, backtest.CellsOf(&found.Migrations[i]))
	}
	return d
}
