// Package demo runs the whole line inside the process, on a simulated shop or a log, and shows alerts as they are
// raised.
package demo
