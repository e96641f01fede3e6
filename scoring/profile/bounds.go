package profile

// Cells of the table.

const (
	ScoreCells = 64
)

const (
	lnWeek = 0x1.f2272ae325a57p+00 // ln 7, the mean ln(gap) before there is any data

	// Bounds that no data reaches; they keep the elementary functions far from overflow.
	MaxFriction   = 1e9
	maxWeight     = 10.5 // the sum of forget^n is 10
	MaxLevel      = 64.0 // a spell each 1/48 of its time constant makes 48.5
	maxM2         = 1e4
	MaxLnGap      = 12.0 // e^12 days are 445 years
	MinRegularity = 1.0 / 1024
	MaxRegularity = 16.0
)
