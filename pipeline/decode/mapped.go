package decode

import (
	"ebb/pipeline"
)

// Any other JSON, by a mapping. As in the other envelopes, the record is read once, from front to back. A value at the
// end of a path is noted in the path's slot. What no path leads through is validated and skipped.

// slotTable notes the values at the ends of a mapping's paths. A bit per slot records which are noted, so that clearing
// costs nothing.
type slotTable struct {
	seen uint64
	at   []jsonToken
}

func (t *slotTable) note(slot int, value jsonToken) {
	t.seen |= 1 << (slot & 63)
	t.at[slot] = value
}

func (t *slotTable) get(slot int) jsonToken {
	if t.seen>>(slot&63)&1 == 0 {
		return jsonToken{}
	}
	return t.at[slot]
}

// forget clears the slots from first up to past: a member is repeated, and the last one counts.
func (t *slotTable) forget(first, past int) {
	for slot := first; slot < past; slot++ {
		t.seen &^= 1 << (slot & 63)
	}
}

// decodeMapped reads a record that an envelope claims as of that envelope, and any other by the mapping. An envelope
// claims a record that has its marks and names its customer in the envelope's way.
func (d *Decoder) decodeMapped(b []byte, mode cloudMode, e *pipeline.Event) pipeline.Code {
	if c := d.scanMapped(b); c != pipeline.Usable {
		return c
	}
	switch customer := d.top.get(memberCustomer); {
	case d.mapping.all:
	case mode == modeStructured || d.top.get(memberSpecVersion).isText():
		return d.readStructured(b, e)
	case customer.absent():
		if d.top.first(memberUserID, memberAnonymousID).absent() {
			break
		}
		if call := d.segmentCall(b); call != callNone {
			return d.readSegment(b, call, e)
		}
	case (customer.isText() || customer.kind == jsonInteger) && d.top.get(memberType).isText() && !d.top.get(memberTime).absent():
		return d.readFlat(b, e)
	}
	return d.readMapped(b, e)
}

// scanMapped validates the record, which must be one object. It notes the values at the mapping's paths in d.found and,
// unless the mapping takes all records, the members in d.top.
func (d *Decoder) scanMapped(b []byte) pipeline.Code {
	d.top.seen, d.found.seen = 0, 0
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' {
		return pipeline.NotJSON
	}
	if i = d.walkObject(b, i, 0, &d.mapping.root); i < 0 {
		return pipeline.Code(-i)
	}
	return scanEnd(b, i)
}

// walk reads the value at i, like scanValue, and notes the values at the paths through n.
func (d *Decoder) walk(b []byte, i, depth int, n *mappedNode) (value jsonToken, next int) {
	switch {
	case i < len(b) && b[i] == '{' && len(n.children) > 0:
		next = d.walkObject(b, i, depth, n)
		value = jsonToken{i, next, jsonObject}
	case i < len(b) && b[i] == '[' && len(n.children) > 0:
		next = d.walkArray(b, i, depth, n)
		value = jsonToken{kind: jsonOther}
	default:
		value, next = scanValue(b, i, depth)
	}
	if n.ends && next >= 0 {
		d.found.note(n.slot, value)
	}
	return value, next
}

// walkObject is walk for an object, whose brace is at i. It returns the place after it, or the fault's Code negated.
func (d *Decoder) walkObject(b []byte, i, depth int, n *mappedNode) (next int) {
	if depth == pipeline.MaxDepth {
		return -int(pipeline.NestedTooDeep)
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		name, next := scanName(b, i)
		if next < 0 {
			return -int(pipeline.NotJSON)
		}
		var value jsonToken
		if child := n.named(b, name); child != nil {
			d.found.forget(child.slot, child.past)
			value, next = d.walk(b, next, depth+1, child)
		} else {
			value, next = scanValue(b, next, depth+1)
		}
		if next < 0 {
			return next
		}
		if depth == 0 && !d.mapping.all {
			d.top.note(memberOf(b, name), value)
		}
		if i = skipSpace(b, next); i == len(b) {
			return -int(pipeline.NotJSON)
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return i + 1
		default:
			return -int(pipeline.NotJSON)
		}
	}
}

