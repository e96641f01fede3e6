//go:build !integration

package kafkasource_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// brokers starts a cluster in the process. The same tests run on a real one under the tag integration.
func brokers(t testing.TB) []string {
	t.Helper()
	return fake(t).ListenAddrs()
}

func fake(t testing.TB) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.GroupMinSessionTimeout(100e6),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
