package feature

// Known reports whether a customer's state holds anything of a feature: an event that it counts has come, however long
// ago. Unlike a value's OK it does not depend on time, nor on what the pack declares for a customer without such
// events. A ratio is known where its denominator is.
func (f *Set) Known(state []byte, i int) bool {
	switch d := &f.list[i]; d.kind {
	case Ratio:
		return f.Known(state, d.to)
	case Tenure:
		return true
	default:
		return len(cellOf(state, d.cell)) > 0
	}
}

// HoldsMoney reports whether a state holds money, or a count of events with money.
func (f *Set) HoldsMoney(state []byte) bool {
	for at := 0; at < len(state); {
		c := &f.cells[state[at]]
		if c.Priced || c.Kind == cellSums && c.Property < 0 {
			return true
		}
		_, at = payload(state, at)
	}
	return false
}
