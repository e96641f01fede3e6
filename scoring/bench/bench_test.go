package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"ebb/scoring/pack"
)

// TestSteps: with every shipped pack each step can be taken over and over, on a customer that is each time as before,
// without an allocation.
func TestSteps(t *testing.T) {
	for _, name := range pack.Shipped() {
		pack, err := pack.Load(name, os.ReadFile, pack.Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(pack)
		before := b.customers[0].profile
		for _, s := range append(b.others(), steps(pack)...) {
			if n := testing.AllocsPerRun(2*customers, s.do); n != 0 {
				t.Errorf("%s, %s: %v allocations", name, s.name, n)
			}
		}
		if b.customers[0].profile != before {
			t.Errorf("%s: a step has changed the customer it began with", name)
		}
	}
}

// TestShow: what is slower by more than a tenth, or allocates, is marked, and nothing else.
func TestShow(t *testing.T) {
	pack, err := largest("")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	last := &record{Pack: pack.Name, Hash: pack.Hash, Costs: map[string]float64{"slow": 1, "fine": 1, "fast": 1, "hungry": 1}}
	found := []cost{{"slow", 112, 1.12, 0}, {"fine", 109, 1.09, 0}, {"fast", 50, 0.5, 0}, {"hungry", 100, 1, 7}, {"fresh", 100, math.Pi, 0}}
	if err := show(&out, pack, found, last); err != nil {
		t.Fatal(err)
	}
	marked := map[string]string{"slow": "<-- slower by more than 10 %", "hungry": "<-- allocates"}
	for line := range strings.Lines(out.String()) {
		name, _, _ := strings.Cut(line, " ")
		_, mark, _ := strings.Cut(line, "  <--")
		if want := marked[name]; (want == "") != (mark == "") || !strings.Contains(line, want) {
			t.Errorf("%q", line)
		}
	}
	if !strings.HasSuffix(out.String(), "1 slower by more than 10 %, 1 allocating\n") || strings.Contains(out.String(), "note:") {
		t.Error(out.String())
	}
	last.Hash = "another"
	out.Reset()
	if err := show(&out, pack, found, last); err != nil || !strings.Contains(out.String(), "note: the record is of another pack") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
