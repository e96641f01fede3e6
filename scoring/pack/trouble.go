package pack

import (
	"maps"
	"slices"
)

// TroubleMark is the mark of an event type with friction, never 0.
func TroubleMark(eventType string) uint16 { return max(MarkOf(eventType), 1) }

// TroubleOf is the event type of a mark, with its weight of friction; empty where no type of the pack has that mark.
func (k *Pack) TroubleOf(mark uint16) (eventType string, weight float64) {
	eventType = k.troubles[mark]
	return eventType, k.Friction[eventType]
}

// buildTroubles notes the event types with friction by their marks.
func (k *Pack) buildTroubles() {
	k.troubles = map[uint16]string{}
	for _, t := range slices.Sorted(maps.Keys(k.Friction)) {
		if k.Friction[t] > 0 {
			k.troubles[TroubleMark(t)] = t
		}
	}
}
