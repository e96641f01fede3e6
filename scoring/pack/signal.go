package pack

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"ebb/scoring/feature"
)

// Signal is how a pack classifies an event.
type Signal struct {
	Known    bool // the pack names its type, or takes every type
	Activity bool
	Friction float64 // weight; a known type may have none
	Trouble  uint16  // mark of a type with friction; see Pack.TroubleOf
	Named    uint64  // a bit for each of the pack's signals that the event is
}

// Effective reports whether an event of this signal changes anything.
func (s *Signal) Effective() bool { return s.Activity || s.Friction != 0 || s.Named != 0 }

// namedSignal is how a pack classifies one event type: without and with conditions.
type namedSignal struct {
	eventType string
	Signal
	conditional []conditional
}

// conditional is one of the pack's signals that requires more than the event's type.
type conditional struct {
	bit   uint64
	where []condition
}

// Signal is the pack's classification of an event of this type with these properties, in the order of Properties; a
// shorter list lacks the others. It does not allocate.
func (k *Pack) Signal(eventType []byte, properties ...feature.Property) Signal {
	if n := len(eventType); n < len(k.signals) {
		for i := range k.signals[n] { // a handful at most: faster than hashing the type
			if s := &k.signals[n][i]; s.eventType == string(eventType) {
				return s.with(properties)
			}
		}
	}
	return k.other
}

func (s *namedSignal) with(properties []feature.Property) Signal {
	signal := s.Signal
	for i := range s.conditional {
		if c := &s.conditional[i]; c.hold(properties) {
			signal.Named |= c.bit
		}
	}
	return signal
}

func (c *conditional) hold(properties []feature.Property) bool {
	for i := range c.where {
		var p feature.Property
		if w := &c.where[i]; w.property < len(properties) {
			p = properties[w.property]
		}
		if !c.where[i].holds(p) {
			return false
		}
	}
	return true
}

// Properties are the paths of the properties that the pack reads, each as dotted names below an event's properties.
func (k *Pack) Properties() []string { return k.properties }

// SignalNames are the names of the pack's signals, in the order of their bits.
func (k *Pack) SignalNames() []string { return k.signalNames }

// EventTypes are the event types that the pack names, sorted; one with an empty name where it takes every type.
func (k *Pack) EventTypes() (types []string) {
	for _, all := range k.signals {
		for i := range all {
			if all[i].eventType != Everything {
				types = append(types, all[i].eventType)
			}
		}
	}
	if k.other.Known {
		types = append(types, "")
	}
	slices.Sort(types)
	return types
}

// Uses reports whether the pack reads properties of events of this type, so that they have to be looked up.
func (k *Pack) Uses(eventType []byte) bool {
	return listed(k.reading, eventType)
}

// CarriesFrom reports whether the pack carries a fact of events of this type, so that its text has to be looked up.
func (k *Pack) CarriesFrom(eventType []byte) bool { return listed(k.carrying, eventType) }

// listed reports whether an event type is in a list by length.
func listed(list [][]string, eventType []byte) bool {
	n := len(eventType)
	return n < len(list) && slices.Contains(list[n], string(eventType))
}

// signalFile is a signal as written.
type signalFile struct {
	Types []string        `json:"types"           yaml:"types"`
	Where []conditionFile `json:"where,omitempty" yaml:"where"`
}

// checkSignals notes what is wrong with the signals.
func (f *file) checkSignals() {
	if len(f.Signals) > feature.MaxSignals {
		f.broken("signals", "%d, at most %d", len(f.Signals), feature.MaxSignals)
	}
	for name, s := range sorted(f.Signals) {
		at := f.at("signals") + "." + name
		f.checkName(at, name)
		if len(s.Types) == 0 {
			f.broken(at+".types", "names no event type")
		}
		for i, t := range s.Types {
			if !fitsType(t) || t == Everything {
				f.broken(fmt.Sprintf("%s.types[%d]", at, i), "%q, must be an event type of 1 to %d bytes of UTF-8", t, maxTypeSize)
			}
			if slices.Contains(s.Types[:i], t) {
				f.broken(fmt.Sprintf("%s.types[%d]", at, i), "%q stands there twice", t)
			}
		}
		for i := range s.Where {
			w := &s.Where[i]
			at := fmt.Sprintf("%s.where[%d]", at, i)
			f.checkPath(at+".property", w.Property)
			if _, err := w.compile(0); err != nil {
				f.broken(at, "%v", err)
			}
		}
	}
	if n := len(f.propertyPaths()); n > feature.MaxProperties {
		f.broken(
			"signals",
			"%d different properties are read, with those of the features and facts, at most %d",
			n,
			feature.MaxProperties,
		)
	}
}

