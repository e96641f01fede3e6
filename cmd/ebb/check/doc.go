// Package check finds everything that would keep ebb from running, each with what to do about it, and tries what the
// records of a file would become.
package check
