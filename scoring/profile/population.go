package profile

import (
	"ebb/scoring/exact"
	"ebb/scoring/moment"
)

// Population describes a customer without history: running moments of ln(gap in days), fading with time constant 4
// horizons of event time, so that they mean the same however many partitions share the customers. Only the first three
// gaps of a customer count towards Mean and Total, so that heavy users do not define what is normal. The zero value is
// without data.
type Population struct {
	N      float64 // weight behind Mean and Total
	NAt    int64   // event time that N refers to, ms since the epoch
	Mean   float64 // of ln(gap)
	Total  float64 // variance of ln(gap), all customers together
	NGaps  float64 // weight behind Within
	GapsAt int64   // event time that NGaps refers to, ms since the epoch
	Within float64 // variance of ln(gap) around a customer's own mean
}

const (
	enoughGaps  = 10   // weight below which moments are not used
	minVariance = 0.05 // of either kind
)

// Moments are the mean of ln(gap), its variance within a customer and between customers. Without enough gaps they are
// those of a week, 1 and 1.
func (p *Population) Moments() (mean, within, between float64) {
	mean, within, between = lnWeek, 1, 1
	if p.NGaps >= enoughGaps {
		within = max(p.Within, minVariance)
	}
	if p.N >= enoughGaps {
		mean, between = p.Mean, max(p.Total-within, minVariance)
	}
	return mean, within, between
}

// FirstGap folds one of a customer's first three gaps, x = ln(days), that ended at t.
func (p *Population) FirstGap(x float64, t int64, fade float64) {
	p.N = Faded(p.N, t-p.NAt, fade) + 1
	p.NAt = max(p.NAt, t)
	d := x - p.Mean
	p.Mean += d / p.N
	p.Total += (float64(d*(x-p.Mean)) - p.Total) / p.N
}

// Surprise folds a gap at distance d from its customer's mean so far, which has weight w.
func (p *Population) Surprise(d, w float64, t int64, fade float64) {
	p.NGaps = Faded(p.NGaps, t-p.GapsAt, fade) + 1
	p.GapsAt = max(p.GapsAt, t)
	p.Within += (float64(d*d*w)/(w+1) - p.Within) / p.NGaps
}

// Faded is v after ms, with a time constant in days.
func Faded(v float64, ms int64, constant float64) float64 {
	if ms <= 0 || v == 0 {
		return v
	}
	return float64(v * exact.Exp(-moment.Days(ms)/constant))
}
