// Package kafkascan reads a stretch of a topic: the committed records of one partition, from an offset to an end.
// Alerts, dead letters, control records, packs and the newest events are all read by it.
//
// The end is an offset, and a scan is over when it stands there. An empty answer is no end: a leader that was just
// elected answers empty until it has heard how far the others are, a throttled broker answers empty, and so does one
// that holds back what lies behind an open transaction. The offset comes from the brokers before the scan begins:
// kafkawire.Client.Bounds names the end of the log, kafkawire.Client.StableEnd the end of what readers of committed
// records get now.
package kafkascan
