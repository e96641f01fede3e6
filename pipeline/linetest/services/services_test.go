//go:build integration

package services

import (
	"strings"
	"testing"
)

// TestClusterIDIsNoOption: a broker whose cluster id begins with "-" does not start.
func TestClusterIDIsNoOption(t *testing.T) {
	for range 2000 {
		if id := KafkaSettings()["CLUSTER_ID"]; len(id) != 22 || strings.HasPrefix(id, "-") {
			t.Fatalf("cluster id %q", id)
		}
	}
}
