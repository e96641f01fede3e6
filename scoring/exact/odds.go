package exact

// Sigmoid is the probability of log-odds.
func Sigmoid(x float64) float64 { return 1 / (1 + Exp(-x)) }

// Logit is the log-odds of a probability.
func Logit(p float64) float64 { return Log(p / (1 - p)) }
