package feature_test

import (
	"cmp"
	"slices"
	"time"

	"ebb/scoring/feature"
)

// featureOracle keeps every event and computes each feature anew as docs/packs.md defines it.
type featureOracle struct {
	decl   []feature.Feature
	first  int64
	events []feature.Event // in order of arrival
}

// wants reports whether the event counts for the feature.
func wants(d *feature.Feature, o *feature.Event) bool {
	if d.Kind == feature.Ratio || d.Kind == feature.Tenure || o.Set&(1<<d.Of) == 0 {
		return false
	}
	switch {
	case d.Kind == feature.Distinct:
		return d.Property < len(o.Properties) && o.Properties[d.Property].Kind != feature.PropertyNone &&
			o.Properties[d.Property].Kind != feature.PropertyOther
	case d.Priced, d.Kind == feature.Sum && d.Property < 0:
		return o.HasValue
	case d.Kind == feature.Sum, d.Kind == feature.Last:
		return d.Property < len(o.Properties) && o.Properties[d.Property].Kind == feature.PropertyNumber
	}
	return true
}

// of are the events that count for the feature.
func (f *featureOracle) of(d *feature.Feature) (events []feature.Event) {
	for _, o := range f.events {
		if wants(d, &o) {
			events = append(events, o)
		}
	}
	return events
}

// known reports whether any event that counts for the feature, or for its denominator, has come.
func (f *featureOracle) known(i int) bool {
	switch d := f.decl[i]; d.Kind {
	case feature.Tenure:
		return true
	case feature.Ratio:
		return f.known(d.To)
	case feature.Open:
		return slices.ContainsFunc(f.events, func(o feature.Event) bool { return o.Set&(1<<d.Of|1<<d.To) != 0 })
	default:
		return len(f.of(&d)) > 0
	}
}

// tileStart is the beginning of the feature's tile that lies so many tiles before that of at.
func tileStart(d *feature.Feature, at int64, back int) int64 {
	t := time.UnixMilli(at).UTC()
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	added := d.Kind == feature.Count || d.Kind == feature.Sum || d.Kind == feature.Trend
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
func tiles(d *feature.Feature) int {
	if d.Within > 100 && !d.Hourly && d.Kind != feature.ActiveDays && d.Kind != feature.Distinct &&
		d.Kind != feature.Last {
		return (d.Within + 6) / 7
	}
	return d.Within
}

// newest is the time of the newest event.
func newest(events []feature.Event) int64 {
	return slices.MaxFunc(events, func(a, b feature.Event) int { return cmp.Compare(a.Time, b.Time) }).Time
}

func (f *featureOracle) values(at int64) []feature.Value {
	var v []feature.Value
	for i := range f.decl {
		d := &f.decl[i]
		switch events := f.of(d); {
		case d.Kind == feature.Tenure:
			v = append(v, feature.Value{OK: f.first != 0})
			if f.first != 0 {
				v[i].N = max(at-f.first, 0) / 86_400_000 * 86_400
			}
		case d.Kind == feature.Ratio:
			v = append(v, feature.Value{})
			if of, to := v[d.Of], v[d.To]; of.OK && to.OK && to.N >= d.Least {
				v[i] = feature.Value{N: of.N * 1000 / to.N, OK: true}
			}
		case len(events) == 0:
			v = append(v, feature.Value{OK: d.AbsentZero && f.first != 0})
		default:
			v = append(v, f.value(d, events, at))
		}
	}
	return v
}

// value is the feature's value after events.
func (f *featureOracle) value(d *feature.Feature, events []feature.Event, at int64) feature.Value {
	last := newest(events)
	present := max(at, last)
	if d.Kind == feature.Since {
		return feature.Value{N: max(at-last, 0) / 86_400_000 * 86_400, OK: true}
	}
	if d.Kind == feature.Total {
		return feature.Value{N: int64(len(events)), OK: true}
	}
	if d.Kind == feature.Open {
		return feature.Value{N: f.open(d, at), OK: true}
	}
	begin, before := tileStart(d, present, tiles(d)-1), tileStart(d, present, 2*tiles(d)-1)
	var count, earlier, sum int64
	days, different := map[string]bool{}, map[feature.Property]bool{}
	var number int64
	for _, o := range events {
		switch {
		case d.Kind == feature.Last:
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
	case feature.Count:
		return feature.Value{N: count, OK: true}
	case feature.Sum:
		return feature.Value{N: sum, OK: true}
	case feature.ActiveDays:
		return feature.Value{N: int64(len(days)), OK: true}
	case feature.Distinct:
		return feature.Value{N: min(int64(len(different)), 16), OK: true}
	case feature.Trend:
		if earlier < d.Least {
			return feature.Value{}
		}
		return feature.Value{N: count * 1000 / earlier, OK: true}
	case feature.Last:
		if last < begin {
			return feature.Value{}
		}
		return feature.Value{N: number, OK: true}
	default:
		panic("BUG: kind " + d.Kind.String())
	}
}

// open replays opening and solving events in order of arrival.
func (f *featureOracle) open(d *feature.Feature, at int64) int64 {
	var items, beyond []int64 // the four oldest, and the rest
	ahead := int64(-1)        // time of an event that solved an item still to come
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
			if n := len(beyond); n > 0 { // the next one counts as old as the newest that was ever beyond
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

// tooLate reports whether the event is older than every window that it would count in and adds nothing else new.
func (f *featureOracle) tooLate(o *feature.Event) bool {
	late := false
	for i := range f.decl {
		d := &f.decl[i]
		opens := d.Kind == feature.Open && o.Set&(1<<d.Of|1<<d.To) != 0
		events := f.of(d)
		switch {
		case opens:
			return false
		case !wants(d, o):
			continue
		case len(events) == 0, d.Kind == feature.Total:
			return false
		case d.Kind == feature.Since:
			if o.Time > newest(events) {
				return false
			}
		case d.Kind == feature.Last:
			if o.Time >= newest(events) {
				return false
			}
		default:
			back := tiles(d)
			if d.Kind == feature.Trend {
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
