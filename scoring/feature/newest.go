package feature

import (
	"encoding/binary"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// A cell of `since` keeps the time of the newest event. One of `last` keeps that and the event's number, in zigzag. Of
// two events at the same time, the number of the one folded later is kept.

func foldNewest(dst, old []byte, at int64) ([]byte, effect) {
	if len(old) > 0 && at <= newestTime(old) {
		return append(dst, old...), idle
	}
	return encode.AppendTime(dst, at), taken
}

func foldLast(dst, old []byte, at, number int64) ([]byte, effect) {
	if len(old) > 0 && at < newestTime(old) {
		return append(dst, old...), idle
	}
	return binary.AppendUvarint(encode.AppendTime(dst, at), encode.Zigzag(number)), taken
}

func newestTime(b []byte) int64 {
	r := encode.NewReader(b)
	return r.Time()
}

func readLast(b []byte) (at, number int64) {
	r := encode.NewReader(b)
	return r.Time(), encode.Unzigzag(r.Uvarint())
}

func validNewest(b []byte) bool {
	r := encode.NewReader(b)
	return r.Time() <= moment.Max && r.Whole()
}

func validLast(b []byte) bool {
	r := encode.NewReader(b)
	at := r.Time()
	r.Uvarint()
	return at <= moment.Max && r.Whole()
}

// elapsed is the time from one instant to another in whole units, in seconds; 0 if the other is earlier.
func elapsed(from, to, unit int64) int64 {
	if to <= from {
		return 0
	}
	return (to - from) / unit * (unit / 1000)
}

// nextElapsed is the first instant after the given one at which elapsed grows.
func nextElapsed(from, after, unit int64) int64 {
	if after < from {
		return from + unit
	}
	return from + ((after-from)/unit+1)*unit
}
