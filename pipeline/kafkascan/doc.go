// Package kafkascan reads a stretch of a topic: the committed records of one partition, from an offset to an end. It
// reads alerts, dead letters, control records, packs and the newest events.
//
// The end is an offset, and a scan is over when it has reached it. An answer without records is no end: a newly elected
// leader answers so until it has its followers' positions, and so do a throttled broker and one with an open
// transaction in front of the records. The offset comes from the brokers before the scan begins:
// kafkawire.Client.Bounds is the end of the log, kafkawire.Client.StableEnd the end of what readers of committed
// records get now.
package kafkascan
