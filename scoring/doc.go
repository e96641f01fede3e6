// Package scoring is what ebb knows about customers: the rolling profile, the core score with its terms, the deadline
// at which silence becomes a risk, the life cycle of an episode, and the alert.
//
// It is pure: values and event time in, values out; no clock, no I/O, no locks. The same inputs give the same bits on
// every processor.
package scoring
