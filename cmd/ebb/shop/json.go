package shop

import (
	"strconv"
	"time"
)

// AppendJSON appends the event without a line's end: in ebb's flat envelope, that of an anonymous visitor as a Segment
// message without userId, as web sites send it. What a Shop makes needs no escapes.
func AppendJSON(dst []byte, ev *Event) []byte {
	if ev.Anonymous {
		return appendTrack(dst, ev)
	}
	dst = append(dst, `{"id":"`...)
	dst = append(dst, ev.ID...)
	dst = append(dst, `","customer":"`...)
	dst = append(dst, ev.Customer...)
	dst = append(dst, `","type":"`...)
	dst = append(dst, ev.Type...)
	dst = append(dst, `","time":"`...)
	dst = ev.Time.AppendFormat(dst, time.RFC3339Nano) // the library formats this layout fast
	dst = append(dst, '"')
	if ev.Currency != "" {
		dst = append(dst, `,"value":"`...)
		dst = appendMoney(dst, ev.Value)
		dst = append(dst, `","currency":"`...)
		dst = append(dst, ev.Currency...)
		dst = append(dst, '"')
	}
	if ev.Properties != "" {
		dst = append(append(dst, `,"properties":`...), ev.Properties...)
	}
	return append(dst, '}')
}

// appendTrack writes a call of track of somebody who has not signed in. Money is none of it: who pays has an account.
func appendTrack(dst []byte, ev *Event) []byte {
	dst = append(dst, `{"type":"track","messageId":"`...)
	dst = append(dst, ev.ID...)
	dst = append(dst, `","anonymousId":"`...)
	dst = append(dst, ev.Customer...)
	dst = append(dst, `","event":"`...)
	dst = append(dst, ev.Type...)
	dst = append(dst, `","timestamp":"`...)
	dst = ev.Time.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	if ev.Properties != "" {
		dst = append(append(dst, `,"properties":`...), ev.Properties...)
	}
	return append(dst, '}')
}

// appendMoney writes minor units with two decimals.
func appendMoney(dst []byte, minor int64) []byte {
	if minor < 0 {
		dst, minor = append(dst, '-'), -minor
	}
	dst = strconv.AppendInt(dst, minor/100, 10)
	return append(dst, '.', byte('0'+minor/10%10), byte('0'+minor%10))
}
