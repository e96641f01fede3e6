package line

import (
	"ebb/pipeline"
	"ebb/scoring"
)

// InBudget is the reason of a raise that waits for the budget of its lane, or has waited for it until it was out of date.
const InBudget = "budget"

// withholdBudget holds each raise of a lane with a budget, to the end of its hour of event time at least: what goes out is
// decided between all that waits, the most important first. One that is released may have become one of another lane.
func withholdBudget(d *decided) string {
	if len(d.Budgets) == 0 || d.Alert.Transition != scoring.Raised {
		return ""
	}
	lane := d.lane()
	if lane == "" || d.Was.Reason == pipeline.HeldBudget && d.Was.Lane == lane {
		return ""
	}
	d.Hold, d.Lane, d.Review = pipeline.HeldBudget, lane, (pipeline.FloorDiv(d.Alert.At, pipeline.HourMillis)+1)*hour
	return InBudget
}

// lane is the one whose budget a decision spends: its owner's, else that of its intent; empty: it spends none.
func (d *decided) lane() string {
	if d.Alert.Play == 0 {
		return ""
	}
	play := d.Pack.Play(d.Alert.Play)
	for _, lane := range [...]string{play.Owner, play.Intent} {
		if d.Budgets.Of(lane) != nil {
			return lane
		}
	}
	return ""
}
