// Package worker owns a partition: it takes it over, fetches ahead of the line, commits what the line has staged,
// publishes what was committed, and after any failure starts again with a takeover.
package worker
