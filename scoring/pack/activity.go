package pack

import (
	"fmt"
	"maps"
	"slices"

	"ebb/scoring/strictyaml"
)

// Everything is the name in a pack's activity list that stands for every event type.
const Everything = "*"

func (f *file) checkActivity() {
	if len(f.Activity) == 0 {
		f.broken("activity", "names no event type, [%q] stands for all", Everything)
	}
	seen := make(map[string]bool, len(f.Activity))
	for i, t := range f.Activity {
		place := fmt.Sprintf("%s[%d]", f.at("activity"), i)
		switch {
		case !fitsType(t):
			f.broken(place, "%q, must be an event type of 1 to %d bytes of UTF-8", t, maxTypeSize)
		case seen[t]:
			f.broken(place, "%q stands there twice", t)
		case t == Everything && len(f.Activity) > 1:
			f.broken(place, "%q stands for all event types, so it must stand alone", t)
		}
		seen[t] = true
	}
}

// checkWeights notes event types of friction with nothing in the place of a weight, which the decoder reads as 0.
func (f *file) checkWeights(friction strictyaml.Node) {
	entries, _ := friction.Entries()
	for _, e := range entries {
		if e.Value.IsNull() {
			f.broken("$.friction."+e.Key, "is missing, must be a weight from 0 to %v", maxTypeWeigh)
		}
	}
}

func (f *file) checkFriction() {
	for _, t := range slices.Sorted(maps.Keys(f.Friction)) {
		place := f.at("friction") + "." + t
		switch weight := f.Friction[t]; {
		case !fitsType(t) || t == Everything:
			f.broken(place, "%q, must be an event type of 1 to %d bytes of UTF-8", t, maxTypeSize)
		case !(weight >= 0 && weight <= maxTypeWeigh):
			f.broken(place, "%v, must be a weight from 0 to %v", weight, maxTypeWeigh)
		}
	}
}
