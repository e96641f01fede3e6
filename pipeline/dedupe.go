package pipeline

import "github.com/cespare/xxhash/v2"

// eventIDHash is what the ring of a customer's recent event ids holds; 0 for an event without id, which is never a duplicate. The
// dedupe horizon is the ring's length, 16 events of the customer: two of them sharing 64 bits has odds of about 1 in 10^18.
func eventIDHash(id []byte) uint64 {
	if len(id) == 0 {
		return 0
	}
	return max(xxhash.Sum64(id), 1)
}
