package kafkawire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFetchReadsEveryCodec(t *testing.T) {
	addrs := brokers(t)
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			topic := unique(t, "in")
			c := open(t, addrs, topic)
			create(t, c, topic, 1)
			w := writer(t, addrs, topic, kgo.ProducerBatchCompression(codec))
			write(t, w, "a", "b")
			write(t, w, "c", "a value long enough to be worth compressing, compressing, compressing, compressing")
			want := []string{"a", "b", "c", "a value long enough to be worth compressing, compressing, compressing, compressing"}
			f := fetcher(t, c, topic)
			if diff := cmp.Diff(want, read(t, f, 0, 4)); diff != "" {
				t.Errorf("from the start (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want[3:], read(t, f, 3, 4)); diff != "" {
				t.Errorf("from the middle of a batch (-want +got):\n%s", diff)
			}
		})
	}
}
