package decode

import (
	"ebb/pipeline"
)

// member is one of the names that some envelope reads.
type member uint8

const (
	memberOther member = iota
	memberCustomer
	memberType
	memberTime
	memberCurrency
	memberValue
	memberID
	memberTenant
	memberProperties
	memberEvent
	memberUserID
	memberAnonymousID
	memberMessageID
	memberTimestamp
	memberOriginalTimestamp
	memberSentAt
	memberReceivedAt
	memberContext
	memberGroupID
	memberRevenue
	memberTotal
	memberSpecVersion
	memberSource
	memberSubject
	memberPartitionKey
	memberData
	memberDataBase64
	memberDataContentType
	memberDataContentEncoding
	numMembers // at most 32: see memberTable
)

// memberTable notes where an object's members are. A bit per member records which are noted, so that clearing costs
// nothing.
type memberTable struct {
	seen uint32
	at   [numMembers]jsonToken
}

func (t *memberTable) note(m member, value jsonToken) {
	t.seen |= 1 << (m & 31)
	t.at[m] = value
}

// get is the member's value; its kind is jsonAbsent where there is none.
func (t *memberTable) get(m member) jsonToken {
	if t.seen>>(m&31)&1 == 0 {
		return jsonToken{}
	}
	return t.at[m]
}

// first is the first of the members that is not absent.
func (t *memberTable) first(members ...member) (value jsonToken) {
	for _, m := range members {
		if value = t.get(m); !value.absent() {
			break
		}
	}
	return value
}

// scanRecord validates the record, which must be one object, and notes its members in d.top.
func (d *Decoder) scanRecord(b []byte) pipeline.Code {
	d.top.seen = 0
	i := skipSpace(b, 0)
	if i == len(b) || b[i] != '{' {
		return pipeline.NotJSON
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
		return scanEnd(b, i+1)
	}
	for {
		m, next := scanMember(b, i)
		if next < 0 {
			return pipeline.NotJSON
		}
		value, next := scanValue(b, skipSpace(b, next), 1)
		if next < 0 {
			return pipeline.Code(-next)
		}
		d.top.note(m, value)
		if i = skipSpace(b, next); i == len(b) {
			return pipeline.NotJSON
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return scanEnd(b, i+1)
		default:
			return pipeline.NotJSON
		}
	}
}

// scanInner notes in d.inner the members of an object in b that has been validated. Any other value has none.
func (d *Decoder) scanInner(b []byte, object jsonToken) {
	d.inner.seen = 0
	if object.kind != jsonObject {
		return
	}
	for i := skipSpace(b, object.from+1); b[i] != '}'; {
		m, next := scanMember(b, i)
		value, next := scanValue(b, skipSpace(b, next), 1)
		d.inner.note(m, value)
		if i = skipSpace(b, next); b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
}

// scanEnd reports whether only white space follows the record's value.
func scanEnd(b []byte, i int) pipeline.Code {
	if skipSpace(b, i) != len(b) {
		return pipeline.NotJSON
	}
	return pipeline.Usable
}

// scanMember reads a member's name and the colon after it. It returns which member it is, and the place of its value,
// or -1. A comparison with a name of known length lets the processor run ahead, while measuring the name does not. So
// the names of the flat envelope are compared that way.
func scanMember(b []byte, i int) (m member, next int) {
	const longest = len(`"properties":`)
	if len(b)-i > longest {
		switch n := b[i:]; n[1] {
		case 'c':
			if string(n[:11]) == `"customer":` {
				return memberCustomer, i + 11
			}
			if string(n[:11]) == `"currency":` {
				return memberCurrency, i + 11
			}
		case 'i':
			if string(n[:5]) == `"id":` {
				return memberID, i + 5
			}
		case 'p':
			if string(n[:longest]) == `"properties":` {
				return memberProperties, i + longest
			}
		case 't':
			if string(n[:7]) == `"type":` {
				return memberType, i + 7
			}
			if string(n[:7]) == `"time":` {
				return memberTime, i + 7
			}
			if string(n[:9]) == `"tenant":` {
				return memberTenant, i + 9
			}
		case 'v':
			if string(n[:8]) == `"value":` {
				return memberValue, i + 8
			}
		}
	}
	name, next := scanName(b, i)
	if next < 0 {
		return memberOther, next
	}
	return memberOf(b, name), next
}

// memberOf finds the member of a name in b.
func memberOf(b []byte, name jsonToken) member {
	text := b[name.from:name.to]
	if name.kind == jsonEscaped {
		const longest = len("datacontentencoding")
		var buffer [longest + 1]byte
		var ok bool
		if text, ok = appendUnescaped(buffer[:0], text, longest); !ok {
			return memberOther
		}
	}
	return memberNamed(text)
}

func memberNamed(name []byte) member {
	switch string(name) {
	case "customer":
		return memberCustomer
	case "type":
		return memberType
	case "time":
		return memberTime
	case "currency":
		return memberCurrency
	case "value":
		return memberValue
	case "id":
		return memberID
	case "tenant":
		return memberTenant
	case "properties":
		return memberProperties
	case "event":
		return memberEvent
	case "userId":
		return memberUserID
	case "anonymousId":
		return memberAnonymousID
	case "messageId":
		return memberMessageID
	case "timestamp":
		return memberTimestamp
	case "originalTimestamp":
		return memberOriginalTimestamp
	case "sentAt":
		return memberSentAt
	case "receivedAt":
		return memberReceivedAt
	case "context":
		return memberContext
	case "groupId":
		return memberGroupID
	case "revenue":
		return memberRevenue
	case "total":
		return memberTotal
	case "specversion":
		return memberSpecVersion
	case "source":
		return memberSource
	case "subject":
		return memberSubject
	case "partitionkey":
		return memberPartitionKey
	case "data":
		return memberData
	case "data_base64":
		return memberDataBase64
	case "datacontenttype":
		return memberDataContentType
	case "datacontentencoding":
		return memberDataContentEncoding
	}
	return memberOther
}
