// Package decode turns a record of the input into an event in normal form: Segment's messages, CloudEvents, ebb's own
// flat JSON, and any other JSON by a mapping. A decoder reuses its memory and belongs to one goroutine. It allocates
// nothing per event.
package decode
