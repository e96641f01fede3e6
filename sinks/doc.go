// Package sinks is where what was decided goes. The Kafka sink publishes alerts and quarantined records in one
// transaction with the input offset that they belong to.
package sinks
