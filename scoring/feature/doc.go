// Package feature holds the features that a pack declares: how they are compiled to cells of state, how events are
// folded into them, what their values are at an instant or over a span, and when these may change without an event.
package feature
