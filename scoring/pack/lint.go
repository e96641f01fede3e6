package pack

import (
	"fmt"
)

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
