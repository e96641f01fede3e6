// Package model is the score: terms of the core, factors and stages in log-odds, their calibration by what the stream
// teaches, and the search for the minute at which a silent customer reaches a tier. It is numbers alone and reads no
// pack.
package model
