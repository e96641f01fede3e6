// Package pipeline is the line from a customer's event to an alert: decode, dedupe, features, score, decide,
// outbox, commit, publish.
//
// # The guarantee
//
// Every input record takes effect once in the state, and every alert is published once to readers of committed
// data, each with a stable id.
//
// It holds under kill -9, rebalance, broker restart, Redis restart and a Redis failover that loses acknowledged
// writes, as long as the input still holds the records that were lost with it.
//
// # How it holds
//
// One goroutine owns one partition. All changes of a batch are written to the [Store] in one atomic commit, conditional
// on the token of the commit before: profiles, deadlines, outbox and the position of the next record. The outbox is
// published to Kafka in one transaction together with the input offset it covers. After any failure there is one way
// back: the takeover (see [Protocol]), which fences every earlier owner, reads both positions and reconciles them.
//
// The package imports no Kafka and no Redis client. [Store] and [Log] are its two borders.
package pipeline
