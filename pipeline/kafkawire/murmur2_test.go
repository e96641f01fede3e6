package kafkawire_test

import (
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"ebb/pipeline/kafkawire"
)

// TestPartitionJavaVectors holds the hashes that the Java client's own tests hold.
func TestPartitionJavaVectors(t *testing.T) {
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		for _, n := range []int32{1, 2, 3, 7, 12, 100, math.MaxInt32} {
			if got, want := kafkawire.Partition([]byte(key), n), (hash&0x7fffffff)%n; got != want {
				t.Errorf("%q among %d: partition %d, want %d", key, n, got, want)
			}
		}
	}
}

// TestPartitionAgainstOracle compares with franz-go, whose default is the Java client's.
func TestPartitionAgainstOracle(t *testing.T) {
	oracle := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	rapid.Check(t, func(r *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(r, "key")
		n := rapid.IntRange(1, 1000).Draw(r, "partitions")
		if got, want := kafkawire.Partition(key, int32(n)), oracle.Partition(&kgo.Record{Key: key}, n); int(got) != want {
			r.Errorf("partition %d, want %d", got, want)
		}
	})
}
