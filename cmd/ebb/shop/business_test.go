package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestBusinessTables: no event of a table is unused, and neither a farewell nor a first visit may be empty.
func TestBusinessTables(t *testing.T) {
	for _, b := range businesses() {
		if err := b.check(); err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
	}
}

// check reports what a table lacks.
func (b *business) check() error {
	var errs []error
	used := map[what]bool{}
	for _, steps := range b.steps() {
		for _, s := range steps {
			used[s.what] = true
		}
	}
	for w := range b.events {
		if e := &b.events[w]; e.name == "" || !used[what(w)] {
			errs = append(errs, fmt.Errorf("event %d, %s, is in no step", w, e.name))
		}
	}
	for _, first := range [][]step{slices.Concat(b.joining, b.look), slices.Concat(b.guest, b.look)} {
		if !slices.ContainsFunc(first, func(s step) bool { return s.share == 0 }) {
			errs = append(errs, errors.New("a first visit may be empty"))
		}
	}
	for cause, f := range b.farewells {
		if len(f.steps) == 0 || f.steps[0].share > 0 {
			errs = append(errs, fmt.Errorf("the farewell of %v may be empty", cause))
		}
	}
	return errors.Join(errs...)
}

// steps are all lists of steps of a table.
func (b *business) steps() [][]step {
	all := [][]step{b.joining, b.guest, b.look, b.deal}
	for _, c := range slices.Concat(b.visited, b.dealt) {
		all = append(all, c.steps)
	}
	for _, r := range b.rounds {
		all = append(all, r.steps)
	}
	for _, f := range b.farewells {
		all = append(all, f.steps)
	}
	return all
}

// TestBusinesses: every event of every business comes in a season, readable, and customers leave for every cause.
func TestBusinesses(t *testing.T) {
	for _, b := range businesses() {
		s, err := New(Config{Business: b.name, Customers: 1500, Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		types, causes := map[string]int{}, map[Cause]int{}
		for ev := range s.Events() {
			types[ev.Type]++
			if line := AppendJSON(nil, &ev); !json.Valid(line) {
				t.Fatalf("%s", line)
			}
			if (ev.Currency == "") != (ev.Value == 0) || ev.Pays && ev.Value <= 0 {
				t.Fatalf("%s: %+v", b.name, ev)
			}
		}
		for l := range s.Leavers(s.End()) {
			causes[l.Cause]++
		}
		for i := range b.events {
			if types[b.events[i].name] == 0 {
				t.Errorf("%s: no %s", b.name, b.events[i].name)
			}
		}
		for _, w := range slices.Concat(b.causes, b.tasterCauses) {
			if causes[w.choice] == 0 {
				t.Errorf("%s: nobody left because of %v", b.name, w.choice)
			}
		}
	}
}
