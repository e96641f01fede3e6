// Package format is the bytes of what is published: alerts, quarantined records, packs and control records, and the
// marks of what was sent again from the DLQ. Quarantined records and marks are read back here too. How records get to a
// destination is package sinks'.
package format
