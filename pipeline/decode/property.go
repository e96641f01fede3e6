package decode

import (
	"strings"

	"ebb/pipeline"
	"ebb/scoring/feature"
	"ebb/scoring/pack"
)

// The properties that a pack reads are below an event's `properties` (flat JSON and Segment), in a CloudEvent's data,
// and in mapped JSON anywhere in the record. Only events of types with such properties are searched for them, so that
// they cost nothing for all others.

// properties are the paths that a pack reads. They do not change, and any number of decoders share them.
type properties struct {
	pack  *pack.Pack
	root  mappedNode
	ends  []*mappedNode // by the pack's index
	slots int
}

// newProperties builds the tree of the pack's paths. nil: it has none.
func newProperties(k *pack.Pack) *properties {
	paths := k.Properties()
	if len(paths) == 0 {
		return nil
	}
	p := &properties{pack: k}
	for _, path := range paths {
		p.ends = append(p.ends, p.root.enter(strings.Split(path, ".")))
	}
	p.slots = p.root.number(0)
	return p
}

// Reading makes d look for the properties that a pack reads, and count events without their money that the pack takes
// no money from; see noMoney. A decoder that was given no pack refuses money that is none, whatever the event.
func (d *Decoder) Reading(k *pack.Pack) *Decoder {
	p := newProperties(k)
	d.pack = k
	if d.properties = p; p != nil {
		d.found.at = make([]jsonToken, max(p.slots, len(d.found.at)))
	}
	return d
}

// readProperties notes the properties that the pack reads of events of e's type. object is their place in b, and has
// been validated.
func (d *Decoder) readProperties(b []byte, object jsonToken, e *pipeline.Event) {
	p := d.properties
	if p == nil || e.Control || object.kind != jsonObject || !p.pack.Uses(e.Type) {
		return
	}
	d.found.seen = 0
	const inside = 1 // a level at which only the tree's members are read
	d.walkObject(b, object.from, inside, &p.root)
	from := len(d.values)
	for _, end := range p.ends {
		d.values = append(d.values, d.property(b, d.found.get(end.slot)))
	}
	e.Properties = d.values[from:len(d.values):len(d.values)]
	if p.pack.CarriesFrom(e.Type) {
		d.readFacts(b, e)
	}
}

// readFacts notes the texts of the pack's facts, whichever of them an event of e's type gives.
func (d *Decoder) readFacts(b []byte, e *pipeline.Event) {
	from := len(d.texts)
	for i := range d.properties.pack.Carry {
		end := d.properties.ends[d.properties.pack.Carry[i].Property]
		text, fault := d.text(b, d.found.get(end.slot), feature.MaxText, true) // an id may be sent as a number
		if fault != textFine {
			text = nil
		}
		d.texts = append(d.texts, text)
	}
	e.Texts = d.texts[from:len(d.texts):len(d.texts)]
}

// property is a value in the form that scoring takes.
func (d *Decoder) property(b []byte, t jsonToken) feature.Property {
	switch t.kind {
	case jsonAbsent, jsonNull:
		return feature.Property{}
	case jsonInteger, jsonFraction, jsonExponent:
		if n, ok := parseMoney(b[t.from:t.to], 3, true); ok {
			return feature.Property{Kind: feature.PropertyNumber, Number: n}
		}
	case jsonPlain, jsonEscaped:
		text, fault := d.text(b, t, feature.MaxText, false)
		if fault == textMissing {
			return feature.Property{}
		}
		if fault == textFine {
			return feature.TextProperty(text)
		}
	case jsonTrue:
		return feature.Property{Kind: feature.PropertyBool, Number: 1}
	case jsonFalse:
		return feature.Property{Kind: feature.PropertyBool}
	case jsonObject, jsonOther:
	}
	return feature.Property{Kind: feature.PropertyOther}
}
