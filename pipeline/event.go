package pipeline

import (
	"ebb/scoring/feature"
	"ebb/scoring/profile"
)

// Event is one customer's event in normal form. Its slices alias the record or the decoder's scratch memory and are
// valid as long as their batch.
type Event struct {
	Offset   int64
	Time     int64    // event time, ms since the epoch
	Code     Code     // why the record cannot be used; Usable if it can
	Envelope Envelope // that was recognised
	// of somebody who is not known: it counts for nothing. An event has to be Usable to be one.
	Anonymous bool
	Heartbeat bool // by which a source shows that it lives: it is of no customer
	Backfill  bool // it was sent to fill the state, and raises nothing by itself
	Control   bool // an event about the customer (identify, group, alias), which is no activity whatever its type
	Erase     bool // it erases its customer

	Key      []byte // state key of the customer; see AppendKey
	Tenant   []byte // may be empty
	Customer []byte // 1 to 256 bytes
	Type     []byte // what happened, 1 to 256 bytes
	ID       []byte // producer's event id; empty: none, and no dedupe

	SourceHash uint64 // of the producer's name, within which ID is unique; 0: none given, ID is unique by itself

	// the producer's name, which tells sources apart that may fall silent; empty: none given
	Source []byte

	Value    int64 // money in minor units of Currency
	HasValue bool
	Currency profile.Currency // zero where none was given
	NoMoney  bool             // what stands in the place of money is none: the event counts without it

	BySubject bool // the customer is a CloudEvent's subject, which may be something else: nothing else named one

	Properties []feature.Property // that the pack reads, in its order; empty where it reads none of this type
	Texts      [][]byte           // of the pack's facts, in its order, as sent; empty where it carries none of this type

	Contact   profile.ContactChange // how the customer may be written to
	NoZone    bool                  // what stands in the place of a time zone is none, or none that is known
	NoChannel bool                  // so is what stands in the place of a channel

	AppendTime bool  // the record's timestamp is the broker's clock:
	Timestamp  int64 // of the record, ms since the epoch
}

// Counts reports whether the event has an effect: the record can be used, and names a customer.
func (e *Event) Counts() bool { return e.Code == Usable && !e.Anonymous && !e.Heartbeat }

// Envelope is the form of an event's record.
type Envelope uint8

// Envelopes.
const (
	Flat Envelope = iota // ebb's own flat JSON
	Segment
	CloudEvent
	Mapped // other JSON, read by the configuration's mapping
)

// String is the envelope's stable name.
func (e Envelope) String() string { return [...]string{"flat", "segment", "cloudevent", "mapping"}[e] }

// Code is why a record cannot be used. The closed list is a contract: `ebb.error.code` of quarantined records.
type Code uint8

// Codes of records that cannot be used. New ones are added at the end, since the outbox holds the number.
const (
	Usable             Code = iota
	NotJSON                 // not one JSON object, or not UTF-8
	NestedTooDeep           // JSON nested deeper than MaxDepth
	CustomerMissing         // no customer, or an empty one
	CustomerTooLong         // more than 256 bytes
	CustomerUnreadable      // not a string or an integer
	TypeMissing             // no event type, or an empty one
	TypeUnreadable          // not a string, or more than 256 bytes
	TimeMissing             // no event time
	TimeUnreadable          // neither RFC 3339 nor epoch
	TimeOutOfRange          // before 1971 or after 2200
	ValueUnreadable         // money that is no decimal number or, in flat JSON, has more decimals than its currency
	CurrencyUnreadable      // not three letters
	// not a string or an integer, or more than 256 bytes; or its source is no string of at most 1024.
	IDUnreadable
	TenantUnreadable // not a string, or more than 64 bytes
	RecordTooLarge   // above the configured size
	RecordEmpty      // no value (a tombstone), unless the headers are a CloudEvent
	RegistryFramed   // schema-registry framing (magic byte 0), not supported yet
	NumCodes
)

var codeNames = [NumCodes]string{
	"usable",
	"not_json",
	"nested_too_deep",
	"customer_missing",
	"customer_too_long",
	"customer_unreadable",
	"type_missing",
	"type_unreadable",
	"time_missing",
	"time_unreadable",
	"time_out_of_range",
	"value_unreadable",
	"currency_unreadable",
	"id_unreadable",
	"tenant_unreadable",
	"record_too_large",
	"record_empty",
	"registry_framed",
}

// String is the code's stable name.
func (c Code) String() string {
	if c >= NumCodes {
		return "unknown"
	}
	return codeNames[c]
}

// Bounds of an event's parts, in bytes.
const (
	MaxCustomer = 256
	MaxTenant   = 64
	MaxType     = 256
	MaxID       = 256
	MaxDepth    = 64 // levels of nested JSON
)

// AppendKey joins tenant and customer to the customer's state key: one byte that holds the tenant's length (at most
// MaxTenant), the tenant, the customer. No two pairs share a key.
func AppendKey(dst, tenant, customer []byte) []byte {
	dst = append(dst, byte(len(tenant)))
	dst = append(dst, tenant...)
	return append(dst, customer...)
}

// SplitKey is the inverse of AppendKey. Both slices alias key.
func SplitKey(key []byte) (tenant, customer []byte) {
	n := 1 + int(key[0])
	return key[1:n], key[n:]
}
