// Package kafkasource is the input side of a partition: membership of the consumer group, which decides which
// partitions this process owns and for how long, and the reading of one partition.
package kafkasource
