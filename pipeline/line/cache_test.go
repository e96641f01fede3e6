package line

import (
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"
	"pgregory.net/rapid"
)

// TestCacheAgainstMap compares the cache with a map that keeps everything: its content is right, what a batch in
// progress needs stays, and it keeps to its limit.
func TestCacheAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCache(chunkSize)
		collide := rapid.SampledFrom([]uint64{1, 7, 1 << 40}).Draw(t, "hashes") // few hashes: long probes
		needed := map[string]uint64{}
		for number := uint64(1); number < 12; number++ {
			for range rapid.IntRange(1, 600).Draw(t, "customers") {
				n := rapid.IntRange(0, 3000).Draw(t, "customer")
				key := fmt.Appendf(nil, "%0*d", shortKey-1+n%3, n) // shorter than what fits into the customer, as long, longer
				h := xxhash.Sum64(key) % collide
				slot := c.find(h, key)
				if slot < 0 {
					if needed[string(key)] >= max(number-1, 1) {
						t.Fatalf("%s, of batch %d, is gone in batch %d", key, needed[string(key)], number)
					}
					slot = c.insert(h, key, number-1)
					c.at(slot).profile.Visits = uint32(h) + uint32(len(key))
				}
				e := c.at(slot)
				if string(c.key(e)) != string(key) || e.hash != h {
					t.Fatalf("slot of %s holds %s", key, c.key(e))
				}
				e.used = number
				needed[string(key)] = number
			}
		}
		if c.capacity() > 3*chunkSize {
			t.Fatalf("room for %d customers, of at most 2 batches of 600 and a limit of %d", c.capacity(), chunkSize)
		}
	})
}

func BenchmarkCache(b *testing.B) {
	const customers = 50_000
	c := newCache(customers)
	keys := make([][]byte, customers)
	hashes := make([]uint64, customers)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "\x04shopc-%08d", i)
		hashes[i] = xxhash.Sum64(keys[i])
		c.insert(hashes[i], keys[i], 0)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % customers
		if c.find(hashes[i], keys[i]) < 0 {
			b.Fatal("lost")
		}
	}
}
