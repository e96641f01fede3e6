package line

import (
	"ebb/scoring"
	"ebb/scoring/profile"
)

// Unraised is the reason of a decision in an episode whose beginning was withheld.
const Unraised = "unraised"

// withholdUnraised withholds all decisions of an episode whose raise did not go out, to its end and beyond: it may
// convert after that.
func withholdUnraised(d *decided) string {
	kind := uint8(1) << d.Alert.Kind
	switch {
	case uint8(d.Customer.Withheld)&kind == 0:
		return ""
	case d.Alert.Transition == scoring.Raised: // another episode
		d.Customer.Withheld &^= 1 << d.Alert.Kind
		return ""
	case d.Alert.Kind == profile.Lapse && d.Pack.Converts != 0 &&
		(d.Alert.Transition == scoring.Recovered || d.Alert.Transition == scoring.Churned):
		// it may still convert, perhaps by the same event, which is withheld too; the next raise begins anew
	case d.Alert.Transition == scoring.Recovered,
		d.Alert.Transition == scoring.Churned,
		d.Alert.Transition == scoring.Corrected,
		d.Alert.Transition == scoring.Expired:
		d.Customer.Withheld &^= 1 << d.Alert.Kind
	}
	return Unraised
}
