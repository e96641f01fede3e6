// Package scoringtest holds what tests of several packages share: customers with histories, drawn packs and events.
package scoringtest
