package line

import "ebb/scoring"

// Unraised is the reason for which nothing of an episode goes out whose beginning was withheld.
const Unraised = "unraised"

// withholdUnraised withholds what follows of an episode that was not raised in public, to its end.
func withholdUnraised(d *decided) string {
	kind := uint8(1) << d.Alert.Kind
	switch {
	case uint8(d.Customer.Withheld)&kind == 0:
		return ""
	case d.Alert.Transition == scoring.Raised: // another episode
		d.Customer.Withheld &^= 1 << d.Alert.Kind
		return ""
	case d.Alert.Transition == scoring.Recovered || d.Alert.Transition == scoring.Expired:
		d.Customer.Withheld &^= 1 << d.Alert.Kind
	}
	return Unraised
}
