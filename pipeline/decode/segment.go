package decode

import (
	"ebb/pipeline"
)

// Messages of the Segment specification, as its libraries and compatible ones send them, one to a record:
//
//	{"type": "track", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "originalTimestamp",
//	 "receivedAt", "properties": {"revenue", "total", "value", "currency"}, "context": {"groupId"}}
//
// A record counts as one where it has no customer and its type is one of the calls. The customer is userId. A message
// with an anonymousId alone is of a visitor: it is read, and counts where the settings say so. The id is messageId. The type of a track is the name of its event, that of a page "Page Viewed", that of
// a screen "Screen Viewed". An identify, a group and an alias are control events; a delete erases its customer. The tenant is context.groupId. The
// amount is the first of properties.revenue, total and value, rounded to the minor unit, since these libraries compute
// in floats.

// segmentCall is one of the calls of the specification.
type segmentCall uint8

const (
	callNone segmentCall = iota
	callTrack
	callPage
	callScreen
	callControl // identify, group, alias
	callErase   // delete, erase: the customer's deletion
)

// segmentCall is the call of the record's type.
func (d *Decoder) segmentCall(b []byte) segmentCall {
	const longest = len("identify")
	name, _ := d.text(b, d.top.get(memberType), longest, false)
	switch string(name) {
	case "track":
		return callTrack
	case "page":
		return callPage
	case "screen":
		return callScreen
	case "identify", "group", "alias":
		return callControl
	case "delete", "erase":
		if d.rules >= rulesErase {
			return callErase
		}
	}
	return callNone
}

func (d *Decoder) readSegment(b []byte, call segmentCall, e *pipeline.Event) pipeline.Code {
	var fault textFault
	e.Envelope = pipeline.Segment
	id := d.top.first(memberUserID, memberAnonymousID)
	e.Anonymous = !d.anonymous && d.top.get(memberUserID).absent()
	if e.Customer, fault = d.text(b, id, pipeline.MaxCustomer, true); fault != textFine {
		return customerCode(fault)
	}
	if c := d.readCall(b, call, e); c != pipeline.Usable {
		return c
	}
	if c := d.readDeviceTime(b, e); c != pipeline.Usable {
		return c
	}
	d.scanInner(b, d.top.get(memberProperties))
	amount := d.inner.first(memberRevenue, memberTotal, memberValue)
	if c := d.readMoney(b, amount, d.inner.get(memberCurrency), true, e); c != pipeline.Usable {
		return c
	}
	if e.ID, fault = d.text(b, d.top.get(memberMessageID), pipeline.MaxID, true); fault > textMissing {
		return pipeline.IDUnreadable
	}
	d.scanInner(b, d.top.get(memberContext))
	if e.Tenant, fault = d.text(b, d.inner.get(memberGroupID), pipeline.MaxTenant, true); fault > textMissing {
		return pipeline.TenantUnreadable
	}
	d.readProperties(b, d.top.get(memberProperties), e)
	d.readContact(b, jsonToken{from: skipSpace(b, 0), kind: jsonObject}, &segmentContact, e)
	return pipeline.Usable
}

// readCall reads the event's type.
func (d *Decoder) readCall(b []byte, call segmentCall, e *pipeline.Event) pipeline.Code {
	const page, screen = "Page Viewed", "Screen Viewed"
	var fault textFault
	switch call {
	case callPage:
		e.Type = append(d.scratch.take(len(page)), page...)
	case callScreen:
		e.Type = append(d.scratch.take(len(screen)), screen...)
	case callControl, callErase:
		e.Control, e.Erase = true, call == callErase
		e.Type, fault = d.text(b, d.top.get(memberType), pipeline.MaxType, false)
	default:
		e.Type, fault = d.text(b, d.top.get(memberEvent), pipeline.MaxType, false)
	}
	return typeCode(fault)
}

// readDeviceTime reads the event's time: timestamp, else originalTimestamp, else sentAt. It is the device's clock,
// which may be wrong. It is corrected by the distance of sentAt, of the same clock, from the time at which the message
// was received:
//
//	time = timestamp + (received − sentAt)
//
// A message with both timestamp and originalTimestamp has already been corrected: its timestamp is taken unchanged.
func (d *Decoder) readDeviceTime(b []byte, e *pipeline.Event) pipeline.Code {
	c := d.readTime(b, d.top.first(memberTimestamp, memberOriginalTimestamp, memberSentAt), e)
	if c != pipeline.Usable && c != pipeline.TimeOutOfRange { // a clock that begins in 1970 can still be corrected
		return c
	}
	if d.top.get(memberTimestamp).absent() || d.top.get(memberOriginalTimestamp).absent() {
		e.Time += d.skew(b, e)
	}
	return instantCode(e.Time)
}

// skew is what to add to e.Time, the device's. It is 0, no correction, where
//   - sentAt is missing or unreadable, or more than a day before the event: then the two are not of one clock;
//   - the time of receipt is unknown. It is receivedAt, else the record's timestamp. A record's timestamp does not
//     count where it is the event's own time, as in a log written to Kafka later, or is more than a day from sentAt: at
//     such a distance messages that were stored on the way are more frequent than wrong clocks.
//
// A clock outside the years 1970 to 2200 is unreadable.
func (d *Decoder) skew(b []byte, e *pipeline.Event) int64 {
	sent, ok := d.clock(b, memberSentAt)
	if !ok || !isClock(e.Time) || e.Time-sent > pipeline.DayMillis {
		return 0
	}
	if received, ok := d.clock(b, memberReceivedAt); ok {
		return received - sent
	}
	if !isClock(e.Timestamp) || e.Timestamp == e.Time {
		return 0
	}
	if skew := e.Timestamp - sent; skew >= -pipeline.DayMillis && skew <= pipeline.DayMillis {
		return skew
	}
	return 0
}

// clock is the time in a member.
func (d *Decoder) clock(b []byte, m member) (ms int64, ok bool) {
	text, fault := d.number(b, d.top.get(m))
	if fault != textFine {
		return 0, false
	}
	ms, c := parseInstant(text)
	return ms, c != pipeline.TimeUnreadable && isClock(ms)
}

func isClock(ms int64) bool { return ms >= 0 && ms < pastInstant }
