package line

import (
	"ebb/pipeline"
	"ebb/scoring"
)

// InHistory is the reason of a decision that follows from history alone: from records that were there when the group first
// started, or that were sent as a backfill.
const InHistory = "history"

// withholdHistory holds what the history of a first start raises. Of what a backfilled record alone has caused it
// withholds what asks somebody to act; what ends or lowers an episode passes, since its raise was published.
func withholdHistory(d *decided) string {
	raised := d.Alert.Transition == scoring.Raised
	switch {
	case !d.Meta.First.Raises():
		if raised {
			d.Hold = pipeline.HeldHistory
		}
		return InHistory
	case d.Backfill && d.Alert.Transition.Asks():
		return InHistory
	}
	return ""
}
