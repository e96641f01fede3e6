// Package zone knows the time zones of the tz database, the same on every machine, and when it is too early or too late
// in one of them to write to somebody.
package zone
