package pack

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"ebb/scoring/feature"
)

// contradict reports whether no property satisfies all conditions.
func contradict(all []condition) bool {
	least, most, numbers := int64(-math.MaxInt64), int64(math.MaxInt64), false
	var is []feature.Property // one for each value that it has to equal
	missing, there := false, false
	for _, c := range all {
		switch c.test {
		case testAtLeast:
			least, numbers = max(least, c.number), true
		case testAtMost:
			most, numbers = min(most, c.number), true
		case testExists:
			missing, there = missing || !c.truth, there || c.truth
		default:
			is = append(is, c.wanted())
		}
	}
	for _, v := range is {
		if v != is[0] || numbers && (v.Kind != feature.PropertyNumber || v.Number < least || v.Number > most) {
			return true
		}
	}
	return least > most || missing && (there || numbers || len(is) > 0)
}

// wanted is a property that satisfies the condition.
func (c *condition) wanted() feature.Property {
	switch c.test {
	case testText:
		return feature.Property{Kind: feature.PropertyText, Hash: c.hash}
	case testBool:
		v := feature.Property{Kind: feature.PropertyBool}
		if c.truth {
			v.Number = 1
		}
		return v
	case testExists:
		if !c.truth {
			return feature.Property{}
		}
		return feature.Property{Kind: feature.PropertyOther}
	default:
		return feature.Property{Kind: feature.PropertyNumber, Number: c.number}
	}
}

// Wanted are properties that satisfy conditions of the pack's signals, by the index of the property: made-up events
// hold them, so that each condition is satisfied now and then.
func (k *Pack) Wanted() [][]feature.Property {
	all := make([][]feature.Property, len(k.properties))
	for _, s := range sorted(k.declared.Signals) {
		for i := range s.Where {
			p := slices.Index(k.properties, s.Where[i].Property)
			c, _ := s.Where[i].compile(p)
			all[p] = append(all[p], c.wanted())
		}
	}
	return all
}

// key orders conditions.
func (w *conditionFile) key() string {
	b, err := json.Marshal(w)
	if err != nil {
		panic("BUG: a checked condition: " + err.Error())
	}
	return string(b)
}

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

func (c *condition) holds(p feature.Property) bool {
	switch c.test {
	case testText:
		return p.Kind == feature.PropertyText && p.Hash == c.hash
	case testNumber:
		return p.Kind == feature.PropertyNumber && p.Number == c.number
	case testBool:
		return p.Kind == feature.PropertyBool && (p.Number == 1) == c.truth
	case testAtLeast:
		return p.Kind == feature.PropertyNumber && p.Number >= c.number
	case testAtMost:
		return p.Kind == feature.PropertyNumber && p.Number <= c.number
	case testExists:
		return (p.Kind != feature.PropertyNone) == c.truth
	}
	return false
}

type conditionFile struct {
	Property string   `json:"property"           yaml:"property"`
	Equals   any      `json:"equals,omitempty"   yaml:"equals"`
	AtLeast  *float64 `json:"at_least,omitempty" yaml:"at_least"`
	AtMost   *float64 `json:"at_most,omitempty"  yaml:"at_most"`
	Exists   *bool    `json:"exists,omitempty"   yaml:"exists"`
}

// compile is the condition in the form that is tested, for the property with that index.
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
		if len(v) > feature.MaxText {
			err = fmt.Errorf("equals a text of %d bytes, at most %d are compared", len(v), feature.MaxText)
		}
		p := feature.TextProperty([]byte(v))
		c.test, c.hash, c.number = testText, p.Hash, p.Number
		if p.Kind == feature.PropertyNumber {
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
