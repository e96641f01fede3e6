package scoring

import "encoding/binary"

// A cell of `since` keeps the time of the newest event; one of `last` that and the number the event held, in zigzag.
// Of two events at the same time the number of the one folded later stands.

func foldNewest(dst, old []byte, at int64) ([]byte, effect) {
	if len(old) > 0 && at <= newestTime(old) {
		return append(dst, old...), idle
	}
	return appendTime(dst, at), taken
}

func foldLast(dst, old []byte, at, number int64) ([]byte, effect) {
	if len(old) > 0 && at < newestTime(old) {
		return append(dst, old...), idle
	}
	return binary.AppendUvarint(appendTime(dst, at), zigzag(number)), taken
}

func newestTime(b []byte) int64 {
	r := newReader(b)
	return r.readTime()
}

func readLast(b []byte) (at, number int64) {
	r := newReader(b)
	return r.readTime(), unzigzag(r.next())
}

func validNewest(b []byte) bool {
	r := newReader(b)
	return r.readTime() <= maxTime && r.whole()
}

func validLast(b []byte) bool {
	r := newReader(b)
	at := r.readTime()
	r.next()
	return at <= maxTime && r.whole()
}

// elapsed is the time from one instant to another in whole units, in seconds; 0 if that is earlier.
func elapsed(from, to, unit int64) int64 {
	if to <= from {
		return 0
	}
	return (to - from) / unit * (unit / 1000)
}

// nextElapsed is the first instant after the given one at which elapsed becomes more.
func nextElapsed(from, after, unit int64) int64 {
	if after < from {
		return from + unit
	}
	return from + ((after-from)/unit+1)*unit
}
