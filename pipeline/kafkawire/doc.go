// Package kafkawire speaks Kafka's protocol on the connections of kafka-go.
//
// kafka-go's Transport dials, does TLS and SASL, follows the cluster's layout and pools connections. The messages are
// ours: encoded by kmsg, and for Fetch by hand, so that the bounds of the log are in our own sight. The record batches
// inside them are package kafkabatch's. What a message means for the owner of a partition is said in the classes of
// package pipeline: every error here is one of ErrUnavailable, ErrFenced and ErrOutOfRange, or a *pipeline.HardStop.
//
// Transactions come in two kinds. Version 2 (KIP-890) is used where the cluster has finalized transaction.version 2:
// each transaction has an epoch of its own, so that a request that arrives late cannot touch the next one. Elsewhere
// version 1 is used, where the same hazard is met by starting the producer anew after every unclear answer.
package kafkawire
