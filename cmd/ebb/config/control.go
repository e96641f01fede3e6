package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// sharedControl is the topic of control records that all groups shared when it had no group's name.
const sharedControl = "ebb.control"

// Suffixes of the topics that have the group's name.
const (
	controlSuffix   = ".control"
	decisionsSuffix = ".decisions"
)

// nameOwn gives the topics of control records and of decisions their defaults, which have the group's name: groups whose
// inputs have different numbers of partitions cannot share one. What a group wrote before stands in the shared one.
func (k *Kafka) nameOwn() {
	own := topicOf(k.Group, controlSuffix)
	if k.Control == "" {
		k.Control = own
	}
	if k.Control == own && own != sharedControl {
		k.OldControl = sharedControl
	}
	if k.Decisions == "" {
		k.Decisions = topicOf(k.Group, decisionsSuffix)
	}
}

// topicOf is a group's topic with a suffix. What a topic's name cannot hold is written as bytes: _2f is a slash.
func topicOf(group, suffix string) string {
	var b strings.Builder
	for _, c := range []byte(group) {
		if LegalTopic(string(c), 1) || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	name := b.String()
	if len(name)+len(suffix) > MaxTopic {
		sum := sha256.Sum256([]byte(group))
		name = name[:MaxTopic/2] + "_" + hex.EncodeToString(sum[:8])
	}
	return name + suffix
}

// AllControl are the topics that may hold the group's control records, that of new ones first.
func (k *Kafka) AllControl() []string {
	if k.OldControl == "" {
		return []string{k.Control}
	}
	return []string{k.Control, k.OldControl}
}
