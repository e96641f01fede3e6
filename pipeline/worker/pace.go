package worker

import (
	"time"

	"ebb/pipeline"
)

// pace is how much one publication carries: as much as the brokers take within a second, whatever holds them back. A
// quota of bytes per second shows in how long publications take, and in those that do not end in time. It outlives an
// ownership: a takeover that began with large publications again would fail again.
type pace struct {
	most, now pipeline.Volume
	least     time.Duration // what a publication takes however little it carries, as far as the latest ones tell
}

// Where a pace begins, and between which durations of a publication it stays as it is.
const (
	firstEntries = 1_000
	firstBytes   = 1 << 20
	smallBytes   = 64 << 10
	briskly      = time.Second
	slowly       = requestTimeout / 4
	mostLeast    = requestTimeout / 2 // a single entry that takes longer than that is held up itself
)

func newPace(most pipeline.Volume) pace {
	now := pipeline.Volume{Entries: min(firstEntries, most.Entries), Bytes: min(firstBytes, most.Bytes)}
	return pace{most: most, now: now}
}

// succeeded notes how long a publication of so much took. Brokers that take seconds for each, as between sites, take no
// less of a smaller one: what an entry alone takes does not count.
func (p *pace) succeeded(v pipeline.Volume, took time.Duration) {
	p.least = min(p.least, took)
	if v.Entries <= 1 && v.Bytes <= smallBytes {
		p.least = min(took, mostLeast)
	}
	took -= p.least
	switch {
	case took > slowly:
		p.slow(v, 2)
	case took < briskly && (2*v.Entries > p.now.Entries || 2*v.Bytes > p.now.Bytes):
		p.now.Entries, p.now.Bytes = min(2*p.now.Entries, p.most.Entries), min(2*p.now.Bytes, p.most.Bytes)
	}
}

// failed notes that a publication of so much did not end in time, or not at all. One of the offset alone was not too
// much.
func (p *pace) failed(v pipeline.Volume) {
	if v.Entries > 0 {
		p.slow(v, 8)
	}
}

// slow makes publications smaller by a factor than what was too much.
func (p *pace) slow(v pipeline.Volume, factor int) {
	p.now.Entries, p.now.Bytes = max(1, min(p.now.Entries, v.Entries)/factor), max(1, p.now.Bytes/factor)
}
