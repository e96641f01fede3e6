package feature

// Curve is what a feature adds to the score, by its value: its points in the order of their values, at least
// one.
type Curve []CurvePoint

// CurvePoint is a point of a curve.
type CurvePoint struct {
	Value   int64   // of the feature
	LogOdds float64 // added at this value
}

// Add is what a value adds to the score: straight lines between the points, level beyond them.
func (c Curve) Add(v int64) float64 {
	if v <= c[0].Value {
		return c[0].LogOdds
	}
	for i := 1; i < len(c); i++ {
		if a, b := &c[i-1], &c[i]; v <= b.Value {
			share := float64(v-a.Value) / float64(b.Value-a.Value)
			return a.LogOdds + float64(share*(b.LogOdds-a.LogOdds))
		}
	}
	return c[len(c)-1].LogOdds
}

// above is the least value beyond v at which the curve may differ from its value at v; never: there is none.
func (c Curve) above(v int64) int64 {
	for i := 1; i < len(c); i++ {
		if a, b := &c[i-1], &c[i]; v < b.Value && a.LogOdds != b.LogOdds {
			return max(v, a.Value) + 1
		}
	}
	return never
}

// Most is the greatest that any value from least to most adds.
func (c Curve) Most(least, most int64) float64 {
	top := max(c.Add(least), c.Add(most))
	for i := range c {
		if p := &c[i]; p.Value > least && p.Value < most {
			top = max(top, p.LogOdds)
		}
	}
	return top
}
