package scoring_test

import (
	"cmp"
	"slices"
	"time"

	"ebb/scoring"
)

// featureOracle keeps every event and works out each feature anew as docs/packs.md defines it.
type featureOracle struct {
	decl   []scoring.Feature
	first  int64
	events []scoring.FeatureEvent // in the order they came
}

// wants reports whether the event is one that the feature looks at.
func wants(d *scoring.Feature, o *scoring.FeatureEvent) bool {
	if d.Kind == scoring.FeatureRatio || d.Kind == scoring.FeatureTenure || o.Set&(1<<d.Of) == 0 {
		return false
	}
	switch {
	case d.Kind == scoring.FeatureDistinct:
		return d.Property < len(o.Properties) && o.Properties[d.Property].Kind != scoring.PropertyNone &&
			o.Properties[d.Property].Kind != scoring.PropertyOther
	case d.Kind == scoring.FeatureSum && d.Property < 0:
		return o.HasValue
	case d.Kind == scoring.FeatureSum, d.Kind == scoring.FeatureLast:
		return d.Property < len(o.Properties) && o.Properties[d.Property].Kind == scoring.PropertyNumber
	}
	return true
}

// of are the events that the feature looks at.
func (f *featureOracle) of(d *scoring.Feature) (events []scoring.FeatureEvent) {
	for _, o := range f.events {
		if wants(d, &o) {
			events = append(events, o)
		}
	}
	return events
}

// tileStart is the beginning of the feature's tile that lies so many tiles before that of at.
func tileStart(d *scoring.Feature, at int64, back int) int64 {
	t := time.UnixMilli(at).UTC()
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	added := d.Kind == scoring.FeatureCount || d.Kind == scoring.FeatureSum || d.Kind == scoring.FeatureTrend
	switch {
	case d.Hourly:
		t = t.Truncate(time.Hour).Add(-time.Duration(back) * time.Hour)
	case d.Within > 100 && added:
		sinceMonday := (int(t.Weekday()) + 6) % 7
		t = midnight.AddDate(0, 0, -sinceMonday-7*back)
	default:
		t = midnight.AddDate(0, 0, -back)
	}
	return t.UnixMilli()
}

// tiles is the length of the window in tiles.
func tiles(d *scoring.Feature) int {
	if d.Within > 100 && !d.Hourly && d.Kind != scoring.FeatureActiveDays && d.Kind != scoring.FeatureDistinct && d.Kind != scoring.FeatureLast {
		return (d.Within + 6) / 7
	}
	return d.Within
}

// newest is the time of the newest event.
func newest(events []scoring.FeatureEvent) int64 {
	return slices.MaxFunc(events, func(a, b scoring.FeatureEvent) int { return cmp.Compare(a.Time, b.Time) }).Time
}

func (f *featureOracle) values(at int64) []scoring.FeatureValue {
	var v []scoring.FeatureValue
	for i := range f.decl {
		d := &f.decl[i]
		switch events := f.of(d); {
		case d.Kind == scoring.FeatureTenure:
			v = append(v, scoring.FeatureValue{OK: f.first != 0})
			if f.first != 0 {
				v[i].N = max(at-f.first, 0) / 86_400_000 * 86_400
			}
		case d.Kind == scoring.FeatureRatio:
			v = append(v, scoring.FeatureValue{})
			if of, to := v[d.Of], v[d.To]; of.OK && to.OK && to.N >= d.Least {
				v[i] = scoring.FeatureValue{N: of.N * 1000 / to.N, OK: true}
			}
		case len(events) == 0:
			v = append(v, scoring.FeatureValue{OK: d.AbsentZero && f.first != 0})
		default:
			v = append(v, f.value(d, events, at))
		}
	}
	return v
}

