// Package packs summarises what a pack declares, compares what two packs declare and decide, and tries whether one
// runs.
package packs
