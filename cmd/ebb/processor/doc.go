// Package processor is one member of the group at work: clients, membership, a worker for each partition that it owns,
// the shadows beside it, and health and metrics for whoever watches it.
package processor
