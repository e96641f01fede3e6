// Package model is the score: terms of the core, factors and stages in log-odds, their calibration by the stream's own
// outcomes, and the search for the minute at which a silent customer reaches a tier. It uses numbers alone and reads no
// pack.
package model
