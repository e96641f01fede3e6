package kafkasource_test

import (
	"errors"
	"testing"

	"ebb/pipeline"
)

// TestMembersFormat upgrades a group member by member, each within its session, and takes one back: a generation's
// format is the newest that all of its members support.
func TestMembersFormat(t *testing.T) {
	w := newWorld(t, 4)
	format := func(members ...*running) func(want int) {
		return func(want int) {
			t.Helper()
			eventually(t, "all write the format", func() bool {
				for _, m := range members {
					if g := m.latest.Load(); g == nil || g.Format != want {
						return false
					}
				}
				return true
			})
			for _, g := range settle(t, 4, members...) {
				if g.Format != want {
					t.Errorf("%s writes format %d, want %d", g.Instance, g.Format, want)
				}
			}
		}
	}
	restart := func(m *running, formats ...int) *running {
		t.Helper()
		m.Drain()
		if err := await(t, m.ended, "end"); err != nil {
			t.Fatal(err)
		}
		return w.startWith(m.config.Instance, nil, nil, formats...)
	}
	a, b := w.startWith("a", nil, nil, 1), w.startWith("b", nil, nil, 1)
	format(a, b)(1)
	a = restart(a, 2, 1)
	format(a, b)(1)
	b = restart(b, 2, 1)
	format(a, b)(2)
	b = restart(b, 1)
	format(a, b)(1)
}

// TestMembersWithoutCommonFormat: a member without a format of the others gets an error, and they go on.
func TestMembersWithoutCommonFormat(t *testing.T) {
	w := newWorld(t, 2)
	a := w.startWith("a", nil, nil, 3, 2)
	settle(t, 2, a)
	b := w.startWith("b", nil, nil, 1)
	err := await(t, b.ended, "end")
	if hard := new(pipeline.HardStop); !errors.As(err, &hard) || hard.Code != "group_taken" {
		t.Errorf("ended by %v", err)
	}
	settle(t, 2, a)
}
