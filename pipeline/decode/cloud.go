package decode

import (
	"bytes"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
)

// CloudEvents 1.0, by the protocol binding for Kafka. In structured mode the record's value is a JSON object with the
// attributes and data:
//
//	{"specversion": "1.0", "type", "source", "id", "time", "subject", "partitionkey", "tenant", "customer", "data": {...}}
//
// A record counts as one where its header content-type begins with application/cloudevents, or its specversion is a
// text. In binary mode it has the header ce_specversion: the attributes are headers that begin with ce_, with UTF-8
// text as values, and the value is the data, of the type in the header content-type or, without one, JSON if it can be
// read as that. Damaged headers are ignored.
//
// type, id and tenant are the attributes; so is time, without which the record's timestamp counts. The customer is the
// extension attribute customer, else data.customer, else subject, else partitionkey. tenant may also be data.tenant;
// the amount is data.value with data.currency, rounded to the minor unit. Data that is no JSON object holds none of
// these. An event that names its customer in its subject alone says so (Event.BySubject), whatever its data is: the subject
// need not be the customer. Data that was to be JSON and cannot be read (data.go) makes the record unusable. An id is unique for its source only: both together are what a duplicate is known by.

// cloudMode is the mode of a CloudEvent by its record's headers.
type cloudMode uint8

const (
	modeNone cloudMode = iota // no CloudEvent by its headers
	modeStructured
	modeBinary
)

// headerHints is what a record's headers contain about how to read it.
type headerHints struct {
	mode        cloudMode
	contentType []byte // of the value; nil: not given
	backfill    bool   // the event raises nothing; see pipeline.BackfillHeader
	erase       bool   // it erases its customer; see pipeline.EraseHeader
}

// maxSource bounds the text of a CloudEvent's source, in bytes.
const maxSource = 1024

// scanHeaders notes the attributes among the headers in d.top.
func (d *Decoder) scanHeaders(b []byte) headerHints {
	const prefix = "ce_"
	var contentType, dataType []byte
	h := headerHints{}
	d.top.seen = 0
	headers := pipeline.ReadHeaders(b)
	for key, value, ok := headers.Next(); ok; key, value, ok = headers.Next() {
		switch {
		case string(key) == "content-type":
			contentType = value
		case string(key) == "ce_datacontenttype":
			dataType = value
		case string(key) == pipeline.BackfillHeader:
			h.backfill = string(value) == pipeline.BackfillValue
		case string(key) == pipeline.EraseHeader:
			h.erase = true
		case bytes.HasPrefix(key, []byte(prefix)):
			d.top.note(memberNamed(key[len(prefix):]), headerToken(value, headers.At()))
		}
	}
	if len(contentType) == 0 {
		contentType = dataType
	}
	switch {
	case !headers.Whole():
		h.erase = false
	case isCloudEvent(contentType):
		h.mode = modeStructured
	case d.top.get(memberSpecVersion).isText():
		h.mode, h.contentType = modeBinary, contentType
	}
	return h
}

// headerToken describes a header's value, which ends at end, as if it were a member's.
func headerToken(value []byte, end int) jsonToken {
	t := jsonToken{from: end - len(value), to: end, kind: jsonPlain}
	switch {
	case value == nil:
		t.kind = jsonNull
	case !utf8.Valid(value):
		t.kind = jsonOther
	}
	return t
}

// isCloudEvent recognises the media types of whole CloudEvents, isJSON those whose subtype or suffix is JSON.
func isCloudEvent(mediaType []byte) bool {
	const prefix = "application/cloudevents"
	return len(mediaType) >= len(prefix) && bytes.EqualFold(mediaType[:len(prefix)], []byte(prefix))
}

func isJSON(mediaType []byte) bool {
	mediaType, _, _ = bytes.Cut(mediaType, []byte(";"))
	mediaType = bytes.TrimRight(mediaType, " \t")
	const n = len("/json")
	if len(mediaType) < n {
		return false
	}
	end := mediaType[len(mediaType)-n:]
	return bytes.EqualFold(end, []byte("/json")) || bytes.EqualFold(end, []byte("+json"))
}

