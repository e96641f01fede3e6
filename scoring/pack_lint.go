package scoring

import "fmt"

// Lint lists what is allowed in a pack and yet hardly meant: what is declared and never used, parts of curves that no value
// reaches, a cap that cuts off what the factors add.
func (k *Pack) Lint() (found []string) {
	note := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	used := k.usedFeatures()
	for i := range k.Features {
		if f := &k.Features[i]; !used[i] {
			note("feature %s: nothing reads it", f.Name)
		}
	}
	for i, name := range k.signalNames {
		if !k.usesSignal(i) {
			note("signal %s: nothing reads it", name)
		}
	}
	up, down := 0.0, 0.0
	for i := range k.Factors {
		c := &k.Factors[i]
		f := &k.Features[c.Feature]
		least, most := f.reach()
		for j, p := range c.Curve {
			if p.Value < least && j+1 < len(c.Curve) && c.Curve[j+1].Value <= least || p.Value > most && j > 0 && c.Curve[j-1].Value >= most {
				note("factor %s: the point at %d lies beyond what %s can be, %d to %d", c.Code, p.Value, f.Name, least, most)
			}
		}
		top, bottom := 0.0, 0.0
		for _, p := range c.Curve {
			top, bottom = max(top, p.LogOdds), min(bottom, p.LogOdds)
		}
		if top == 0 && bottom == 0 {
			note("factor %s: adds nothing, whatever %s is", c.Code, f.Name)
		}
		up, down = up+top, down+bottom
	}
	if up > k.Cap {
		note("cap: the factors could add %.2f together, %.2f counts", up, k.Cap)
	}
	if -down > k.Cap {
		note("cap: the factors could take away %.2f together, %.2f counts", -down, k.Cap)
	}
	return found
}

// usedFeatures are those that something reads.
func (k *Pack) usedFeatures() []bool {
	used := make([]bool, len(k.Features))
	for i := range k.Factors {
		used[k.Factors[i].Feature] = true
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			if o.Feature >= 0 {
				used[o.Feature] = true
			}
		}
	}
	if k.Value.Feature >= 0 {
		used[k.Value.Feature] = true
	}
	for i := len(k.Features) - 1; i >= 0; i-- { // a ratio stands behind what it divides
		if f := &k.Features[i]; f.Kind == FeatureRatio && used[i] {
			used[f.Of], used[f.To] = true, true
		}
	}
	return used
}

func (k *Pack) usesSignal(i int) bool {
	if (k.opening|k.Stages.Until)>>i&1 != 0 {
		return true
	}
	for j := range k.Features {
		f := &k.Features[j]
		if f.Kind != FeatureRatio && f.Kind != FeatureTenure && (f.Of == i || f.Kind == FeatureOpen && f.To == i) {
			return true
		}
	}
	return false
}

// reach is between which values the feature lies whatever happens.
func (d *Feature) reach() (least, most int64) {
	const any = 1 << 53
	switch d.Kind {
	case FeatureActiveDays:
		return 0, int64(d.Within)
	case FeatureDistinct:
		return 0, maxDistinct
	case FeatureSum, FeatureLast, FeatureRatio:
		return -any, any
	default:
		return 0, any
	}
}
