package decode_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// plainEvent is an event as plain values, to compare.
type plainEvent struct {
	Offset, Time, Timestamp         int64
	Code                            pipeline.Code
	Key, Tenant, Customer, Type, ID string
	Value                           int64
	HasValue, AppendTime, Control   bool
	NoMoney, BySubject, Anonymous   bool
	Erase                           bool
	Currency                        string
	SourceHash                      uint64
	Envelope                        pipeline.Envelope
}

func plainly(e *pipeline.Event) plainEvent {
	return plainEvent{
		Offset:     e.Offset,
		Time:       e.Time,
		Timestamp:  e.Timestamp,
		Code:       e.Code,
		Key:        string(e.Key),
		Tenant:     string(e.Tenant),
		Customer:   string(e.Customer),
		Type:       string(e.Type),
		ID:         string(e.ID),
		Value:      e.Value,
		HasValue:   e.HasValue,
		AppendTime: e.AppendTime,
		Currency: strings.Trim(
			string(e.Currency[:]),
			"\x00",
		),
		Control:    e.Control,
		Erase:      e.Erase,
		Anonymous:  e.Anonymous,
		NoMoney:    e.NoMoney,
		BySubject:  e.BySubject,
		SourceHash: e.SourceHash,
		Envelope:   e.Envelope,
	}
}

// decodePlainly is the decoder as one would write it without regard to speed. spec is its mapping, nil: none. money
// says of which types money is taken; nil: of all, control events too.
func decodePlainly(
	r *pipeline.Record,
	maxRecordBytes int,
	spec *decode.MappingSpec,
	money func(string) bool,
) plainEvent {
	e := plainEvent{Offset: r.Offset, Timestamp: r.Timestamp, AppendTime: r.AppendTime}
	refused := e
	if refused.Code = e.read(r, maxRecordBytes, spec, money); refused.Code != pipeline.Usable {
		refused.Envelope = e.Envelope
		return refused
	}
	return e
}

// plainFields is the common form of all envelopes: raw JSON, nil where there is nothing.
type plainFields struct {
	customer, kind, value, currency, id, source, tenant json.RawMessage

	time     func() (int64, pipeline.Code)
	minor    bool // the value is in minor units
	control  bool
	erase    bool
	unknown  bool // the customer: it is a visitor
	subject  bool // the customer is the subject
	envelope pipeline.Envelope
}

func (e *plainEvent) read(
	r *pipeline.Record, maxRecordBytes int, spec *decode.MappingSpec, money func(string) bool,
) pipeline.Code {
	f, c := plainEnvelope(r, maxRecordBytes, spec)
	flat := f.envelope == pipeline.Flat // money is exact, a tenant no number
	e.Envelope = f.envelope
	if c != pipeline.Usable {
		return c
	}
	if e.Customer, c = plainText(
		f.customer,
		true,
		pipeline.CustomerMissing,
		pipeline.CustomerUnreadable,
	); c != pipeline.Usable {
		return c
	}
	if len(e.Customer) > pipeline.MaxCustomer {
		return pipeline.CustomerTooLong
	}
	if e.Type, c = plainText(
		f.kind,
		f.envelope == pipeline.Mapped,
		pipeline.TypeMissing,
		pipeline.TypeUnreadable,
	); c != pipeline.Usable {
		return c
	}
	if len(e.Type) > pipeline.MaxType {
		return pipeline.TypeUnreadable
	}
	f.control = f.control || e.Type == "identify" && (flat || f.envelope == pipeline.CloudEvent)
	if e.Time, c = f.time(); c != pipeline.Usable {
		return c
	}
	if c = e.readMoney(f.value, f.currency, flat, f.minor); c != pipeline.Usable {
		if money == nil || !f.control && money(e.Type) {
			return c
		}
		e.Value, e.Currency, e.NoMoney = 0, "", true
	}
	if e.ID, c = plainText(
		f.id,
		true,
		pipeline.Usable,
		pipeline.IDUnreadable,
	); c != pipeline.Usable ||
		len(e.ID) > pipeline.MaxID {
		return pipeline.IDUnreadable
	}
	source, c := plainText(f.source, false, pipeline.Usable, pipeline.IDUnreadable)
	if c != pipeline.Usable || len(source) > 1024 {
		return pipeline.IDUnreadable
	}
	if source != "" {
		e.SourceHash = xxhash.Sum64String(source)
	}
	if e.Tenant, c = plainText(
		f.tenant,
		!flat,
		pipeline.Usable,
		pipeline.TenantUnreadable,
	); c != pipeline.Usable ||
		len(e.Tenant) > pipeline.MaxTenant {
		return pipeline.TenantUnreadable
	}
	e.Key = string(rune(len(e.Tenant))) + e.Tenant + e.Customer
	e.Control, e.Anonymous, e.BySubject = f.control, f.unknown, f.subject
	e.Erase = f.erase || f.envelope != pipeline.Segment && e.Type == "erase"
	return pipeline.Usable
}

