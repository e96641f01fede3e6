package main

import (
	"bytes"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// The same seed makes the same input, however it is cut into batches, and the input has records of every kind.
func TestShop(t *testing.T) {
	const n = 10_000
	a, b := newShop(3, 500), newShop(3, 500)
	whole := a.next(n)
	var parts []record
	for len(parts) < n {
		parts = append(parts, b.next(min(777, n-len(parts)))...)
	}
	for i := range whole {
		if whole[i].key != parts[i].key || !bytes.Equal(whole[i].value, parts[i].value) {
			t.Fatalf("record %d of two inputs of one seed: %q and %q", i, whole[i].value, parts[i].value)
		}
	}
	input := make([][]oracle.Record, partitions)
	for i, r := range whole {
		p := oracle.Partition([]byte(r.key), partitions)
		input[p] = append(input[p], oracle.Record{Offset: int64(i), Value: r.value})
	}
	got := oracle.Fold(input, settings())
	c := got.Counts
	if c.Late < n/100 || c.Duplicates < n/200 || c.Quarantined < n/1000 || len(got.Alerts) < n/100 {
		t.Errorf("the input is too tame: %+v and %d alerts", c, len(got.Alerts))
	}
	transitions, codes := map[string]int{}, map[string]int{}
	for _, alert := range got.Alerts {
		transitions[alert.Transition]++
	}
	for _, q := range got.Quarantined {
		codes[q.Code]++
	}
	if len(transitions) != 3 || len(codes) < 8 {
		t.Errorf("transitions %v, codes %v", transitions, codes)
	}
}

// Ghosts are events of the same customers under ids of their own, which would count.
func TestGhosts(t *testing.T) {
	s := newShop(4, 100)
	records := s.next(1000)
	ghosts := s.ghosts(records)
	if len(ghosts) < 200 {
		t.Fatalf("%d ghosts of %d records", len(ghosts), len(records))
	}
	input := []oracle.Record{}
	for i, r := range ghosts {
		input = append(input, oracle.Record{Offset: int64(i), Value: r.value})
	}
	if c := oracle.Fold([][]oracle.Record{input}, settings()).Counts; c.Quarantined > 0 || c.Events < 200 {
		t.Errorf("ghosts are %+v", c)
	}
}
