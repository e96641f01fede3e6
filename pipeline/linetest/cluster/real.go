//go:build integration

package cluster

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Session is the shortest that brokers allow by default.
const Session = 6 * time.Second

// Brokers is the real cluster that the environment names.
func Brokers(t testing.TB) []string {
	t.Helper()
	addrs := os.Getenv("EBB_TEST_KAFKA")
	if addrs == "" {
		t.Fatal("EBB_TEST_KAFKA names no broker")
	}
	return strings.Split(addrs, ",")
}