// plainSyntax checks b as JSON text, which has to be an object unless any value is allowed. Nesting that is too deep
// counts before a fault after it.
func plainSyntax(b []byte, anyValue bool) pipeline.Code {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	object := anyValue || strings.HasPrefix(strings.TrimLeft(string(b), " \t\r\n"), "{")
	if deep := upToTooDeep(b); deep != nil {
		var v any
		err := json.NewDecoder(bytes.NewReader(deep)).Decode(&v)
		if object && utf8.Valid(deep) && errors.Is(err, io.ErrUnexpectedEOF) {
			return pipeline.NestedTooDeep
		}
		return pipeline.NotJSON
	}
	if !object || !utf8.Valid(b) || !json.Valid(b) {
		return pipeline.NotJSON
	}
	return pipeline.Usable
}

// upToTooDeep is b up to the first bracket that nests deeper than allowed, and that bracket; nil if there is none.
func upToTooDeep(b []byte) []byte {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > pipeline.MaxDepth {
				return b[:i+1]
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// anOffset is what may stand behind a time.
const anOffset = ` ?(?:(?i:z|utc|gmt)|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)(?:\[[^\]]+\]| [A-Za-z]+)?`

var (
	integerText = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numberText  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	dateTime    = regexp.MustCompile(
		`^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(` + anOffset + `)?)?$`,
	)
	basicTime  = regexp.MustCompile(`^(\d{4})(\d\d)(\d\d)[Tt ](\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?(` + anOffset + `)?$`)
	offsetText = regexp.MustCompile(`^ ?([+-])(\d\d):?(\d\d)?`)
)

// plainText is the text of a member; missing and unreadable are the codes for either case.
func plainText(raw json.RawMessage, integers bool, missing, unreadable pipeline.Code) (string, pipeline.Code) {
	switch {
	case raw == nil || string(raw) == "null" || string(raw) == `""`:
		return "", missing
	case integers && integerText.Match(raw):
		return string(raw), pipeline.Usable
	case raw[0] != '"' || loneSurrogate(raw):
		return "", unreadable
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(err)
	}
	return s, pipeline.Usable
}

// loneSurrogate reports whether an escape in a valid JSON string is half of a surrogate pair.
func loneSurrogate(raw []byte) bool {
	unit := func(b []byte) rune { // the code unit of an escape at the start of b, or 0
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0
		}
		n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		if err != nil {
			panic(err)
		}
		return rune(n)
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if r := unit(raw[i:]); utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, unit(raw[i+6:])) == utf8.RuneError {
				return true
			}
			i += 11
			continue
		}
		i++
	}
	return false
}

// plainNumber is the text of a member that may be a number or a string; ok is false where it is neither.
func plainNumber(raw json.RawMessage) (s string, missing, ok bool) {
	if numberText.Match(raw) {
		return string(raw), false, len(raw) <= 256
	}
	s, c := plainText(raw, false, pipeline.TimeMissing, pipeline.TimeUnreadable)
	return s, c == pipeline.TimeMissing, c == pipeline.Usable && len(s) <= 256
}

func plainTime(raw json.RawMessage) (int64, pipeline.Code) { return plainTimeIn(raw, nil) }

// plainTimeIn is plainTime where times without an offset are of a zone; nil: they are unreadable.
func plainTimeIn(raw json.RawMessage, zone *time.Location) (int64, pipeline.Code) {
	ms, c := plainClockIn(raw, zone)
	if c != pipeline.Usable {
		return 0, c
	}
	return ms, plainRange(ms)
}

// plainClock is plainTime whatever the year.
func plainClock(raw json.RawMessage) (int64, pipeline.Code) { return plainClockIn(raw, nil) }

func plainClockIn(raw json.RawMessage, zone *time.Location) (int64, pipeline.Code) {
	s, missing, ok := plainNumber(raw)
	switch {
	case missing:
		return 0, pipeline.TimeMissing
	case !ok:
		return 0, pipeline.TimeUnreadable
	}
	t, ok := plainInstant(s, zone)
	if !ok {
		return 0, pipeline.TimeUnreadable
	}
	return t.UnixMilli(), pipeline.Usable
}

func plainRange(ms int64) pipeline.Code {
	if y := time.UnixMilli(ms).UTC().Year(); y < 1971 || y > 2200 {
		return pipeline.TimeOutOfRange
	}
	return pipeline.Usable
}

