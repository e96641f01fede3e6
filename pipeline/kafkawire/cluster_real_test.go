//go:build integration

package kafkawire_test

import (
	"os"
	"strings"
	"testing"
)

// timestampTypes are those the cluster knows, and whether it is the broker that stamps.
var timestampTypes = map[string]bool{"CreateTime": false, "LogAppendTime": true}

// brokers is the real cluster that the environment names.
func brokers(t testing.TB) []string {
	t.Helper()
	addrs := os.Getenv("EBB_TEST_KAFKA")
	if addrs == "" {
		t.Fatal("EBB_TEST_KAFKA names no broker")
	}
	return strings.Split(addrs, ",")
}
