package line

import (
	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
)

// Batch is one answer of Fetch, decoded: the unit of I/O, never of meaning.
type Batch struct {
	Fetched  pipeline.Fetched
	decoder  *decode.Decoder
	settings pipeline.Settings // by which the decoder reads
	pack     *pack.Pack        // whose properties it reads
	Events   []pipeline.Event  // parallel to fetched.Records
	hashes   []hashes
	slots    []int32 // where each event's customer is cached; -1 for an unusable record
	whole    whole   // before anything was skipped
	Err      error   // the fetch failed: nothing else is set
}

// whole is the memory of a decoded batch, with that of the records skipped since.
type whole struct {
	records []pipeline.Record
	events  []pipeline.Event
	hashes  []hashes
	slots   []int32
}

// NewBatch makes an empty batch, to be decoded by the settings that are in force, with the properties that the newest
// pack reads.
func (l *Line) NewBatch() *Batch {
	b := &Batch{}
	b.read(l.Settings(), l.Pack())
	return b
}

// read has b decoded by settings, with the properties that k reads.
func (b *Batch) read(s pipeline.Settings, k *pack.Pack) {
	if b.decoder == nil || b.settings != s {
		d, err := decode.Of(&s)
		if err != nil {
			panic("BUG: a takeover has refused such settings: " + err.Error())
		}
		b.decoder = d
	}
	b.decoder.Reading(k)
	b.settings, b.pack = s, k
}

// hashes of an event's customer key, of its id, and of its source's name; 0: it has none.
type hashes struct{ key, id, source uint64 }

// Decode turns the fetched records into events. It allocates nothing once the batch has grown to its size.
func (b *Batch) Decode() {
	b.decoder.Reset()
	n := len(b.Fetched.Records)
	b.Events, b.hashes, b.slots = room(b.Events, n), room(b.hashes, n), room(b.slots, n)
	for i := range b.Fetched.Records {
		e := &b.Events[i]
		b.decoder.Decode(&b.Fetched.Records[i], e)
		if e.Counts() || e.Heartbeat {
			b.hashes[i] = hashes{key: xxhash.Sum64(e.Key), id: pipeline.EventIDHash(e), source: pipeline.SourceHash(e)}
		}
	}
	b.whole = whole{b.Fetched.Records, b.Events, b.hashes, b.slots}
}

// room is s with length n and any contents. Where s is too short, it is new memory with some to spare.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// Cut drops the records from offset end on.
func (b *Batch) Cut(end int64) {
	if b.Fetched.Next <= end {
		return
	}
	n, _ := b.Fetched.Find(end)
	b.Fetched.Records, b.Fetched.Next = b.Fetched.Records[:n], end
}

// CutBytes drops the records after the first so many bytes. One record alone may exceed them.
func (b *Batch) CutBytes(most int) {
	for i := range b.Fetched.Records {
		r := &b.Fetched.Records[i]
		if most -= r.Size(); most < 0 && i > 0 {
			b.Cut(r.Offset)
			return
		}
	}
}

// skip drops the first n records after decoding.
func (b *Batch) skip(n int) {
	if n == len(b.Events) {
		b.Empty(b.Fetched.Next)
		return
	}
	b.Fetched.Records, b.Events, b.hashes, b.slots = b.Fetched.Records[n:], b.Events[n:], b.hashes[n:], b.slots[n:]
}

// Empty makes b a batch without records at offset next, for work that no record causes. The next decoded one uses all
// of its memory again.
func (b *Batch) Empty(next int64) {
	w := &b.whole
	b.Fetched.Records, b.Fetched.Next = w.records[:0], next
	b.Events, b.hashes, b.slots = w.events[:0], w.hashes[:0], w.slots[:0]
}

// ReadAgain decodes a batch again that was decoded before the newest pack, or the settings in force, began.
func (l *Line) ReadAgain(b *Batch) {
	if b.pack == l.Pack() && b.settings == l.Settings() || len(b.Events) == 0 {
		return
	}
	b.read(l.Settings(), l.Pack())
	b.Decode()
}
