package feature

// Event is one event in the form that features read.
type Event struct {
	Time       int64  // event time, ms since the epoch, between 1971 and 2200
	Set        uint64 // a bit for each signal that the event is
	Value      int64  // money in minor units
	HasValue   bool
	Properties []Property // by index; missing ones may be left out at the end
}

// property is the property of that index.
func (o *Event) property(i int) Property {
	if i < len(o.Properties) {
		return o.Properties[i]
	}
	return Property{}
}

// is reports whether the event is the signal.
func (o *Event) is(signal int) bool { return o.Set>>signal&1 != 0 }
