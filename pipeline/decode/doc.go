// Package decode turns a record of the input into an event in normal form: Segment's messages, CloudEvents, ebb's own
// flat JSON, and any other JSON by a mapping. A decoder keeps its memory and belongs to one goroutine; nothing is
// allocated per event.
package decode
