// Package scoring says what an event, or a moment without one, does to a customer: what a Scorer decides by a pack, how
// episodes open, change and end, and how a customer is carried over from one pack to another.
//
// It and the packages below it are pure: values and event time in, values out; no clock, no I/O, no locks. The same
// inputs give the same bits on every processor. Imports run one way:
//
//	exact, moment, encode   numbers, times and bytes
//	profile                 a customer's rolling state, and its codec
//	feature                 declared features: state, reading, edges
//	model                   the score, and the search for the minute at which it reaches a tier
//	pack                    the pack language
//	scoring                 decisions
//	alert                   what is published
package scoring
