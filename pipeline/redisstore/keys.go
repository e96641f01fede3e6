package redisstore

import (
	"net/url"
	"strconv"
	"strings"
)

// keys are the names of one partition's keys. The group is percent-encoded, which keeps different groups apart, and
// leaves no brace to end the hash tag early and no character that is special in a pattern of SCAN.
type keys struct {
	tag      string // "ebb:{group:pN}:"
	meta     string
	profiles string
	outbox   string
	packs    string
	held     string
	asked    string
}

func keysOf(group string, partition int) keys {
	tag := groupTag(group) + strconv.Itoa(partition) + "}:"
	return keys{
		tag: tag, meta: tag + "meta", profiles: tag + "profiles", outbox: tag + "outbox", packs: tag + "packs",
		held: tag + "held", asked: tag + "asked",
	}
}

// due is the key of a due bucket; bucket may be negative.
func (k *keys) due(bucket int64) string { return k.tag + "due:" + strconv.FormatInt(bucket, 10) }

// groupTag is the prefix of the keys of every partition of a group.
func groupTag(group string) string { return "ebb:{" + url.PathEscape(group) + ":p" }

// partitionOf is the partition in a key of the group; ok is false for a key that is not ebb's.
func partitionOf(group, key string) (partition int, ok bool) {
	rest, ok := strings.CutPrefix(key, groupTag(group))
	if !ok {
		return 0, false
	}
	digits, _, ok := strings.Cut(rest, "}:")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == digits
}