// buildSignals compiles the classification of event types.
func (k *Pack) buildSignals(f *file) {
	for _, t := range k.Activity {
		k.named(t).Signal = Signal{Known: true, Activity: true}
		if t == Everything {
			k.other = Signal{Known: true, Activity: true}
		}
	}
	for t, weight := range k.Friction {
		k.named(t).Signal = Signal{Known: true, Activity: slices.Contains(k.Activity, t), Friction: weight}
		if weight > 0 {
			k.named(t).Trouble = TroubleMark(t)
		}
	}
	k.properties, k.signalNames = f.propertyPaths(), f.signalNames()
	for i, name := range k.signalNames {
		s, bit := f.Signals[name], uint64(1)<<i
		var where []condition
		for _, w := range s.Where {
			c, err := w.compile(slices.Index(k.properties, w.Property))
			if err != nil {
				panic("BUG: a checked condition: " + err.Error())
			}
			where = append(where, c)
		}
		for _, t := range s.Types {
			n := k.named(t)
			if len(where) == 0 {
				n.Named |= bit
			} else {
				n.conditional = append(n.conditional, conditional{bit, where})
			}
			if len(where) > 0 || f.readsProperties(name) {
				note(&k.reading, t)
			}
			if f.carries(name) {
				note(&k.reading, t)
				note(&k.carrying, t)
			}
		}
	}
}

// named is the entry of an event type. It makes one if there is none yet. Activity by "*" stays activity.
func (k *Pack) named(eventType string) *namedSignal {
	for len(k.signals) <= len(eventType) {
		k.signals = append(k.signals, nil)
	}
	all := &k.signals[len(eventType)]
	for i := range *all {
		if (*all)[i].eventType == eventType {
			return &(*all)[i]
		}
	}
	s := k.other
	s.Known = true
	*all = append(*all, namedSignal{eventType: eventType, Signal: s})
	return &(*all)[len(*all)-1]
}

// note adds an event type to a list by length.
func note(list *[][]string, eventType string) {
	for len(*list) <= len(eventType) {
		*list = append(*list, nil)
	}
	if all := &(*list)[len(eventType)]; !slices.Contains(*all, eventType) {
		*all = append(*all, eventType)
	}
}

func (k *Pack) usesSignal(i int) bool {
	if (k.Triggers|k.Model.Stages.Until|k.Eligible.By|k.Converts)>>i&1 != 0 {
		return true
	}
	if slices.ContainsFunc(k.Carry, func(f Fact) bool { return f.Signal>>i&1 != 0 }) {
		return true
	}
	for j := range k.Features {
		f := &k.Features[j]
		if of := f.Kind.Traits(); of.Source == feature.OfSignal && (f.Of == i || of.Until && f.To == i) {
			return true
		}
	}
	return false
}

// lintSignals notes signals whose conditions no event satisfies.
func (k *Pack) lintSignals(note func(string, ...any)) {
	for name, s := range sorted(k.declared.Signals) {
		byProperty := map[string][]condition{}
		for i := range s.Where {
			c, _ := s.Where[i].compile(0)
			byProperty[s.Where[i].Property] = append(byProperty[s.Where[i].Property], c)
		}
		for _, property := range slices.Sorted(maps.Keys(byProperty)) {
			if contradict(byProperty[property]) {
				note("signal %s: no event meets what it asks of %s", name, property)
			}
		}
	}
}

// signalNames are the names of the signals in the order of their bits.
func (f *file) signalNames() []string { return slices.Sorted(maps.Keys(f.Signals)) }

// propertyPaths are the paths of all properties that signals, features and facts read, sorted.
func (f *file) propertyPaths() []string {
	paths := map[string]bool{}
	for _, s := range f.Signals {
		for i := range s.Where {
			paths[s.Where[i].Property] = true
		}
	}
	for _, d := range f.Features {
		if d.Property != "" {
			paths[d.Property] = true
		}
	}
	for _, c := range f.Carry {
		if c.Property != "" {
			paths[c.Property] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// readsProperties reports whether a feature reads a property of the signal's events.
func (f *file) readsProperties(signal string) bool {
	for _, d := range f.Features {
		if d.Of == signal && d.Property != "" {
			return true
		}
	}
	return false
}

func (f *file) normaliseSignals() {
	for _, s := range f.Signals {
		slices.Sort(s.Types)
		slices.SortStableFunc(s.Where, func(a, b conditionFile) int { return cmp.Compare(a.key(), b.key()) })
	}
}
