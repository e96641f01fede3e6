package kafkabatch

import (
	"cmp"
	"slices"
)

// abortedFilter tells which batches of an answer belong to aborted transactions. The broker names each aborted
// transaction that reaches into the answer by producer and first offset; it ends at the producer's next marker.
type abortedFilter struct {
	ahead []Aborted // by first offset; those at the front have begun
	begun int
	open  []int64 // producers inside an aborted transaction
}

// Aborted is an aborted transaction: its producer, and the offset of its first record.
type Aborted struct{ Producer, First int64 }

// begin prepares for an answer into which all of these reach.
func (a *abortedFilter) begin(all []Aborted) {
	slices.SortFunc(all, func(x, y Aborted) int { return cmp.Compare(x.First, y.First) })
	a.ahead, a.open, a.begun = all, a.open[:0], 0
}

// reach says that the walk has come to a batch that ends at last.
func (a *abortedFilter) reach(last int64) {
	for a.begun < len(a.ahead) && a.ahead[a.begun].First <= last {
		a.open = append(a.open, a.ahead[a.begun].Producer)
		a.begun++
	}
}

// drops reports whether a transactional batch of producer is part of an aborted transaction.
func (a *abortedFilter) drops(producer int64) bool { return slices.Contains(a.open, producer) }

// end says that a marker of producer has been passed: the transaction that was open, if one was, is over.
func (a *abortedFilter) end(producer int64) {
	if i := slices.Index(a.open, producer); i >= 0 {
		a.open = slices.Delete(a.open, i, i+1)
	}
}
