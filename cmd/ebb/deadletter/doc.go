// Package deadletter reads the DLQ of an input, counts what is in it, and sends it to the input again, each record
// once.
package deadletter
