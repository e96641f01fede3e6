// Package line folds the events of one partition: dedupe, clock, deadlines that are due, features, score, decision,
// outbox. What it decides is a function of the records, the packs and the state that a takeover has found; it holds no
// service and reads no clock.
package line
