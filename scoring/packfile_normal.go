package scoring

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// normalise gives spans, windows and numbers one spelling each, and lists whose order means nothing one order, so that the same pack
// has the same hash however it is written. The order of factors, openings, playbooks and points of curves stays. f has been checked.
func (f *packFile) normalise() {
	f.sortLists()
	for name, feature := range f.Features {
		if n, hourly, err := parseWindow(feature.Within); err == nil {
			feature.Within = strconv.Itoa(n) + map[bool]string{false: "d", true: "h"}[hourly]
		}
		f.Features[name] = feature
	}
	for i := range f.Factors {
		for _, point := range f.Factors[i].Curve {
			point[0], point[1] = normalValue(point[0]), normalValue(point[1])
		}
	}
	for name, kind := range f.Kinds {
		kind.Expires = normalSpan(kind.Expires)
		for i := range kind.Opens {
			kind.Opens[i].AtLeast = normalValue(kind.Opens[i].AtLeast)
		}
		f.Kinds[name] = kind
	}
	if s := f.Stages; s != nil {
		for _, span := range []*string{&s.New, &s.Dormant, &s.Churned, &s.Resurrected} {
			*span = normalSpan(*span)
		}
		if s.Onboarding != nil {
			s.Onboarding.Within = normalSpan(s.Onboarding.Within)
		}
	}
	for i := range f.Playbooks {
		for _, play := range []*playFile{f.Playbooks[i].High, f.Playbooks[i].Mid, f.Playbooks[i].Low} {
			if play != nil {
				play.RespondWithin = normalSpan(play.RespondWithin)
			}
		}
	}
}

// sortLists sorts types, conditions, closing signals, stages and what playbooks are for. Factors that count in all stages name none.
func (f *packFile) sortLists() {
	for _, s := range f.Signals {
		slices.Sort(s.Types)
		slices.SortStableFunc(s.Where, func(a, b conditionFile) int { return cmp.Compare(a.key(), b.key()) })
	}
	for i := range f.Factors {
		c := &f.Factors[i]
		if set, _ := parseStages(c.Stages); set == AllStages {
			c.Stages = nil
		}
		slices.Sort(c.Stages)
		c.Stages = slices.Compact(c.Stages)
	}
	for _, kind := range f.Kinds {
		slices.Sort(kind.Closes)
		for i := range kind.Opens {
			slices.Sort(kind.Opens[i].Closes)
		}
	}
	for i := range f.Playbooks {
		slices.Sort(f.Playbooks[i].When)
	}
}

// key orders conditions.
func (w *conditionFile) key() string {
	b, err := json.Marshal(w)
	if err != nil {
		panic("BUG: a checked condition: " + err.Error())
	}
	return string(b)
}

func normalSpan(text string) string {
	d, err := parseDays(text)
	if text == "" || err != nil {
		return text
	}
	return d.String()
}

// normalValue is a span in one spelling, a number as a float.
func normalValue(v any) any {
	if text, ok := v.(string); ok {
		return normalSpan(text)
	}
	if n, ok := number(v); ok {
		return n
	}
	return v
}
