//go:build integration

package webhook_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// session is the shortest that brokers allow by default.
const session = 6 * time.Second

// brokers is the real cluster that the environment names.
func brokers(t testing.TB) []string {
	t.Helper()
	addrs := os.Getenv("EBB_TEST_KAFKA")
	if addrs == "" {
		t.Fatal("EBB_TEST_KAFKA names no broker")
	}
	return strings.Split(addrs, ",")
}
