// Package line folds the events of one partition: dedupe, clock, deadlines that are due, features, score, decision,
// outbox. Its decisions are a function of the records, the packs and the state that a takeover has read. It calls no
// service and reads no clock.
package line
