//go:build !integration

package cluster

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Session is the shortest that leaves room for a busy machine.
const Session = time.Second

// Brokers starts a cluster in the process.
func Brokers(t testing.TB) []string {
	t.Helper()
	return Fake(t).ListenAddrs()
}

// Fake is a cluster in the process, of which a test may ask for faults. It ends with the test.
func Fake(t testing.TB) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.GroupMinSessionTimeout(100*time.Millisecond),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
