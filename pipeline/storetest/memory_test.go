package storetest_test

import (
	"errors"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	m, n := storetest.NewMemory(), 0
	storetest.Run(t, func(*testing.T) storetest.Harness {
		n++
		partition := n
		return storetest.Harness{
			Open: func(*testing.T) pipeline.Store { return m.Partition(partition) },
			Cut:  func(*testing.T) { m.Cut(partition) },
			Copy: func(*testing.T) func() { return m.Copy(partition) },
		}
	})
}

func TestMemoryFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault storetest.Fault
		want  int64 // next offset that the store holds afterwards
	}{
		{"lost on the way", storetest.Lost, 1},
		{"applied but unanswered", storetest.Unanswered, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := storetest.NewMemory()
			s := m.Partition(0)
			if _, err := s.Claim(t.Context(), pipeline.Token{1}); err != nil {
				t.Fatal(err)
			}
			commit := func(previous, token byte, next int64) error {
				return s.Commit(t.Context(), &pipeline.Commit{
					Previous: pipeline.Token{
						previous,
					},
					Token: pipeline.Token{token},
					Meta:  pipeline.Meta{Version: pipeline.MetaVersion, Next: next},
				})
			}
			if err := commit(1, 2, 1); err != nil {
				t.Fatal(err)
			}
			m.Inject(func(_ int, op storetest.Op) storetest.Fault {
				if op == storetest.OpCommit {
					return c.fault
				}
				return storetest.NoFault
			})
			if err := commit(2, 3, 2); !errors.Is(err, pipeline.ErrUnavailable) {
				t.Fatalf("got error %v", err)
			}
			m.Inject(nil)
			if err := commit(2, 4, 3); !errors.Is(err, pipeline.ErrUnavailable) {
				t.Fatalf("without a claim: got error %v", err)
			}
			found, err := s.Claim(t.Context(), pipeline.Token{5})
			if err != nil || found.Meta.Next != c.want {
				t.Fatalf("claim found next %d (%v), want %d", found.Meta.Next, err, c.want)
			}
		})
	}
}

func TestMemoryEmptied(t *testing.T) {
	m := storetest.NewMemory()
	s := m.Partition(0)
	if _, err := s.Claim(t.Context(), pipeline.Token{1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), &pipeline.Commit{Previous: pipeline.Token{1}, Token: pipeline.Token{2}}); err != nil {
		t.Fatal(err)
	}
	m.Empty(0)
	if err := s.Commit(t.Context(), &pipeline.Commit{Previous: pipeline.Token{2}, Token: pipeline.Token{3}}); err == nil {
		t.Fatal("committed on top of what is gone")
	}
	found, err := s.Claim(t.Context(), pipeline.Token{4})
	if err != nil || found.Exists {
		t.Fatalf("claim found %+v (%v), want nothing", found, err)
	}
}
