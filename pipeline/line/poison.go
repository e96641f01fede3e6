package line

import (
	"fmt"

	"ebb/pipeline"
)

// breaker stops a partition with too many unusable records, before all of its input goes to the DLQ.
type breaker struct {
	limit  int   // of the window's records; 0: none
	passed int64 // records below this offset pass: they were published before, or a person has accepted them
}

// breakerLimit is how many unusable records of the window a share allows; 0: any number.
func breakerLimit(share float64) int {
	if share <= 0 || share >= 1 {
		return 0
	}
	return max(1, int(share*pipeline.PoisonWindow+1e-9)) // 0.57 times 1,000 is less than 570
}

// admit counts a record, unless it is an unusable one over the limit. That record is not folded: the committed records
// end before it, and so each later owner stops at it again. Errors: *HardStop.
func (l *Line) admit(e *pipeline.Event) error {
	bad := e.Code != pipeline.Usable
	if bad && l.breaker.limit > 0 && e.Offset >= l.breaker.passed {
		if n := l.meta.Poison.With(); n > l.breaker.limit {
			return l.identity.Stop(
				"input_poisoned",
				fmt.Sprintf(
					"%d of the last %d records up to offset %d cannot be used, this one because of %s",
					n,
					pipeline.PoisonWindow,
					e.Offset,
					e.Code,
				),
				"mend what sends them; ebb dlq list and show list what came before. To go on past all that is in the input now: "+
					"ebb run --accept-poison",
			)
		}
	}
	l.meta.Poison.Add(bad)
	return nil
}
