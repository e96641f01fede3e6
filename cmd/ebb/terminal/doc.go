// Package terminal is the commands' input and output: a screen with colours, tables and bars for a person and plain
// lines elsewhere, and input that ends on Ctrl-C.
package terminal
