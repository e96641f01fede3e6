package redisstore

// PartitionPattern matches the keys of one partition.
func PartitionPattern(group string, partition int) string { return keysOf(group, partition).tag + "*" }

// MetaKey is the name of a partition's meta key.
func MetaKey(group string, partition int) string { return keysOf(group, partition).meta }

// DueKey is the name of a due bucket.
func DueKey(group string, partition int, bucket int64) string {
	k := keysOf(group, partition)
	return k.due(bucket)
}

// GroupPattern matches the keys of all partitions.
func GroupPattern(group string) string { return groupTag(group) + "*" }
