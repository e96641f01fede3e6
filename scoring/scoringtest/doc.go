// Package scoringtest holds the shared parts of several packages' tests: customers with histories, drawn packs and
// events.
package scoringtest
