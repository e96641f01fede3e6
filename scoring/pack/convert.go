package pack

import "slices"

// checkConverts notes what is wrong with the value action.
func (f *file) checkConverts() { f.checkSignalNamed(f.at("converts"), f.Converts) }

// buildConverts compiles the value action.
func (k *Pack) buildConverts(f *file) {
	if f.Converts != "" {
		k.Converts = 1 << slices.Index(f.signalNames(), f.Converts)
	}
}
