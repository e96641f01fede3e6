// Package silences judges alerts that say that a customer leaves. It follows every silence of a log, from one activity to
// the next, and counts, for several rules at once, which silences a rule alerted in, when, and what became of the
// customer. docs/backtest.md defines every figure.
//
// Times are in ms since the epoch, spans in ms. Memory grows with customers and with silences longer than a horizon, of
// which a customer has few.
package silences
