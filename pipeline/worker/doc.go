// Package worker owns a partition: it takes it over, fetches ahead of the line, commits what the line has staged,
// publishes what was committed, and starts anew with a takeover after whatever goes wrong.
package worker
