package processor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline/worker"
)

// TestLagIsKnown: a lag is shown where it is known, and never as none for want of an answer.
func TestLagIsKnown(t *testing.T) {
	for _, c := range []struct {
		name  string
		phase worker.Phase
		at    worker.Progress
		want  *int64
	}{
		{"stopped at the takeover", worker.Stopped, worker.Progress{}, nil},
		{"before the first fetch", worker.Running, worker.Progress{Next: 12}, nil},
		{"at the end", worker.Running, worker.Progress{Next: 12, End: 12, Told: true}, new(int64(0))},
		{"empty", worker.Running, worker.Progress{Told: true}, new(int64(0))},
		{"behind", worker.Stalled, worker.Progress{Next: 12, End: 15, Told: true}, new(int64(3))},
		{"waits, was behind", worker.Waiting, worker.Progress{Next: 12, End: 15, Told: true}, new(int64(3))},
		{"waits, was at the end", worker.Waiting, worker.Progress{Next: 12, End: 12, Told: true}, nil},
		{"stopped, was at the end", worker.Stopped, worker.Progress{Next: 12, End: 12, Told: true}, nil},
	} {
		if diff := cmp.Diff(c.want, lag(c.phase, &c.at)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}