// decodeBinary reads a CloudEvent whose attributes are in d.top.
func (d *Decoder) decodeBinary(r *pipeline.Record, h *headerHints, e *pipeline.Event) pipeline.Code {
	if d.tooLarge(r) {
		return pipeline.RecordTooLarge
	}
	e.Envelope = pipeline.CloudEvent
	value, data, c := r.Value, jsonToken{}, pipeline.Usable
	declared := isJSON(h.contentType)
	switch {
	case len(r.Value) == 0:
	case declared && r.Value[0] == 0:
		return pipeline.RegistryFramed
	case declared:
		value, data, c = d.readData(r.Value, promisedJSON)
	case len(h.contentType) == 0:
		value, data, c = d.readData(r.Value, promisedNothing)
	}
	if c != pipeline.Usable {
		return c
	}
	return d.readCloudEvent(r.Headers, value, data, e)
}

// readStructured reads a CloudEvent whose attributes and data are the members of the object in b, noted in d.top.
func (d *Decoder) readStructured(b []byte, e *pipeline.Event) pipeline.Code {
	e.Envelope = pipeline.CloudEvent
	value, data := b, d.top.get(memberData)
	if data.kind != jsonObject {
		var c pipeline.Code
		if value, data, c = d.packedData(b, data); c != pipeline.Usable {
			return c
		}
	}
	return d.readCloudEvent(b, value, data, e)
}

// readCloudEvent reads the attributes, which are noted in d.top and lie in attributes, and the members of data, which
// lies in value.
func (d *Decoder) readCloudEvent(attributes, value []byte, data jsonToken, e *pipeline.Event) (c pipeline.Code) {
	var fault textFault
	d.scanInner(value, data)
	if e.Customer, fault = d.cloudCustomer(attributes, value, e); fault != textFine && !d.beats(attributes, fault) {
		return customerCode(fault)
	}
	if e.Type, fault = d.text(attributes, d.top.get(memberType), pipeline.MaxType, false); fault != textFine {
		return typeCode(fault)
	}
	e.Control = d.identifies(e.Type)
	if c = d.readTime(attributes, d.top.get(memberTime), e); c == pipeline.TimeMissing && e.Timestamp > 0 {
		e.Time, c = e.Timestamp, instantCode(e.Timestamp)
	}
	if c != pipeline.Usable {
		return c
	}
	if c = d.readMoney(value, d.inner.get(memberValue), d.inner.get(memberCurrency), true, e); c != pipeline.Usable {
		return c
	}
	if !d.readSourceID(attributes, e) {
		return pipeline.IDUnreadable
	}
	if e.Tenant, fault = d.cloudTenant(attributes, value); fault > textMissing {
		return pipeline.TenantUnreadable
	}
	d.readProperties(value, data, e)
	d.readContact(value, data, &contactBelow, e)
	return pipeline.Usable
}

func (d *Decoder) cloudCustomer(attributes, value []byte, e *pipeline.Event) ([]byte, textFault) {
	b, t := attributes, d.top.get(memberCustomer)
	if t.absent() {
		b, t = value, d.inner.get(memberCustomer)
	}
	if t.absent() {
		b, t = attributes, d.top.first(memberSubject, memberPartitionKey)
		e.BySubject = !d.top.get(memberSubject).absent()
	}
	return d.text(b, t, pipeline.MaxCustomer, true)
}

func (d *Decoder) cloudTenant(attributes, value []byte) ([]byte, textFault) {
	if t := d.top.get(memberTenant); !t.absent() {
		return d.text(attributes, t, pipeline.MaxTenant, true)
	}
	return d.text(value, d.inner.get(memberTenant), pipeline.MaxTenant, true)
}

// readSourceID reads the id and the source that makes it unique. ok is false where either is unreadable.
func (d *Decoder) readSourceID(b []byte, e *pipeline.Event) (ok bool) {
	var source []byte
	var fault textFault
	if e.ID, fault = d.text(b, d.top.get(memberID), pipeline.MaxID, true); fault > textMissing {
		return false
	}
	if source, fault = d.text(b, d.top.get(memberSource), maxSource, false); fault > textMissing {
		return false
	}
	if fault == textFine {
		e.Source, e.SourceHash = source, xxhash.Sum64(source)
	}
	return true
}
