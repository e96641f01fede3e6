package feature

import (
	"fmt"
)

// Bounds of what a pack may declare.
const (
	MaxDeclared   = 128
	MaxSignals    = 64
	MaxProperties = 16
	// bytes that the features of one customer take at most: some nine hundred more than a shipped pack may, for a pack
	// derived from one.
	maxStateSize = 4096

	MaxHours   = 48
	MaxWindow  = 400 // days
	longWindow = 100 // days; a longer window of count, sum or trend is made of weeks
)

// Set is a pack's features, compiled to the cells of state that they read. It does not change afterwards.
type Set struct {
	list    []compiled
	cells   []cell
	signals uint64 // that any cell counts
	size    int    // bytes of state at most

	unseen  []Range // each feature's value from the first activity on without any event of its signal, except tenure
	tenures []int
	ratios  []int // over the features before them
}

// compiled is what the reading of a feature needs.
type compiled struct {
	kind       Kind
	unit       TileUnit
	absentZero bool
	falls      bool  // without an event its value never rises
	window     int64 // in tiles
	least      int64
	cell       int // that it reads; -1: none
	of, to     int // for a ratio
}

// CellKind is what a cell keeps.
type CellKind uint8

const (
	cellCounts   CellKind = iota // events by tile
	cellSums                     // sums by tile
	cellNewest                   // time of the newest event
	cellLast                     // time and number of the newest event
	cellDistinct                 // values with the newest tile of each
	cellOpen                     // times of open items
	cellTotal                    // number of events
)

// CellKey identifies what a cell counts. Features that count the same have the same key.
type CellKey struct {
	Kind     CellKind
	Of, To   int
	Property int
	Unit     TileUnit
	Priced   bool // of events with money alone
}

// cell is one part of a customer's state. Features that count the same read the same cell.
type cell struct {
	CellKey
	signals uint64 // that it counts
	span    int64  // tiles, up to the newest one, that it keeps: as far as any reader looks
	readers []int  // features, by index
}

// Compile finds the cells that features need. Errors: faults that a pack's parser should have found, and a state that
// could grow beyond maxStateSize.
func Compile(decl []Feature) (*Set, error) {
	if len(decl) > MaxDeclared {
		return nil, fmt.Errorf("%d features, %d at most", len(decl), MaxDeclared)
	}
	f := &Set{}
	cells := map[CellKey]int{}
	for i, d := range decl {
		if err := d.check(i); err != nil {
			return nil, fmt.Errorf("feature %s: %w", d.Name, err)
		}
		c := compiled{
			kind: d.Kind, absentZero: d.AbsentZero, least: d.Least, of: d.Of, to: d.To, falls: d.Kind.Traits().falls,
			cell: -1,
		}
		if key, ok := d.key(); ok {
			c.unit, c.window = key.Unit, d.window(key.Unit)
			if key.Kind == cellLast {
				key.Unit = daily // it keeps a time, which serves both hours and days
			}
			c.cell = f.share(cells, key)
			f.cells[c.cell].join(i, c.lookback())
		}
		f.unseen = append(f.unseen, Range{Always: d.AbsentZero, Sometimes: d.AbsentZero})
		switch d.Kind.Traits().Source {
		case OfNothing:
			f.tenures = append(f.tenures, i)
		case OfFeatures:
			f.ratios = append(f.ratios, i)
		default:
		}
		f.list = append(f.list, c)
	}
	if err := f.measure(decl); err != nil {
		return nil, err
	}
	return f, nil
}

// share is the index of the cell with that key. It makes one if there is none.
func (f *Set) share(cells map[CellKey]int, key CellKey) int {
	i, ok := cells[key]
	if !ok {
		i = len(f.cells)
		c := cell{CellKey: key, signals: 1 << key.Of}
		if key.Kind == cellOpen {
			c.signals |= 1 << key.To
		}
		f.cells = append(f.cells, c)
		f.signals |= c.signals
		cells[key] = i
	}
	return i
}

func (c *cell) join(feature int, lookback int64) {
	c.readers = append(c.readers, feature)
	c.span = max(c.span, lookback)
}

// measure computes the size of the state and refuses one that is too large.
func (f *Set) measure(decl []Feature) error {
	large := -1
	for i := range f.cells {
		f.size += f.cells[i].maxSize()
		if large < 0 || f.cells[i].maxSize() > f.cells[large].maxSize() {
			large = i
		}
	}
	if f.size <= maxStateSize {
		return nil
	}
	c := &f.cells[large]
	return fmt.Errorf("the features of one customer could take %d bytes, %d at most: take shorter windows or fewer; "+
		"the most, %d, take those that read what %s reads", f.size, maxStateSize, c.maxSize(), decl[c.readers[0]].Name)
}

// MaxState is the largest size of a customer's state, in bytes.
func (f *Set) MaxState() int { return f.size }

// Keys are the keys of the cells, in order.
func (f *Set) Keys() []CellKey {
	keys := make([]CellKey, len(f.cells))
	for i := range f.cells {
		keys[i] = f.cells[i].CellKey
	}
	return keys
}

// key is the cell that a feature reads; false: it reads none.
func (d *Feature) key() (CellKey, bool) {
	k := d.Kind.Traits()
	if k.Source != OfSignal {
		return CellKey{}, false
	}
	key := CellKey{Kind: k.cell, Of: d.Of, To: -1, Property: -1, Priced: d.Priced}
	switch {
	case k.added:
		key.Unit = d.tallyUnit()
	case d.Hourly:
		key.Unit = hourly
	}
	if k.Property != Absent {
		key.Property = d.Property
	}
	if k.Until {
		key.To = d.To
	}
	return key, true
}

// tallyUnit is the tile of a window over which events are added up.
func (d *Feature) tallyUnit() TileUnit {
	switch {
	case d.Hourly:
		return hourly
	case d.Within > longWindow:
		return weekly
	default:
		return daily
	}
}

// window is the number of tiles that hold the feature's window.
func (d *Feature) window(unit TileUnit) int64 {
	if unit == weekly {
		return (int64(d.Within) + 6) / 7
	}
	return int64(d.Within)
}

// lookback is the number of tiles that the feature reads.
func (d *compiled) lookback() int64 {
	if d.kind.Traits().compares {
		return 2 * d.window
	}
	return d.window
}
