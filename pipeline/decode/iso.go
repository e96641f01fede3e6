package decode

import (
	"bytes"
	"time"

	"ebb/pipeline"
	"ebb/scoring/zone"
)

// Times as the rest of the world writes them. parseRFC3339 reads what nearly all senders write, as fast as can be; what
// it does not read comes here.

// parseISO reads a date and time of ISO 8601, as libraries print it:
//
//	2026-03-01T09:30:00,5+0100       a comma before the fraction, which may be of any length; an offset without its colon
//	2026-03-01 09:30:00 +01          or without its minutes, and a blank before it
//	2026-03-01T09:30Z                no seconds, as Java leaves them out where they are zero
//	2026-03-01T10:30+01:00[Europe/Paris]   the name of the zone behind the offset, which says it all
//	2026-03-01 09:30:00 UTC          UTC or GMT as the offset; behind an offset any abbreviation, as Go prints it
//	2016-12-31T23:59:60Z             second 60, which is the first of the next minute
//	20260301T093000Z                 no signs between the digits
//
// A time without an offset, and a date without a time, which is its midnight, are of zone; nil: they are unreadable.
func parseISO(s []byte, zone *time.Location) (ms int64, ok bool) {
	days, rest, basic, ok := isoDate(s)
	if !ok {
		return 0, false
	}
	ms = days * pipeline.DayMillis
	if len(rest) == 0 && !basic {
		return inZone(ms, zone)
	}
	if len(rest) == 0 || rest[0]|0x20 != 't' && rest[0] != ' ' {
		return 0, false
	}
	clock, rest, ok := isoClock(rest[1:], basic)
	if !ok {
		return 0, false
	}
	if ms += clock; len(rest) == 0 {
		return inZone(ms, zone)
	}
	offset, ok := isoOffset(rest)
	return ms - offset, ok
}

// isoDate reads a date, in days since the epoch, and whether it has no signs between its digits.
func isoDate(s []byte) (days int64, rest []byte, basic, ok bool) {
	if len(s) < len("20060102") {
		return 0, nil, false, false
	}
	century, year := twoDigits(s[0], s[1]), twoDigits(s[2], s[3])
	basic = s[4] != '-'
	if rest = s[4:]; !basic {
		rest = rest[1:]
	}
	month := twoDigits(rest[0], rest[1])
	if rest = rest[2:]; !basic {
		if rest[0] != '-' {
			return 0, nil, false, false
		}
		rest = rest[1:]
	}
	if len(rest) < 2 {
		return 0, nil, false, false
	}
	day := twoDigits(rest[0], rest[1])
	bad := century|year|month|day < 0
	if year += 100 * century; bad || month < 1 || month > 12 || day < 1 || day > monthDays(year, month) {
		return 0, nil, false, false
	}
	return int64(epochDays(year, month, day)), rest[2:], basic, true
}

// isoClock reads hours, minutes, seconds and what is finer, in ms. Seconds may be missing.
func isoClock(s []byte, basic bool) (ms int64, rest []byte, ok bool) {
	var part [3]int // hour, minute, second
	n := 0
	for ; n < len(part); n++ {
		if n > 0 && !basic {
			if len(s) == 0 || s[0] != ':' {
				break
			}
			s = s[1:]
		}
		if len(s) < 2 || twoDigits(s[0], s[1]) < 0 {
			if !basic {
				return 0, nil, false
			}
			break
		}
		part[n], s = twoDigits(s[0], s[1]), s[2:]
	}
	if n < 2 || part[0] > 23 || part[1] > 59 || part[2] > 60 {
		return 0, nil, false
	}
	ms = int64(part[0]*3600+part[1]*60+part[2]) * 1000
	if n == len(part) && len(s) > 0 && (s[0] == '.' || s[0] == ',') {
		end := skipDigits(s, 1)
		if end < 0 {
			return 0, nil, false
		}
		ms += millis(s[1:end])
		s = s[end:]
	}
	return ms, s, true
}

// isoOffset reads what stands behind the time, in ms east of Greenwich.
func isoOffset(s []byte) (ms int64, ok bool) {
	if s[0] == ' ' && len(s) > 1 {
		s = s[1:]
	}
	n := 0
	for n < len(s) && s[n] != ' ' && s[n] != '[' {
		n++
	}
	switch mark := s[:n]; {
	case len(mark) == 1 && mark[0]|0x20 == 'z':
	case bytes.EqualFold(mark, []byte("UTC")) || bytes.EqualFold(mark, []byte("GMT")):
	default:
		if ms, ok = signedOffset(mark); !ok {
			return 0, false
		}
	}
	return ms, isZoneName(s[n:])
}

// signedOffset reads ±hh, ±hhmm or ±hh:mm, in ms east of Greenwich.
func signedOffset(s []byte) (ms int64, ok bool) {
	var digits [4]byte
	switch {
	case len(s) == len("+01"):
		digits = [4]byte{s[1], s[2], '0', '0'}
	case len(s) == len("+0100"):
		digits = [4]byte(s[1:])
	case len(s) == len("+01:00") && s[3] == ':':
		digits = [4]byte{s[1], s[2], s[4], s[5]}
	default:
		return 0, false
	}
	hours, minutes := twoDigits(digits[0], digits[1]), twoDigits(digits[2], digits[3])
	if s[0] != '+' && s[0] != '-' || hours|minutes < 0 || hours > 23 || minutes > 59 {
		return 0, false
	}
	ms = int64(hours*60+minutes) * pipeline.MinuteMillis
	if s[0] == '-' {
		ms = -ms
	}
	return ms, true
}

// isZoneName reports whether s is nothing, or the zone's name behind an offset: in brackets, or an abbreviation.
func isZoneName(s []byte) bool {
	switch {
	case len(s) == 0:
		return true
	case s[0] == '[':
		return len(s) > len("[]") && bytes.IndexByte(s, ']') == len(s)-1
	}
	for _, c := range s[1:] {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return len(s) > 1
}

// inZone is the instant at which clocks of a zone show ms, taken as if they were of UTC. Where clocks are put back,
// they show it twice: the first counts. Where they are put forward they never show it: then as if they had not been,
// which is as much later as they were put forward. Both is what Java and Python do.
func inZone(ms int64, zone *time.Location) (int64, bool) {
	if zone == nil {
		return 0, false
	}
	before, after := offsetAt(ms-pipeline.DayMillis, zone), offsetAt(ms+pipeline.DayMillis, zone)
	if before != after && offsetAt(ms-before, zone) != before && offsetAt(ms-after, zone) == after {
		return ms - after, true
	}
	return ms - before, true
}

// offsetAt is a zone's offset at an instant, in ms east of Greenwich.
func offsetAt(ms int64, zone *time.Location) int64 {
	_, seconds := time.UnixMilli(ms).In(zone).Zone()
	return int64(seconds) * 1000
}

// loadZone finds a zone by its name, or makes one of an offset.
func loadZone(name string) (*time.Location, error) {
	if ms, ok := signedOffset([]byte(name)); ok {
		return time.FixedZone(name, int(ms/1000)), nil
	}
	return zone.Load(name)
}
