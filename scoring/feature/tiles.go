package feature

import (
	"encoding/binary"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// A cell of counts or sums keeps the tiles with any events, newest first:
//
//	newest tile
//	for each tile: its distance from the tile before it (the first: from the newest and 1), and its content.
//	 counts: (count - 1) << 4 | (distance - 1), and where the distance is 16 or more, 15 for it and then the rest of it
//	 sums:   distance - 1, sum in zigzag
//
// It keeps as many tiles back from its newest one as the longest window covers; older ones are dropped when a newer one
// comes.

// TileUnit is the length of a tile. All tiles are UTC.
type TileUnit uint8

const (
	daily TileUnit = iota
	hourly
	weekly // from Monday
)

const (
	weekOffset = 3 // 1970-01-01 was a Thursday
)

// tile is the tile of an instant in ms since the epoch.
func (u TileUnit) tile(ms int64) int64 {
	switch u {
	case hourly:
		return ms / moment.HourMillis
	case weekly:
		return (ms/moment.DayMillis + weekOffset) / 7
	default:
		return ms / moment.DayMillis
	}
}

// start is the first instant of a tile.
func (u TileUnit) start(tile int64) int64 {
	switch u {
	case hourly:
		return tile * moment.HourMillis
	case weekly:
		return (tile*7 - weekOffset) * moment.DayMillis
	default:
		return tile * moment.DayMillis
	}
}

const (
	maxCount  = 1 << 17 // events in a tile; more count as this
	countSize = 3       // bytes of a tile at most
	maxSum    = 1<<41 - 1
	sumSize   = 7
	farTile   = 15 // distance - 1 from which it does not fit into one byte with a count
)

// clampSum keeps a sum within ±maxSum.
func clampSum(n int64) int64 { return min(max(n, -maxSum), maxSum) }

// tiles reads a cell's tiles, newest first.
type tiles struct {
	b    []byte
	at   int   // begin of the unread part; beyond b: damaged
	head int64 // newest tile
	tile int64 // read last; below zero once there are no more
	n    int64 // in it
	sums bool  // otherwise counts
	days bool  // every tile counts as 1
}

// behind is farther than any window reaches.
const behind = 1 << 60

func (t *tiles) open(c *cell, b []byte, days bool) {
	r := encode.NewReader(b)
	t.head = r.Tile()
	t.b, t.at, t.tile = b, r.Offset(), t.head+1
	t.sums, t.days = c.Kind == cellSums, days
	t.next()
}

// next reads another tile.
func (t *tiles) next() {
	var distance int64
	distance, t.n, t.at = t.decode(t.at)
	t.tile -= distance
}

// take adds up the tiles after the given one, from where it stopped before.
func (t *tiles) take(after int64) (sum int64) {
	var distance int64
	tile, n, at := t.tile, t.n, t.at // in registers: most of the time is spent here
	for tile > after {
		sum += n
		distance, n, at = t.decode(at)
		tile -= distance
	}
	t.tile, t.n, t.at = tile, n, at
	return sum
}

// decode reads the tile at t.b[at:]: its distance from the last one, its content, and where the next begins.
func (t *tiles) decode(at int) (distance, n int64, end int) {
	b := t.b
	if at >= len(b) {
		return behind, 0, at
	}
	if c := b[at]; !t.sums && c < 0x80 && c&farTile < farTile { // most of them
		distance, n, end = int64(c&farTile)+1, int64(c>>4)+1, at+1
	} else {
		distance, n, end = t.decodeLong(at)
	}
	if t.days {
		n = 1
	}
	return distance, n, end
}

func (t *tiles) decodeLong(at int) (distance, n int64, end int) {
	first, end := encode.Uvarint(t.b, at)
	if t.sums {
		sum, end := encode.Uvarint(t.b, end)
		return int64(min(first, behind)) + 1, encode.Unzigzag(sum), end
	}
	far := first & farTile
	if far == farTile {
		var more uint64
		more, end = encode.Uvarint(t.b, end)
		far += min(more, behind)
	}
	return int64(far) + 1, int64(first>>4) + 1, end
}

// append writes a tile at that distance from the last one written.
func (t *tiles) append(dst []byte, distance, n int64) []byte {
	far := uint64(distance - 1)
	if t.sums {
		return binary.AppendUvarint(binary.AppendUvarint(dst, far), encode.Zigzag(n))
	}
	dst = binary.AppendUvarint(dst, uint64(n-1)<<4|min(far, farTile))
	if far >= farTile {
		dst = binary.AppendUvarint(dst, far-farTile)
	}
	return dst
}

// plus is a tile's content after n is added.
func (t *tiles) plus(n int64) int64 {
	if t.sums {
		return clampSum(t.n + n)
	}
	return min(t.n+n, maxCount)
}

// foldTile adds n to a tile.
func (c *cell) foldTile(dst, old []byte, tile, n int64) ([]byte, effect) {
	t := tiles{sums: c.Kind == cellSums}
	if len(old) == 0 {
		return t.append(encode.AppendTile(dst, tile), 1, n), taken
	}
	t.open(c, old, false)
	if tile <= t.head-c.span {
		return append(dst, old...), refused
	}
	newest := max(t.head, tile)
	oldest := newest - c.span // older tiles are dropped
	dst = encode.AppendTile(dst, newest)
	last := newest + 1
	for ; t.tile > tile; t.next() {
		dst, last = t.append(dst, last-t.tile, t.n), t.tile
	}
	if t.tile == tile {
		n = t.plus(n)
		t.next()
	}
	dst = t.append(dst, last-tile, n)
	if t.tile <= oldest {
		return dst, taken
	}
	dst = t.append(dst, tile-t.tile, t.n)
	if newest > t.head {
		return append(dst, t.unread(oldest)...), taken
	}
	return append(dst, t.b[t.at:]...), taken
}

// unread are the unread tiles after the given one.
func (t *tiles) unread(after int64) []byte {
	ahead := *t
	for end := t.at; ; end = ahead.at {
		if ahead.next(); ahead.tile <= after {
			return t.b[t.at:end]
		}
	}
}

// sum bounds the sum over a window that ends with a tile between from and to, or with the newest one if that is later.
func (t *tiles) sum(from, to, window int64) (least, greatest int64) {
	from, to = max(from, t.head), max(to, t.head)
	sum := t.take(to - window)
	least, greatest = sum, sum
	for t.tile > from-window {
		sum += t.take(t.tile - 1)
		least, greatest = min(least, sum), max(greatest, sum)
	}
	return least, greatest
}

// trend is the range of the sum over a window, as in sum, in permille of that over the window before.
func (t *tiles) trend(from, to, window, least int64) Range {
	from, to = max(from, t.head), max(to, t.head)
	now := t.take(to - window) // t is read up to the begin of the window
	early := *t                // and this up to the begin of the one before
	both := now + early.take(to-2*window)
	r := Range{Always: true}
	for end := to; end >= from; {
		if before := both - now; before >= least {
			r = r.with(permille(now, before))
		} else {
			r.Always = false
		}
		// The next earlier end at which a tile enters one of the windows.
		end = max(from-1, t.tile+window-1, early.tile+2*window-1)
		now, both = now+t.take(end-window), both+early.take(end-2*window)
	}
	return r
}

// leaves is the tile at which the next one leaves a window that now ends with the given tile.
func (t *tiles) leaves(end, window int64) int64 {
	oldest := int64(-1)
	for t.tile > end-window {
		oldest = t.tile
		t.next()
	}
	if oldest < 0 {
		return never
	}
	return oldest + window
}

// validTiles reports whether b is a possible result of fold.
func (c *cell) validTiles(b []byte) bool {
	var t tiles
	t.open(c, b, false)
	if t.tile != t.head || t.head > c.Unit.tile(moment.Max) {
		return false
	}
	for {
		full := t.n > maxCount
		if t.sums {
			full = t.n != clampSum(t.n)
		}
		if full || t.tile < 0 || t.tile <= t.head-c.span {
			return false
		}
		if t.at >= len(b) {
			return t.at == len(b)
		}
		t.next()
	}
}
