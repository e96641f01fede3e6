package scoring

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// normalise gives spans, windows and numbers one spelling each, and lists whose order means nothing one order, so
// that the same pack has the same hash however it is written. The order of factors, openings, playbooks and points of
// curves stays. f has been checked.
func (f *packFile) normalise() {
	f.normaliseSignals()
	f.normaliseFeatures()
	f.normaliseFactors()
	f.normaliseKinds()
	f.normaliseStages()
	f.normalisePlaybooks()
}

func (f *packFile) normaliseSignals() {
	for _, s := range f.Signals {
		slices.Sort(s.Types)
		slices.SortStableFunc(s.Where, func(a, b conditionFile) int { return cmp.Compare(a.key(), b.key()) })
	}
}

func (f *packFile) normaliseFeatures() {
	for name, d := range f.Features {
		if n, hourly, err := parseWindow(d.Within); err == nil {
			d.Within = strconv.Itoa(n) + map[bool]string{false: "d", true: "h"}[hourly]
		}
		f.Features[name] = d
	}
}

// normaliseFactors leaves out the stages of a factor that counts in all.
func (f *packFile) normaliseFactors() {
	for i := range f.Factors {
		c := &f.Factors[i]
		for _, point := range c.Curve {
			point[0], point[1] = normalValue(point[0]), normalValue(point[1])
		}
		if set, _ := parseStages(c.Stages); set == AllStages {
			c.Stages = nil
		}
		slices.Sort(c.Stages)
		c.Stages = slices.Compact(c.Stages)
	}
}

func (f *packFile) normaliseKinds() {
	for name, kind := range f.Kinds {
		kind.Expires = normalSpan(kind.Expires)
		slices.Sort(kind.Closes)
		for i := range kind.Opens {
			o := &kind.Opens[i]
			o.AtLeast = normalValue(o.AtLeast)
			slices.Sort(o.Closes)
		}
		f.Kinds[name] = kind
	}
}

func (f *packFile) normaliseStages() {
	s := f.Stages
	if s == nil {
		return
	}
	for _, span := range []*string{&s.New, &s.Dormant, &s.Churned, &s.Resurrected} {
		*span = normalSpan(*span)
	}
	if s.Onboarding != nil {
		s.Onboarding.Within = normalSpan(s.Onboarding.Within)
	}
}

func (f *packFile) normalisePlaybooks() {
	for i := range f.Playbooks {
		p := &f.Playbooks[i]
		slices.Sort(p.When)
		for _, play := range []*playFile{p.High, p.Mid, p.Low} {
			if play != nil {
				play.RespondWithin = normalSpan(play.RespondWithin)
			}
		}
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
