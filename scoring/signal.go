package scoring

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// Signal is what a pack makes of an event.
type Signal struct {
	Known    bool // the pack names its type, or takes everything
	Activity bool
	Friction float64 // weight; a known type may have none
	Named    uint64  // a bit for each of the pack's signals that the event is
}

// Effective reports whether an event of this signal changes anything.
func (s *Signal) Effective() bool { return s.Activity || s.Friction != 0 || s.Named != 0 }

// TextProperty is a property that is text. A text that is a decimal number is that number: senders disagree about the
// quotes.
func TextProperty(text []byte) PropertyValue {
	if n, ok := thousandthsOf(text); ok {
		return PropertyValue{Kind: PropertyNumber, Number: n}
	}
	return PropertyValue{Kind: PropertyText, Hash: xxhash.Sum64(text)}
}

// thousandthsOf reads a decimal number of up to twelve digits before the point, of which three after it count.
func thousandthsOf(text []byte) (n int64, ok bool) {
	const whole = 12
	digits, negative := text, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	before, after, point := bytes.Cut(digits, []byte("."))
	if len(before) == 0 || len(before) > whole || point && len(after) == 0 {
		return 0, false
	}
	for i := range len(before) + 3 {
		digit := byte('0')
		if i < len(before) {
			digit = before[i]
		} else if i-len(before) < len(after) {
			digit = after[i-len(before)]
		}
		if digit-'0' > 9 {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	for _, digit := range after[min(3, len(after)):] {
		if digit-'0' > 9 {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

const maxPath = 128 // bytes of a property's path

// condition is one test of one property.
type condition struct {
	property int // index into the pack's properties
	test     test
	number   int64  // in thousandths
	hash     uint64 // of a text
	truth    bool
}

type test uint8

const (
	testText test = iota
	testNumber
	testBool
	testAtLeast
	testAtMost
	testExists
)

func (c *condition) holds(p PropertyValue) bool {
	switch c.test {
	case testText:
		return p.Kind == PropertyText && p.Hash == c.hash
	case testNumber:
		return p.Kind == PropertyNumber && p.Number == c.number
	case testBool:
		return p.Kind == PropertyBool && (p.Number == 1) == c.truth
	case testAtLeast:
		return p.Kind == PropertyNumber && p.Number >= c.number
	case testAtMost:
		return p.Kind == PropertyNumber && p.Number <= c.number
	case testExists:
		return (p.Kind != PropertyNone) == c.truth
	}
	return false
}

// namedSignal is what a pack makes of one event type: at once, and on conditions.
type namedSignal struct {
	eventType string
	Signal
	conditional []conditional
}

// conditional is one of the pack's signals that asks for more than the event's type.
type conditional struct {
	bit   uint64
	where []condition
}

// Signal is what the pack makes of an event of this type with these properties, in the order of Properties; a shorter
// list lacks the others. It does not allocate.
func (k *Pack) Signal(eventType []byte, properties ...PropertyValue) Signal {
	if n := len(eventType); n < len(k.signals) {
		for i := range k.signals[n] { // a handful at most: sooner done than hashing the type
			if s := &k.signals[n][i]; s.eventType == string(eventType) {
				return s.with(properties)
			}
		}
	}
	return k.other
}

func (s *namedSignal) with(properties []PropertyValue) Signal {
	signal := s.Signal
	for i := range s.conditional {
		if c := &s.conditional[i]; c.hold(properties) {
			signal.Named |= c.bit
		}
	}
	return signal
}

func (c *conditional) hold(properties []PropertyValue) bool {
	for i := range c.where {
		var p PropertyValue
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

// EventTypes are the event types that the pack names, sorted; one of no name where it takes everything.
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

// Uses reports whether the pack reads properties of events of this type, so that they need be looked up.
func (k *Pack) Uses(eventType []byte) bool {
	n := len(eventType)
	return n < len(k.reading) && slices.Contains(k.reading[n], string(eventType))
}

// signalFile is a signal as written.
type signalFile struct {
	Types []string        `json:"types"           yaml:"types"`
	Where []conditionFile `json:"where,omitempty" yaml:"where"`
}

type conditionFile struct {
	Property string   `json:"property"           yaml:"property"`
	Equals   any      `json:"equals,omitempty"   yaml:"equals"`
	AtLeast  *float64 `json:"at_least,omitempty" yaml:"at_least"`
	AtMost   *float64 `json:"at_most,omitempty"  yaml:"at_most"`
	Exists   *bool    `json:"exists,omitempty"   yaml:"exists"`
}

// checkSignals notes what is wrong with the signals.
func (f *packFile) checkSignals() {
	if len(f.Signals) > maxSignals {
		f.broken("signals", "%d, at most %d", len(f.Signals), maxSignals)
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
	if n := len(f.propertyPaths()); n > maxProperties {
		f.broken("signals", "%d different properties are read, with those of the features, at most %d", n, maxProperties)
	}
}

func (f *packFile) checkPath(at, path string) {
	if path == "" || len(path) > maxPath || !utf8.ValidString(path) {
		f.broken(at, "%q, must be the path of a property of 1 to %d bytes, such as rating or plan.seats", path, maxPath)
	}
}

// compile is the condition as it is tested, of the property with that index.
func (w *conditionFile) compile(property int) (c condition, err error) {
	tests := 0
	c.property = property
	number := func(t test, v float64) {
		c.test, c.number = t, int64(math.Round(float64(v*1000)))
		if !(math.Abs(v) <= 1e12) {
			err = fmt.Errorf("%v is beyond what is compared, 1e12", v)
		}
		tests++
	}
	switch v := w.Equals.(type) {
	case nil:
	case string:
		p := TextProperty([]byte(v))
		c.test, c.hash, c.number = testText, p.Hash, p.Number
		if p.Kind == PropertyNumber {
			c.test = testNumber
		}
		tests++
	case bool:
		c.test, c.truth = testBool, v
		tests++
	case uint64:
		number(testNumber, float64(v))
	case int64:
		number(testNumber, float64(v))
	case float64:
		number(testNumber, v)
	default:
		return c, fmt.Errorf("equals %v, must be a text, a number, true or false", v)
	}
	if w.AtLeast != nil {
		number(testAtLeast, *w.AtLeast)
	}
	if w.AtMost != nil {
		number(testAtMost, *w.AtMost)
	}
	if w.Exists != nil {
		c.test, c.truth = testExists, *w.Exists
		tests++
	}
	if err == nil && tests != 1 {
		err = fmt.Errorf("has %d tests, must have one of equals, at_least, at_most, exists", tests)
	}
	return c, err
}

// buildSignals compiles what the pack makes of event types.
func (k *Pack) buildSignals(f *packFile) {
	for _, t := range k.Activity {
		k.named(t).Signal = Signal{Known: true, Activity: true}
		if t == Everything {
			k.other = Signal{Known: true, Activity: true}
		}
	}
	for t, weight := range k.Friction {
		k.named(t).Signal = Signal{Known: true, Friction: weight}
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
				k.reads(t)
			}
		}
	}
}

// named is the entry of an event type, made if there is none yet. What is activity by "*" stays so.
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

// reads notes that properties of events of this type are read.
func (k *Pack) reads(eventType string) {
	for len(k.reading) <= len(eventType) {
		k.reading = append(k.reading, nil)
	}
	if all := &k.reading[len(eventType)]; !slices.Contains(*all, eventType) {
		*all = append(*all, eventType)
	}
}