// plainRat is a number in JSON's grammar. What is beyond all reason is as far beyond it with a smaller exponent.
func plainRat(s string) *big.Rat {
	const reason = 1000
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if n, err := strconv.Atoi(cmp.Or(exponent, "0")); err != nil || n < -reason || n > reason {
		sign := strings.TrimRight(exponent, "0123456789")
		exponent = sign + strconv.Itoa(reason)
	}
	v, ok := new(big.Rat).SetString(mantissa + "e" + cmp.Or(exponent, "0"))
	if !ok {
		panic("no number: " + s)
	}
	return v
}

func plainInstant(s string, zone *time.Location) (t time.Time, ok bool) {
	if numberText.MatchString(s) {
		v := plainRat(s)
		if v.Cmp(big.NewRat(1e10, 1)) < 0 {
			v.Mul(v, big.NewRat(1000, 1))
		}
		ms := new(big.Int).Div(v.Num(), v.Denom())
		if ms.BitLen() > 50 { // past the year 9999
			return time.Time{}, true
		}
		return time.UnixMilli(ms.Int64()), true
	}
	m := dateTime.FindStringSubmatch(s)
	if m == nil {
		m = basicTime.FindStringSubmatch(s)
	}
	if m == nil {
		return t, false
	}
	var part [6]int
	for i := range part {
		part[i], _ = strconv.Atoi(cmp.Or(m[i+1], "0"))
	}
	ms, _ := strconv.Atoi((m[7] + "000")[:3])
	date := time.Date(part[0], time.Month(part[1]), part[2], 0, 0, 0, 0, time.UTC)
	if date.Month() != time.Month(part[1]) || date.Day() != part[2] || part[3] > 23 || part[4] > 59 || part[5] > 60 {
		return t, false
	}
	t = date.Add(time.Duration(part[3])*time.Hour + time.Duration(part[4])*time.Minute +
		time.Duration(part[5])*time.Second + time.Duration(ms)*time.Millisecond)
	if m[8] == "" {
		return plainlyInZone(t, zone)
	}
	if o := offsetText.FindStringSubmatch(m[8]); o != nil {
		hours, _ := strconv.Atoi(o[1] + o[2])
		minutes, _ := strconv.Atoi(o[1] + cmp.Or(o[3], "0"))
		t = t.Add(-time.Duration(hours)*time.Hour - time.Duration(minutes)*time.Minute)
	}
	return t, true
}

// plainlyInZone is the first instant at which clocks of the zone show wall; where they never do, the one at which they
// would, had they not been put forward. It looks at every minute.
func plainlyInZone(wall time.Time, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		return time.Time{}, false
	}
	var before time.Duration // the offset of the latest minute at which they showed less
	for at := wall.Add(-26 * time.Hour); at.Before(wall.Add(26 * time.Hour)); at = at.Add(time.Minute) {
		_, seconds := at.In(zone).Zone()
		offset := time.Duration(seconds) * time.Second
		switch shown := at.Add(offset); {
		case shown.Equal(wall):
			return at, true
		case shown.Before(wall):
			before = offset
		default:
			return wall.Add(-before), true
		}
	}
	return wall.Add(-before), true
}

func (e *plainEvent) readMoney(value, currency json.RawMessage, exact, minor bool) pipeline.Code {
	var c pipeline.Code
	if e.Currency, c = plainText(currency, false, pipeline.Usable, pipeline.CurrencyUnreadable); c != pipeline.Usable {
		return c
	}
	if e.Currency != "" && !regexp.MustCompile(`^[A-Za-z]{3}$`).MatchString(e.Currency) {
		return pipeline.CurrencyUnreadable
	}
	e.Currency = strings.ToUpper(e.Currency)
	s, missing, ok := plainNumber(value)
	if missing {
		return pipeline.Usable
	}
	if !ok || !numberText.MatchString(s) {
		return pipeline.ValueUnreadable
	}
	decimals, special := map[string]int64{
		"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0,
		"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	}[e.Currency]
	switch {
	case minor:
		decimals, exact = 0, true
	case !special:
		decimals = 2
	}
	v := plainRat(s)
	v.Mul(v, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)))
	if !exact {
		v = rounded(v)
	}
	if !v.IsInt() || !v.Num().IsInt64() {
		return pipeline.ValueUnreadable
	}
	e.Value, e.HasValue = v.Num().Int64(), true
	return pipeline.Usable
}

// rounded is v without its fraction, half away from zero.
func rounded(v *big.Rat) *big.Rat {
	half := big.NewRat(int64(v.Sign()), 2)
	v = new(big.Rat).Add(v, half)
	return new(big.Rat).SetInt(new(big.Int).Quo(v.Num(), v.Denom()))
}
