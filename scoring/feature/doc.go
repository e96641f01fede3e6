// Package feature holds the features that a pack declares: how they are compiled to cells of state, how events are
// folded into them, what they say at an instant or over a span, and when that may change without an event.
package feature
