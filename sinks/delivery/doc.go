// Package delivery sends published alerts on to a destination outside Kafka, such as a webhook.
//
// A lane delivers the alerts of one partition of the alert topic, one after the other: all alerts of a customer are in
// one partition, so they arrive in order. Each is sent until the destination has taken it, for ever, and stalls its lane
// meanwhile. Only an alert whose expires_at has passed is given up: it goes to the topic of dead letters, in the
// transaction that moves the group's offset past it. The offset never passes an alert that is neither delivered nor a
// dead letter. After a crash the newest deliveries are repeated, under the same ids.
package delivery
