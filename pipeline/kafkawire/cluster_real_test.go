//go:build integration

package kafkawire_test

import (
	"testing"

	"ebb/pipeline/linetest/cluster"
)

// timestampTypes are those the cluster knows, and whether it is the broker that stamps.
var timestampTypes = map[string]bool{"CreateTime": false, "LogAppendTime": true}

// brokers is the real cluster that the environment names.
func brokers(t testing.TB) []string {
	t.Helper()
	return cluster.Brokers(t)
}
