//go:build !integration

package kafkawire_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// timestampTypes are those the cluster knows, and whether it is the broker that stamps.
var timestampTypes = map[string]bool{"CreateTime": false}

// brokers starts a cluster in the process. The same tests run on a real one under the tag integration.
func brokers(t testing.TB) []string {
	t.Helper()
	return fake(t).ListenAddrs()
}

func fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
