package main

import "ebb/cmd/ebb/backtest"

// backtestOutcome is the report, and how the run went.
type backtestOutcome struct {
	*backtest.Report
	Log     string  `json:"log"`
	Skipped int64   `json:"skipped"` // lines that could not be used
	Seconds float64 `json:"seconds"`
	MiB     int64   `json:"memory_mib"` // taken from the system
}
