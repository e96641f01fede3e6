package scoring

import "fmt"

// Bounds of what a pack may declare.
const (
	maxFeatures     = 128
	maxSignals      = 64
	maxProperties   = 16
	maxFeatureState = 4096 // bytes that the features of one customer take at most: a thousand more than a shipped pack may, for one made of it

	maxHours   = 48
	maxWindow  = 400 // days
	longWindow = 100 // days; a longer window of count, sum or trend is made of weeks
)

// Features is a pack's features, compiled to the cells of state that they read. It is not changed afterwards.
type Features struct {
	list    []compiledFeature
	cells   []cell
	signals uint64 // that any cell wants
	size    int    // bytes of state at most

	unseen  []FeatureRange // what each says from the first activity on without any event of its signal, but tenure
	tenures []int
	ratios  []int // of what stands before them
}

// compiledFeature is what reading a feature takes.
type compiledFeature struct {
	kind       FeatureKind
	unit       tileUnit
	absentZero bool
	window     int64 // in tiles
	least      int64
	of, to     int // of a ratio
}

// cellKind is what a cell keeps.
type cellKind uint8

const (
	cellCounts   cellKind = iota // events by tile
	cellSums                     // sums by tile
	cellNewest                   // time of the newest event
	cellLast                     // time and number of the newest event
	cellDistinct                 // values with the newest tile of each
	cellOpen                     // times of open items
)

// cellKey is what two features that count the same have in common.
type cellKey struct {
	kind     cellKind
	of, to   int
	property int
	unit     tileUnit
}

// cell is one part of a customer's state. Features that count the same read the same cell.
type cell struct {
	cellKey
	signals uint64 // that it wants
	span    int64  // tiles, up to the newest one, that it keeps: as far as any reader looks
	readers []int  // features, by index
}

// CompileFeatures finds the cells that features need. Errors: what a pack's parser should have found, and a state that
// could grow beyond maxFeatureState.
func CompileFeatures(decl []Feature) (*Features, error) {
	if len(decl) > maxFeatures {
		return nil, fmt.Errorf("%d features, %d at most", len(decl), maxFeatures)
	}
	f := &Features{}
	cells := map[cellKey]int{}
	for i, d := range decl {
		if err := d.check(i); err != nil {
			return nil, fmt.Errorf("feature %s: %w", d.Name, err)
		}
		c := compiledFeature{kind: d.Kind, absentZero: d.AbsentZero, least: d.Least, of: d.Of, to: d.To}
		if key, ok := d.key(); ok {
			c.unit, c.window = key.unit, d.window(key.unit)
			if key.kind == cellLast {
				key.unit = daily // it keeps a time, which serves hours and days
			}
			f.share(cells, key).join(i, c.lookback())
		}
		f.unseen = append(f.unseen, FeatureRange{Always: d.AbsentZero, Sometimes: d.AbsentZero})
		switch d.Kind {
		case FeatureTenure:
			f.tenures = append(f.tenures, i)
		case FeatureRatio:
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

// share is the cell with that key, made if there is none.
func (f *Features) share(cells map[cellKey]int, key cellKey) *cell {
	i, ok := cells[key]
	if !ok {
		i = len(f.cells)
		c := cell{cellKey: key, signals: 1 << key.of}
		if key.kind == cellOpen {
			c.signals |= 1 << key.to
		}
		f.cells = append(f.cells, c)
		f.signals |= c.signals
		cells[key] = i
	}
	return &f.cells[i]
}

func (c *cell) join(feature int, lookback int64) {
	c.readers = append(c.readers, feature)
	c.span = max(c.span, lookback)
}

// measure works out the size of the state and refuses one that is too large.
func (f *Features) measure(decl []Feature) error {
	large := -1
	for i := range f.cells {
		f.size += f.cells[i].maxSize()
		if large < 0 || f.cells[i].maxSize() > f.cells[large].maxSize() {
			large = i
		}
	}
	if f.size <= maxFeatureState {
		return nil
	}
	c := &f.cells[large]
	return fmt.Errorf("the features of one customer could take %d bytes, %d at most: take shorter windows or fewer; "+
		"the most, %d, take those that read what %s reads", f.size, maxFeatureState, c.maxSize(), decl[c.readers[0]].Name)
}

// MaxState is the size in bytes that a customer's state can reach.
func (f *Features) MaxState() int { return f.size }

// keys are what the cells keep, in their order.
func (f *Features) keys() []cellKey {
	keys := make([]cellKey, len(f.cells))
	for i := range f.cells {
		keys[i] = f.cells[i].cellKey
	}
	return keys
}

// key is the cell that a feature reads.
func (d *Feature) key() (cellKey, bool) {
	key := cellKey{of: d.Of, to: -1, property: -1}
	if d.Hourly {
		key.unit = hourly
	}
	switch d.Kind {
	case FeatureCount, FeatureTrend:
		key.kind, key.unit = cellCounts, d.tallyUnit()
	case FeatureActiveDays:
		key.kind = cellCounts
	case FeatureSum:
		key.kind, key.unit, key.property = cellSums, d.tallyUnit(), d.Property
	case FeatureSince:
		key.kind = cellNewest
	case FeatureDistinct:
		key.kind, key.property = cellDistinct, d.Property
	case FeatureLast:
		key.kind, key.property = cellLast, d.Property
	case FeatureOpen:
		key.kind, key.to = cellOpen, d.To
	default:
		return key, false
	}
	return key, true
}

// tallyUnit is the tile of a window over which events are added up.
func (d *Feature) tallyUnit() tileUnit {
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
func (d *Feature) window(unit tileUnit) int64 {
	if unit == weekly {
		return (int64(d.Within) + 6) / 7
	}
	return int64(d.Within)
}

// lookback is the number of tiles that the feature reads.
func (d *compiledFeature) lookback() int64 {
	if d.kind == FeatureTrend {
		return 2 * d.window
	}
	return d.window
}
