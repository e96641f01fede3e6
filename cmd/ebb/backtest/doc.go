// Package backtest measures on an event log what the score is worth: how well it tells, at dates in the past, who would
// do nothing for a horizon, how honest its probabilities are, and how good the alerts raised on the way were, beside
// rules that need no training.
//
// The log passes through once, in order of time, as through one partition of the line: the same folding, the same
// deadlines, fired as of the newest event time. Memory is bounded by customers, not by events. docs/backtest.md defines
// every figure.
package backtest
