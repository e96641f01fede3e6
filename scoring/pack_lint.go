package scoring

import "fmt"

// Lint lists what is allowed in a pack and yet hardly meant: what is declared and never used, what no value or
// customer reaches, and what contradicts itself. That factors could add more than the cap together is what a cap is
// for.
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
	k.lintSignals(note)
	k.lintFactors(note)
	k.lintStages(note)
	k.lintKinds(note)
	k.lintValue(note)
	k.lintPlaybooks(note)
	return found
}

// usedFeatures are those that something reads.
func (k *Pack) usedFeatures() []bool {
	used := make([]bool, len(k.Features))
	for i := range k.Model.Factors {
		used[k.Model.Factors[i].Feature] = true
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
	if (k.opening|k.Model.Stages.Until)>>i&1 != 0 {
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
