package pipeline

import (
	"math"
	"testing"
)

// A replay that began in the middle of the log takes over the published clock. The deadlines that it has armed itself
// must still be swept, so they may not count as fired. Where it has armed none, everything published is done.
func TestReach(t *testing.T) {
	at := func(hours int64) Due { return Due{Minute: hours * 60, Hash: math.MaxUint64} }
	mark := Mark{Watermark: 150 * HourMillis, Fired: at(150)}
	for name, c := range map[string]struct {
		replayed []int64 // hours
		mark     Mark
		want     Clock
	}{
		"without a record": {nil, mark, Clock{Started: true, Watermark: mark.Watermark, Fired: at(150)}},
		"after one, not started": {
			[]int64{120},
			mark,
			Clock{Started: true, Watermark: mark.Watermark, Fired: at(120)},
		},
		"after one ahead of what is fired": {
			[]int64{900},
			mark,
			Clock{Started: true, Watermark: mark.Watermark, Fired: at(150)},
		},
		"of a mark that was not started": {nil, Mark{}, Clock{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got Clock
			for _, hours := range c.replayed {
				got.Observe(1, hours*HourMillis, 0, false, 0)
			}
			got.Reach(&c.mark)
			if got.Started != c.want.Started || got.Watermark != c.want.Watermark || got.Fired != c.want.Fired ||
				got.Start != (Start{}) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
