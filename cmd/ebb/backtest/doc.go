// Package backtest measures on an event log what the score is worth: how well it separates, at dates in the past, the
// customers who would be silent for a horizon; how well its probabilities match what happened; and how good its alerts
// were, compared with rules that need no training.
//
// The log is read once, in order of time, like one partition of the line: with the same folding and the same deadlines,
// fired as of the newest event time. Memory is bounded by customers, not by events. docs/backtest.md defines every
// figure.
package backtest
