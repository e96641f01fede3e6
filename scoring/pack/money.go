package pack

// TakesMoney reports whether some feature takes the money of events of this type, on whatever condition.
func (k *Pack) TakesMoney(eventType []byte) bool {
	if len(eventType) >= len(k.signals) {
		return false
	}
	for i := range k.signals[len(eventType)] {
		if s := &k.signals[len(eventType)][i]; s.eventType == string(eventType) {
			return k.Money&s.any() != 0
		}
	}
	return false
}

// any has a bit for each of the pack's signals that an event of this type may be.
func (s *namedSignal) any() uint64 {
	all := s.Named
	for i := range s.conditional {
		all |= s.conditional[i].bit
	}
	return all
}

// buildMoney notes the signals of whose events money is summed, or those with money are counted.
func (k *Pack) buildMoney() {
	for i := range k.Features {
		if f := &k.Features[i]; f.IsMoney() || f.Priced {
			k.Money |= 1 << f.Of
		}
	}
}
