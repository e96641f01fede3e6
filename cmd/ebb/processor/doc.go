// Package processor is one working member of the group: clients, membership, a worker for each partition it owns, the
// shadows beside it, and health and metrics.
package processor
