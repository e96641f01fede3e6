package deadletter_test

import (
	"math"
	"testing"

	"ebb/cmd/ebb/deadletter"
)

func TestSelectionReadsNoMoreThanItTakes(t *testing.T) {
	s := deadletter.Selection{DLQ: deadletter.Span{Partition: 1, From: 7, To: 7}}
	if from, end := s.Within(1, 3, 20); from != 7 || end != 8 {
		t.Errorf("reads from %d to %d", from, end)
	}
	if from, end := s.Within(0, 3, 20); from != end {
		t.Errorf("reads from %d to %d of another partition", from, end)
	}
	s.DLQ.To = math.MaxInt64
	if from, end := s.Within(1, 3, 20); from != 7 || end != 20 {
		t.Errorf("reads an open span from %d to %d", from, end)
	}
	s.DLQ.Partition = -1
	if from, end := s.Within(1, 3, 20); from != 3 || end != 20 {
		t.Errorf("reads from %d to %d of all", from, end)
	}
}
