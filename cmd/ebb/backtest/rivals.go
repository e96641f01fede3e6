package backtest

// Names of what is compared, in the order of the tables.
const (
	nameEbb     = "ebb"
	nameRecency = "recency"
	nameRFM     = "rfm"
	nameSilent  = "silent_30d"
	nameThird   = "silent_third"
)

// silentAfter is the fixed rule's limit: it alerts a customer after this long without activity, ms.
const silentAfter = 30 * millisPerDay

// contender is a score to rank customers by.
type contender struct {
	name   string
	scores []float64
}

// contenders are ebb's score and those of the other rules, for the same customers.
func (s *snapshot) contenders() []contender {
	return []contender{
		{nameEbb, s.scores()},
		{nameRecency, column(s, func(r *row) float64 { return float64(s.at - r.last) })},
		{nameRFM, s.rfm()},
		{nameSilent, column(s, func(r *row) float64 {
			if s.at-r.last > silentAfter {
				return 1
			}
			return 0
		})},
	}
}

// rfm is the rank sum: how low customers rank in recency, frequency (days with activity) and money (the value of all
// activity).
func (s *snapshot) rfm() []float64 {
	return rankSum(
		column(s, func(r *row) float64 { return -float64(r.last) }),
		column(s, func(r *row) float64 { return -float64(r.days) }),
		column(s, func(r *row) float64 { return -r.value }),
	)
}

// rankSum adds up the ranks of several values.
func rankSum(values ...[]float64) []float64 {
	sum := make([]float64, len(values[0]))
	for _, v := range values {
		for i, rank := range ranks(v) {
			sum[i] += rank
		}
	}
	return sum
}
