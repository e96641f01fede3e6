// Package kafkabatch is Kafka's record batches of format 2: building and compressing them, and reading the committed
// records out of those that a broker answers with. Requests, answers and brokers are package kafkawire's.
//
// Reading is by hand, so that a record costs no allocation, and the aborted transactions and the markers are in our own
// sight.
package kafkabatch
