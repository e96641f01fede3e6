package pack

import (
	"fmt"
)

// Lint lists what is allowed in a pack but hardly intended: declarations that are never used, values that no customer
// reaches, and contradictions. It does not list factors that could exceed the cap together, since that is the purpose
// of a cap.
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
	k.lintEligible(note)
	k.lintValue(note)
	k.lintRaise(note)
	k.lintPlaybooks(note)
	k.lintSteps(note)
	return found
}
