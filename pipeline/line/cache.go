package line

import (
	"bytes"

	"ebb/scoring/profile"
)

// customer is one cached customer: the profile as of everything folded so far. It holds no pointer, so that the garbage
// collector skips all of them. A lookup reads one line of the processor's cache of it.
type customer struct {
	hash       uint64
	used       uint64 // last batch that needed it; it stays while that batch may be uncommitted
	slot       int32
	keySize    uint16
	dirty      bool // folded into in the batch being built
	exists     bool // holds a customer; false: the slot is free
	stored     bool // the store holds a profile, once what was staged so far is applied
	ineligible bool // and it is one of a customer whom the pack does not alert about yet
	erased     bool // it was erased once; see Meta.Erased
	short      [shortKey]byte

	profile profile.Profile
}

const shortKey = 39 // longest key that lies in the customer itself

const chunkSize = 1024 // customers allocated at a time, so that memory follows use and addresses stay

// cache holds the profiles of recently seen customers, by key. It belongs to one worker. Its size is bounded by limit,
// except that customers of uncommitted batches always stay.
//
// The table is open addressing with linear probing over (upper half of the hash, slot) pairs: a miss reads no customer,
// and a hit reads one. Benchmark: BenchmarkCache.
type cache struct {
	limit  int
	chunks [][]customer
	table  []uint64 // upper 32 bits: of the hash; lower: slot + 1; 0: empty
	mask   uint64
	count  int
	long   map[int32][]byte // keys longer than shortKey, by slot
	hand   int              // where the search for a slot to evict goes on
	hits   uint64
	likely [ahead]int32
	warmed uint64 // without meaning: a sink for what warm reads
	misses uint64

	features slotted // of packs that declare them
	facts    slotted // of packs that carry some
	contacts slotted
}

// slotted is the memory of customers that do not all have any, by slot; empty as long as none has.
type slotted [][]byte

// of is the memory of a slot. The cache owns it until keep replaces it.
func (s *slotted) of(slot int32) []byte {
	if int(slot) >= len(*s) {
		return nil
	}
	return (*s)[slot]
}

// keep stores the memory of a slot, of so many. It may be the result of "of", changed in place or grown; other memory
// is copied.
func (s *slotted) keep(slot int32, state []byte, slots int) {
	if int(slot) >= len(*s) {
		if len(state) == 0 {
			return
		}
		*s = append(*s, make([][]byte, slots-len(*s))...)
	}
	own := &(*s)[slot]
	if cap(*own) > 0 && len(state) > 0 && &(*own)[:1][0] == &state[0] {
		*own = state
		return
	}
	*own = append((*own)[:0], state...)
}

func newCache(limit int) *cache {
	c := &cache{limit: max(limit, chunkSize), long: map[int32][]byte{}}
	c.resize(4 * chunkSize)
	return c
}

func (c *cache) at(slot int32) *customer { return &c.chunks[slot/chunkSize][slot%chunkSize] }

// key is the customer's key, in the cache's memory.
func (c *cache) key(e *customer) []byte {
	if e.keySize > shortKey {
		return c.long[e.slot]
	}
	return e.short[:e.keySize:e.keySize]
}

// ahead is how many customers are warmed at a time. The customers of a batch are scattered over memory, and a processor
// that waits for sixteen of them at once waits about as long as for one (BenchmarkLine).
const ahead = 16

// keep stores what the customer has besides its profile.
func (c *cache) keep(e *customer, of *profile.Customer) {
	c.features.keep(e.slot, of.Features, c.capacity())
	c.facts.keep(e.slot, of.Facts, c.capacity())
	c.contacts.keep(e.slot, of.Contact, c.capacity())
}

// warmFind reads what find will read for the first of n hashes, as many as are warmed at a time. It returns the slots
// where find looks first, -1 where there is none. They are valid until the next call.
func (c *cache) warmFind(n int, hash func(i int) uint64) []int32 {
	slots := c.likely[:min(n, ahead)]
	for i := range slots {
		slots[i] = int32(uint32(c.table[hash(i)&c.mask])) - 1
	}
	sum := uint64(0)
	for _, slot := range slots {
		if slot >= 0 {
			sum += c.at(slot).hash
		}
	}
	c.warmed += sum
	return slots
}

