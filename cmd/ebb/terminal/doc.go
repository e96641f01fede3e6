// Package terminal is what commands write to and read from: a screen with colours, tables and bars where a person
// looks, plain lines elsewhere, and input that Ctrl-C does not wait for.
package terminal
