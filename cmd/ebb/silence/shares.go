package silence

// Share is how many silences of a certain length lasted a horizon more.
type Share struct{ Gone, All int }

// Of is the share; of nothing it is 0.
func (s Share) Of() float64 {
	if s.All == 0 {
		return 0
	}
	return float64(s.Gone) / float64(s.All)
}

// Shares count, by class and by how long somebody has been silent, who is not back within a horizon more.
type Shares struct {
	Horizon   int64   // ms
	From, End int64   // of the silences that count: not begun before From, their outcome known at End
	Lengths   []int64 // ms

	counts [Classes][]Share
}

// Add takes a silence.
func (s *Shares) Add(one Silence) {
	counts := &s.counts[one.Class(s.Horizon)]
	if *counts == nil {
		*counts = make([]Share, len(s.Lengths))
	}
	for i, length := range s.Lengths {
		if one.Start < s.From || one.Start+length+s.Horizon > s.End || !one.Lasts(length) {
			continue
		}
		(*counts)[i].All++
		if one.Lasts(length + s.Horizon) {
			(*counts)[i].Gone++
		}
	}
}

// Of are the shares of a class, one for each length.
func (s *Shares) Of(c Class) []Share {
	if s.counts[c] == nil {
		return make([]Share, len(s.Lengths))
	}
	return s.counts[c]
}