// value is what a feature says that has had events.
func (f *featureOracle) value(d *scoring.Feature, events []scoring.FeatureEvent, at int64) scoring.FeatureValue {
	last := newest(events)
	present := max(at, last)
	if d.Kind == scoring.FeatureSince {
		return scoring.FeatureValue{N: max(at-last, 0) / 86_400_000 * 86_400, OK: true}
	}
	if d.Kind == scoring.FeatureOpen {
		return scoring.FeatureValue{N: f.open(d, at), OK: true}
	}
	begin, before := tileStart(d, present, tiles(d)-1), tileStart(d, present, 2*tiles(d)-1)
	var count, earlier, sum int64
	days, different := map[string]bool{}, map[scoring.PropertyValue]bool{}
	var number int64
	for _, o := range events {
		switch {
		case d.Kind == scoring.FeatureLast:
			if o.Time == last {
				number = o.Properties[d.Property].Number
			}
		case o.Time >= begin:
			count++
			days[time.UnixMilli(o.Time).UTC().Format(time.DateOnly)] = true
			switch {
			case d.Property < 0:
				sum += o.Value
			default:
				sum += o.Properties[d.Property].Number
				different[o.Properties[d.Property]] = true
			}
		case o.Time >= before:
			earlier++
		}
	}
	switch d.Kind {
	case scoring.FeatureCount:
		return scoring.FeatureValue{N: count, OK: true}
	case scoring.FeatureSum:
		return scoring.FeatureValue{N: sum, OK: true}
	case scoring.FeatureActiveDays:
		return scoring.FeatureValue{N: int64(len(days)), OK: true}
	case scoring.FeatureDistinct:
		return scoring.FeatureValue{N: min(int64(len(different)), 16), OK: true}
	case scoring.FeatureTrend:
		if earlier < d.Least {
			return scoring.FeatureValue{}
		}
		return scoring.FeatureValue{N: count * 1000 / earlier, OK: true}
	case scoring.FeatureLast:
		if last < begin {
			return scoring.FeatureValue{}
		}
		return scoring.FeatureValue{N: number, OK: true}
	default:
		panic("BUG: kind " + d.Kind.String())
	}
}

// open replays opening and solving events in the order they came.
func (f *featureOracle) open(d *scoring.Feature, at int64) int64 {
	var items, beyond []int64 // the four oldest, and the rest
	ahead := int64(-1)        // time of an event that solved what had not come yet
	for _, o := range f.events {
		if o.Set&(1<<d.Of) != 0 {
			if o.Time < ahead {
				ahead = -1
			} else {
				items = append(items, o.Time)
				slices.Sort(items)
				if len(items) > 4 {
					beyond = append(beyond, items[4])
					items = items[:4]
				}
			}
		}
		if o.Set&(1<<d.To) != 0 {
			if len(items) == 0 || o.Time < items[0] {
				ahead = max(ahead, o.Time)
				continue
			}
			items = items[1:]
			if n := len(beyond); n > 0 { // one more counts as old as the newest that was ever beyond
				items = append(items, slices.Max(beyond))
				slices.Sort(beyond)
				beyond = beyond[1:]
			}
		}
	}
	if len(items) == 0 {
		return 0
	}
	return max(at-items[0], 0) / 3_600_000 * 3600
}

// tooLate reports whether the event lies before every window it would count in and says nothing else new.
func (f *featureOracle) tooLate(o *scoring.FeatureEvent) bool {
	late := false
	for i := range f.decl {
		d := &f.decl[i]
		opens := d.Kind == scoring.FeatureOpen && o.Set&(1<<d.Of|1<<d.To) != 0
		events := f.of(d)
		switch {
		case opens:
			return false
		case !wants(d, o):
			continue
		case len(events) == 0:
			return false
		case d.Kind == scoring.FeatureSince:
			if o.Time > newest(events) {
				return false
			}
		case d.Kind == scoring.FeatureLast:
			if o.Time >= newest(events) {
				return false
			}
		default:
			back := tiles(d)
			if d.Kind == scoring.FeatureTrend {
				back *= 2
			}
			if o.Time >= tileStart(d, newest(events), back-1) {
				return false
			}
			late = true
		}
	}
	return late
}
