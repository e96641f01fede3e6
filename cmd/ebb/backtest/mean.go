package backtest

import "math"

// mean is the mean of the dates' figures. Dates without the figure do not count.
func mean(dates []*Date) Mean {
	var m Mean
	if len(dates) == 0 {
		return m
	}
	over := func(of func(*Date) Figure) Figure {
		sum, n := 0.0, 0
		for _, d := range dates {
			if f := of(d); f.Known() {
				sum += float64(f)
				n++
			}
		}
		if n == 0 {
			return Figure(math.NaN())
		}
		return Figure(sum / float64(n))
	}
	for i, s := range dates[0].Scores {
		m.Scores = append(m.Scores, ScoreMean{
			Name:             s.Name,
			AUC:              over(func(d *Date) Figure { return d.Scores[i].AUC }),
			AveragePrecision: over(func(d *Date) Figure { return d.Scores[i].AveragePrecision }),
			TopTenth:         over(func(d *Date) Figure { return d.Scores[i].TopTenth }),
		})
	}
	for i, w := range dates[0].Without {
		m.Without = append(m.Without, Without{w.Term, over(func(d *Date) Figure { return d.Without[i].AUC })})
	}
	honesty := func(of func(*Date) *Honesty) Honesty {
		return Honesty{over(func(d *Date) Figure { return of(d).Brier }), over(func(d *Date) Figure { return of(d).Error })}
	}
	m.Probabilities = MeanHonesty{
		Cold:           honesty(func(d *Date) *Honesty { return &d.Probabilities.Cold }),
		SelfCalibrated: honesty(func(d *Date) *Honesty { return &d.Probabilities.SelfCalibrated }),
	}
	return m
}
