package pipeline

// ebb's own flat JSON:
//
//	{"id", "customer", "type", "time", "value", "currency", "tenant", "properties"}
//
// customer and id are strings or integers (42 and "42" are the same customer), type and tenant strings. time is RFC 3339, or
// seconds or milliseconds since the epoch, as a number or a string (see parseInstant). value is a decimal number or a
// string that holds one, exact to the minor unit (see parseMoney); an exponent is refused. properties may be anything.
//
// Unknown members are validated and ignored, and so is properties. Of a repeated member the last one counts. A member
// that is null or an empty string counts as absent. Names are compared exactly, after their escapes. Half a surrogate
// pair in an escape, as a text cut in the middle of an emoji leaves it, makes a member that is read unreadable; elsewhere
// it does no harm.

// Members of the envelope that are read.
const (
	flatOther = iota - 1
	flatCustomer
	flatType
	flatTime
	flatCurrency
	flatValue
	flatID
	flatTenant
	flatMembers
)

// scanFlat validates the record and notes where its members are.
func (d *Decoder) scanFlat(b []byte) Code {
	clear(d.flat[:])
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' {
		return NotJSON
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
		return flatEnd(b, i+1)
	}
	for {
		member, next := flatName(b, i)
		if next < 0 {
			return NotJSON
		}
		value, next := scanValue(b, skipSpace(b, next), 1)
		if next < 0 {
			return Code(-next)
		}
		if member != flatOther {
			d.flat[member] = value
		}
		if i = skipSpace(b, next); i == len(b) {
			return NotJSON
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return flatEnd(b, i+1)
		default:
			return NotJSON
		}
	}
}

// flatEnd says whether nothing but white space follows the record's object.
func flatEnd(b []byte, i int) Code {
	if skipSpace(b, i) != len(b) {
		return NotJSON
	}
	return Usable
}

// flatName reads a member's name and the colon behind it: which member it is, and the place of its value, or -1.
// Comparing with a name and its length, both known, lets the processor run ahead; measuring the name does not.
func flatName(b []byte, i int) (member, next int) {
	const longest = len(`"properties":`)
	if len(b)-i > longest {
		switch n := b[i:]; n[1] {
		case 'c':
			if string(n[:11]) == `"customer":` {
				return flatCustomer, i + 11
			}
			if string(n[:11]) == `"currency":` {
				return flatCurrency, i + 11
			}
		case 'i':
			if string(n[:5]) == `"id":` {
				return flatID, i + 5
			}
		case 'p':
			if string(n[:longest]) == `"properties":` {
				return flatOther, i + longest
			}
		case 't':
			if string(n[:7]) == `"type":` {
				return flatType, i + 7
			}
			if string(n[:7]) == `"time":` {
				return flatTime, i + 7
			}
			if string(n[:9]) == `"tenant":` {
				return flatTenant, i + 9
			}
		case 'v':
			if string(n[:8]) == `"value":` {
				return flatValue, i + 8
			}
		}
	}
	name, next := scanName(b, i)
	if next < 0 {
		return flatOther, next
	}
	return flatMember(b, name), next
}

// flatMember tells which member a name means.
func flatMember(b []byte, name jsonToken) int {
	text := b[name.from:name.to]
	if name.kind == jsonEscaped {
		const longest = len("customer")
		var buffer [longest + 1]byte
		var ok bool
		if text, ok = appendUnescaped(buffer[:0], text, longest); !ok {
			return flatOther
		}
	}
	switch string(text) {
	case "customer":
		return flatCustomer
	case "type":
		return flatType
	case "time":
		return flatTime
	case "currency":
		return flatCurrency
	case "value":
		return flatValue
	case "id":
		return flatID
	case "tenant":
		return flatTenant
	}
	return flatOther
}

// readFlat reads the members into e. Where several are wrong, the code is that of the first in this order.
func (d *Decoder) readFlat(b []byte, e *Event) Code {
	var fault textFault
	if e.Customer, fault = d.text(b, d.flat[flatCustomer], MaxCustomer, true); fault != textFine {
		return [...]Code{textMissing: CustomerMissing, textUnreadable: CustomerUnreadable, textTooLong: CustomerTooLong}[fault]
	}
	if e.Type, fault = d.text(b, d.flat[flatType], MaxType, false); fault != textFine {
		return [...]Code{textMissing: TypeMissing, textUnreadable: TypeUnreadable, textTooLong: TypeUnreadable}[fault]
	}
	if c := d.readTime(b, e); c != Usable {
		return c
	}
	if c := d.readMoney(b, e); c != Usable {
		return c
	}
	if e.ID, fault = d.text(b, d.flat[flatID], MaxID, true); fault > textMissing {
		return IDUnreadable
	}
	if e.Tenant, fault = d.text(b, d.flat[flatTenant], MaxTenant, false); fault > textMissing {
		return TenantUnreadable
	}
	return Usable
}

func (d *Decoder) readTime(b []byte, e *Event) (c Code) {
	text, fault := d.number(b, d.flat[flatTime])
	switch fault {
	case textMissing:
		return TimeMissing
	case textFine:
		e.Time, c = parseInstant(text)
		return c
	}
	return TimeUnreadable
}

func (d *Decoder) readMoney(b []byte, e *Event) Code {
	text, fault := d.text(b, d.flat[flatCurrency], len(e.Currency), false)
	ok := fault <= textMissing
	if fault == textFine {
		e.Currency, ok = parseCurrency(text)
	}
	if !ok {
		return CurrencyUnreadable
	}
	switch text, fault = d.number(b, d.flat[flatValue]); fault {
	case textMissing:
		return Usable
	case textFine:
		e.Value, e.HasValue = parseMoney(text, currencyDecimals(e.Currency))
	}
	if !e.HasValue {
		return ValueUnreadable
	}
	return Usable
}
