//go:build !integration

package webhook_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// session is the shortest that leaves room for a busy machine.
const session = time.Second

// brokers starts a cluster in the process. The same tests run on a real one under the tag integration.
func brokers(t testing.TB) []string {
	t.Helper()
	return fake(t).ListenAddrs()
}

func fake(t testing.TB) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.GroupMinSessionTimeout(100*time.Millisecond),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
