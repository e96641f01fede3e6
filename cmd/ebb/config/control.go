package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// sharedControl is the topic of control records that all groups shared when it had no group's name.
const sharedControl = "ebb.control"

const controlSuffix = ".control"

// nameControl gives the topic of control records its default, which has the group's name: groups whose inputs have
// different numbers of partitions cannot share one. What a group wrote before stands in the shared one.
func (k *Kafka) nameControl() {
	own := defaultControl(k.Group)
	if k.Control == "" {
		k.Control = own
	}
	if k.Control == own && own != sharedControl {
		k.OldControl = sharedControl
	}
}

// defaultControl is the default for a group. What a topic's name cannot hold is written as bytes: _2f is a slash.
func defaultControl(group string) string {
	var b strings.Builder
	for _, c := range []byte(group) {
		if LegalTopic(string(c), 1) || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	name := b.String()
	if len(name)+len(controlSuffix) > MaxTopic {
		sum := sha256.Sum256([]byte(group))
		name = name[:MaxTopic/2] + "_" + hex.EncodeToString(sum[:8])
	}
	return name + controlSuffix
}

// AllControl are the topics that may hold the group's control records, that of new ones first.
func (k *Kafka) AllControl() []string {
	if k.OldControl == "" {
		return []string{k.Control}
	}
	return []string{k.Control, k.OldControl}
}
