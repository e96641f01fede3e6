// Package breakable runs what the chaos test breaks: a Kafka broker and two Redis nodes as plain processes, which are
// killed, replaced by an older copy or failed over, and the links before them, which cut, delay, swallow and lose.
package breakable