// warm reads the customers in slots, and discards what it reads.
func (c *cache) warm(slots []int32) {
	sum := uint64(0)
	for _, slot := range slots {
		if slot >= 0 {
			e := c.at(slot)
			sum += e.hash + uint64(e.profile.First) + uint64(e.profile.Armed) + e.profile.IDs.Warm()
			if state := c.features.of(slot); len(state) > 0 {
				sum += uint64(state[0])
			}
		}
	}
	c.warmed += sum
}

func (c *cache) capacity() int { return len(c.chunks) * chunkSize }

// find returns the customer's slot, or -1.
func (c *cache) find(hash uint64, key []byte) int32 {
	tag := hash >> 32 << 32
	for i := hash & c.mask; ; i = (i + 1) & c.mask {
		w := c.table[i]
		if w == 0 {
			return -1
		}
		if w>>32<<32 == tag {
			slot := int32(uint32(w) - 1)
			if e := c.at(slot); e.hash == hash && string(c.key(e)) == string(key) {
				return slot
			}
		}
	}
}

// insert adds a customer with a zero profile, after find has not found it, and returns its slot. It may evict customers
// last used before batch keep.
func (c *cache) insert(hash uint64, key []byte, keep uint64) int32 {
	if 2*(c.count+1) > len(c.table) {
		c.resize(2 * len(c.table))
	}
	slot := c.free(keep)
	e := c.at(slot)
	*e = customer{hash: hash, slot: slot, keySize: uint16(len(key)), exists: true}
	c.keep(e, &profile.Customer{})
	if len(key) > shortKey {
		c.long[slot] = bytes.Clone(key)
	} else {
		copy(e.short[:], key)
	}
	c.link(hash, slot)
	c.count++
	return slot
}

func (c *cache) link(hash uint64, slot int32) {
	i := hash & c.mask
	for c.table[i] != 0 {
		i = (i + 1) & c.mask
	}
	c.table[i] = hash>>32<<32 | uint64(uint32(slot)+1)
}

// free finds a slot: an unused one, else that of a customer not needed since batch keep, else a new chunk.
func (c *cache) free(keep uint64) int32 {
	if c.count == c.capacity() && c.capacity()+chunkSize > c.limit {
		if slot := c.evict(keep); slot >= 0 {
			return slot
		}
	}
	if c.count == c.capacity() {
		c.chunks = append(c.chunks, make([]customer, chunkSize))
		return int32(c.count)
	}
	return int32(c.count)
}

// evict frees the slot of one customer. It searches on from where the last search ended.
func (c *cache) evict(keep uint64) int32 {
	for range c.capacity() {
		slot := int32(c.hand)
		c.hand = (c.hand + 1) % c.capacity()
		if e := c.at(slot); e.exists && e.used < keep {
			c.unlink(e.hash, slot)
			e.exists = false
			delete(c.long, slot)
			c.count--
			return slot
		}
	}
	return -1
}

// unlink removes a slot from the table and closes the gap, so that probing needs no tombstones.
func (c *cache) unlink(hash uint64, slot int32) {
	i := hash & c.mask
	for uint32(c.table[i]) != uint32(slot)+1 {
		i = (i + 1) & c.mask
	}
	for j := (i + 1) & c.mask; c.table[j] != 0; j = (j + 1) & c.mask {
		home := c.at(int32(uint32(c.table[j])-1)).hash & c.mask
		if (j-home)&c.mask >= (j-i)&c.mask {
			c.table[i] = c.table[j]
			i = j
		}
	}
	c.table[i] = 0
}

func (c *cache) resize(size int) {
	old := c.table
	c.table = make([]uint64, size)
	c.mask = uint64(size - 1)
	for _, w := range old {
		if w != 0 {
			slot := int32(uint32(w) - 1)
			c.link(c.at(slot).hash, slot)
		}
	}
}
