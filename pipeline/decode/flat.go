package decode

import (
	"ebb/pipeline"
)

// ebb's own flat JSON:
//
//	{"id", "customer", "type", "time", "value", "currency", "tenant", "source", "properties"}
//
// customer and id are strings or integers (42 and "42" are the same customer), type and tenant strings. time is RFC
// 3339, or seconds or milliseconds since the epoch, as a number or a string (see parseInstant). value is a decimal
// number or a string that holds one, exact to the minor unit (see parseMoney); an exponent is refused. properties may
// be anything. An identify is a control event.

// readFlat reads the members into e. Where several are wrong, the code is that of the first in this order. All
// envelopes have the same order.
func (d *Decoder) readFlat(b []byte, e *pipeline.Event) pipeline.Code {
	var fault textFault
	e.Customer, fault = d.text(b, d.top.get(memberCustomer), pipeline.MaxCustomer, true)
	if fault != textFine && !d.beats(b, fault) {
		return customerCode(fault)
	}
	if e.Type, fault = d.text(b, d.top.get(memberType), pipeline.MaxType, false); fault != textFine {
		return typeCode(fault)
	}
	e.Control = d.identifies(e.Type)
	if c := d.readTime(b, d.top.get(memberTime), e); c != pipeline.Usable {
		return c
	}
	if c := d.readMoney(b, d.top.get(memberValue), d.top.get(memberCurrency), false, e); c != pipeline.Usable {
		return c
	}
	if e.ID, fault = d.text(b, d.top.get(memberID), pipeline.MaxID, true); fault > textMissing {
		return pipeline.IDUnreadable
	}
	if e.Tenant, fault = d.text(b, d.top.get(memberTenant), pipeline.MaxTenant, false); fault > textMissing {
		return pipeline.TenantUnreadable
	}
	if e.Source, fault = d.text(b, d.top.get(memberSource), maxSource, false); fault > textMissing {
		e.Source = nil // it decides nothing of the event
	}
	d.readProperties(b, d.top.get(memberProperties), e)
	d.readContact(b, d.top.get(memberProperties), &contactBelow, e)
	return pipeline.Usable
}
