// Package scoring determines the effect of an event, or of a moment without one, on a customer: what a Scorer decides
// by a pack, how episodes open, change and end, and how a customer moves from one pack to another.
//
// It and the packages below it are pure: values and event time in, values out, without clock, I/O or locks. The same
// inputs give the same bits on every processor. Imports go one way:
//
//	exact, moment, encode   numbers, times and bytes
//	profile                 a customer's rolling state, and its codec
//	feature                 declared features: state, reading, edges
//	model                   the score, and the search for the minute at which it reaches a tier
//	pack                    the pack language
//	scoring                 decisions
//	alert                   the published alert
package scoring
