// Command bench measures what scoring an event costs with the largest shipped pack, kind of event by kind of event,
// beside what was recorded last. A cost is recorded as its ratio to a fixed loop that is timed right before it, so
// that another machine, or a busy one, does not show as a regression.
//
//	go run ./scoring/bench            measure, and compare with scoring/bench/recorded.json
//	go run ./scoring/bench -record    measure, and write it
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"

	"ebb/scoring/pack"
)

// recordFile is where costs are recorded, seen from the root of the repository.
const recordFile = "scoring/bench/recorded.json"

// record is what was measured last.
type record struct {
	Pack  string             `json:"pack"`
	Hash  string             `json:"hash"`
	Costs map[string]float64 `json:"costs"` // in turns of the fixed loop
}

func main() {
	name := flag.String("pack", "", "measure with this `PACK` instead of the largest, and compare with nothing")
	rounds := flag.Int("rounds", 151, "take the median of `N` rounds")
	write := flag.Bool("record", false, "write what was measured to "+recordFile)
	flag.Parse()
	if err := run(*name, *rounds, *write); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(name string, rounds int, write bool) error {
	pack, err := largest(name)
	if err != nil {
		return err
	}
	last := record{Costs: map[string]float64{}}
	if b, err := os.ReadFile(recordFile); err != nil {
		return fmt.Errorf("read record: %w", err)
	} else if err := json.Unmarshal(b, &last); err != nil {
		return fmt.Errorf("read %s: %w", recordFile, err)
	}
	if name != "" {
		last = record{}
	}
	found, err := measure(steps(pack), rounds)
	if err != nil {
		return err
	}
	if err := show(os.Stdout, pack, found, &last); err != nil || !write {
		return err
	}
	return save(pack, found)
}

// largest is the shipped pack whose features take the most bytes, unless another one is asked for.
func largest(name string) (trial *pack.Pack, err error) {
	names := pack.Shipped()
	if name != "" {
		names = []string{name}
	}
	for _, name := range names {
		k, err := pack.Load(name, os.ReadFile, pack.Overrides{})
		if err != nil {
			return nil, err
		}
		if trial == nil || k.MaxFeatureState() > trial.MaxFeatureState() {
			trial = k
		}
	}
	return trial, nil
}

func save(pack *pack.Pack, found []cost) error {
	r := record{Pack: pack.Name, Hash: pack.Hash, Costs: map[string]float64{}}
	for _, c := range found {
		digits := math.Pow(10, 2-math.Floor(math.Log10(c.ratio))) // three of them
		r.Costs[c.name] = math.Round(c.ratio*digits) / digits
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	if err := os.WriteFile(recordFile, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	_, err = fmt.Fprintf(os.Stdout, "\nrecorded in %s\n", recordFile)
	return err
}
