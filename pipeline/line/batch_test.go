package line

import (
	"testing"

	"ebb/pipeline"
)

// TestBatchWithinBytes: a batch ends before the record that would exceed the limit. A single larger record makes a
// batch of its own.
func TestBatchWithinBytes(t *testing.T) {
	b := &Batch{}
	b.Fetched.Next = 14
	for i, bytes := range []int{30, 5, 4, 2} {
		b.Fetched.Records = append(b.Fetched.Records, pipeline.Record{Offset: int64(10 + i), Value: make([]byte, bytes)})
	}
	b.CutBytes(41)
	if len(b.Fetched.Records) != 4 || b.Fetched.Next != 14 {
		t.Errorf("what fits was cut to %d records, next %d", len(b.Fetched.Records), b.Fetched.Next)
	}
	b.CutBytes(36)
	if len(b.Fetched.Records) != 2 || b.Fetched.Next != 12 {
		t.Errorf("%d records, next %d", len(b.Fetched.Records), b.Fetched.Next)
	}
	b.CutBytes(1)
	if len(b.Fetched.Records) != 1 || b.Fetched.Next != 11 {
		t.Errorf("%d records, next %d", len(b.Fetched.Records), b.Fetched.Next)
	}
}
