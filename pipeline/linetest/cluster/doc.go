// Package cluster is the Kafka of tests that run in the process by default, and on a real one under the tag integration.
package cluster