// walkArray is walk for an array, whose bracket is at i.
func (d *Decoder) walkArray(b []byte, i, depth int, n *mappedNode) (next int) {
	if depth == pipeline.MaxDepth {
		return -int(pipeline.NestedTooDeep)
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for index := 0; ; index++ {
		if child := n.element(index); child != nil {
			_, next = d.walk(b, i, depth+1, child)
		} else {
			_, next = scanValue(b, i, depth+1)
		}
		if next < 0 {
			return next
		}
		if i = skipSpace(b, next); i == len(b) {
			return -int(pipeline.NotJSON)
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case ']':
			return i + 1
		default:
			return -int(pipeline.NotJSON)
		}
	}
}

// named is the node of a name in b, nil where no path leads there.
func (n *mappedNode) named(b []byte, name jsonToken) *mappedNode {
	if name.kind == jsonEscaped {
		return n.namedEscaped(b[name.from:name.to])
	}
	return n.member(b[name.from:name.to])
}

func (n *mappedNode) namedEscaped(text []byte) *mappedNode {
	var buffer [maxPointerStep + 1]byte
	name, ok := appendUnescaped(buffer[:0], text, maxPointerStep)
	if !ok {
		return nil
	}
	return n.member(name)
}

// readMapped reads the parts into e. The code is that of the first part that is wrong, in the order of all envelopes.
func (d *Decoder) readMapped(b []byte, e *pipeline.Event) pipeline.Code {
	m := d.mapping
	e.Envelope = pipeline.Mapped
	var fault textFault
	if e.Customer, fault = d.mappedText(b, &m.customer, pipeline.MaxCustomer); fault != textFine {
		return customerCode(fault)
	}
	if e.Type, fault = d.mappedText(b, &m.kind, pipeline.MaxType); fault != textFine {
		return typeCode(fault)
	}
	if c := d.readMappedTime(b, e); c != pipeline.Usable {
		return c
	}
	if c := d.readMappedMoney(b, e); c != pipeline.Usable {
		return c
	}
	if e.ID, fault = d.mappedText(b, &m.id, pipeline.MaxID); fault > textMissing {
		return pipeline.IDUnreadable
	}
	if e.Tenant, fault = d.mappedText(b, &m.tenant, pipeline.MaxTenant); fault > textMissing {
		return pipeline.TenantUnreadable
	}
	d.readProperties(b, jsonToken{from: skipSpace(b, 0), kind: jsonObject}, e)
	return pipeline.Usable
}

// mapped is the place of a part: in b, or in its default.
func (d *Decoder) mapped(b []byte, p *mappedPart) (in []byte, t jsonToken) {
	for _, n := range p.ends {
		if t = d.found.get(n.slot); !t.absent() {
			return b, t
		}
	}
	return p.fallback, jsonToken{to: len(p.fallback), kind: jsonPlain}
}

func (d *Decoder) mappedText(b []byte, p *mappedPart, limit int) ([]byte, textFault) {
	in, t := d.mapped(b, p)
	return d.text(in, t, limit, true)
}

func (d *Decoder) readMappedTime(b []byte, e *pipeline.Event) (c pipeline.Code) {
	text, fault := d.number(d.mapped(b, &d.mapping.time))
	switch {
	case fault == textFine:
		e.Time, c = parseInstantAs(text, d.mapping.timeForm, d.mapping.zone)
		return c
	case fault != textMissing:
		return pipeline.TimeUnreadable
	case !d.mapping.stamped || e.Timestamp <= 0:
		return pipeline.TimeMissing
	}
	e.Time = e.Timestamp
	return instantCode(e.Time)
}

func (d *Decoder) readMappedMoney(b []byte, e *pipeline.Event) pipeline.Code {
	in, t := d.mapped(b, &d.mapping.currency)
	if !d.readCurrency(in, t, e) {
		return d.noMoney(e, pipeline.CurrencyUnreadable)
	}
	text, fault := d.number(d.mapped(b, &d.mapping.value))
	switch fault {
	case textMissing:
		return pipeline.Usable
	case textFine:
		e.Value, e.HasValue = d.mapping.money(text, e.Currency.Decimals())
	default:
	}
	if !e.HasValue {
		return d.noMoney(e, pipeline.ValueUnreadable)
	}
	return pipeline.Usable
}
