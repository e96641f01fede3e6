package model

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// ErrCalibrationDamaged means that bytes are no calibration.
var ErrCalibrationDamaged = errors.New("calibration is damaged")

// AppendCalibration appends c to dst, but for the outcomes by class: where the open epoch ends, which cells of closed
// epochs hold anything, and which cells of the open one, 8 bytes each; how seldom customers are probed, a byte; then 16
// for each of the former, and the counts of each of the latter and the probes begun as varints.
func AppendCalibration(dst []byte, c *Calibration) []byte {
	closed, open := c.Unclassed.held()
	dst = appendMasks(binary.LittleEndian.AppendUint64(dst, uint64(c.End)), closed, open)
	dst = c.Unclassed.appendCells(append(dst, c.Seldom), closed, open)
	return binary.AppendUvarint(dst, uint64(c.Begun))
}

// ReadCalibration is the inverse of AppendCalibration, and leaves the classes alone. Errors: ErrCalibrationDamaged.
func ReadCalibration(b []byte, c *Calibration) error {
	const head = 25
	if len(b) < head {
		return ErrCalibrationDamaged
	}
	read := Calibration{End: encode.Int(b), Seldom: b[head-1], Classes: c.Classes}
	closed, open := readMasks(b[8:])
	begun, rest := encode.CutUvarint(read.Unclassed.readCells(b[head:], closed, open))
	read.Begun = uint32(begun)
	if rest == nil || len(rest) > 0 || begun > math.MaxUint32 || read.Seldom > mostSeldom || read.End < 0 ||
		read.End > moment.Max/moment.MinuteMillis*2 {
		return ErrCalibrationDamaged
	}
	*c = read
	return nil
}

// AppendClasses appends the outcomes of c by class to dst; nothing where there are none. Of each class: which cells of
// closed epochs and of the open one hold anything, 8 bytes each, then their counts as in AppendCalibration.
func AppendClasses(dst []byte, c *Calibration) []byte {
	begin, any := len(dst), uint64(0)
	for i := range c.Classes {
		closed, open := c.Classes[i].held()
		dst = c.Classes[i].appendCells(appendMasks(dst, closed, open), closed, open)
		any |= closed | open
	}
	if any == 0 {
		return dst[:begin]
	}
	return dst
}

// ReadClasses is the inverse of AppendClasses for bytes that are not empty, and leaves the rest of c alone. Errors:
// ErrCalibrationDamaged.
func ReadClasses(b []byte, c *Calibration) error {
	any := uint64(0)
	for i := range c.Classes {
		if len(b) < masks {
			return ErrCalibrationDamaged
		}
		closed, open := readMasks(b)
		if b = c.Classes[i].readCells(b[masks:], closed, open); b == nil {
			return ErrCalibrationDamaged
		}
		any |= closed | open
	}
	if len(b) > 0 || any == 0 {
		return ErrCalibrationDamaged
	}
	return nil
}

// masks is the number of bytes that say which cells follow.
const masks = 16

func appendMasks(dst []byte, closed, open uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, closed), open)
}

func readMasks(b []byte) (closed, open uint64) {
	return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
}

// held are the cells of closed epochs and of the open one that hold anything, a bit each.
func (t *Table) held() (closed, open uint64) {
	for i := range t.Resolved {
		if t.Resolved[i] > 0 {
			closed |= 1 << i
		}
		if t.Open[i].Resolved > 0 {
			open |= 1 << i
		}
	}
	return closed, open
}

func (t *Table) appendCells(dst []byte, closed, open uint64) []byte {
	for ; closed != 0; closed &= closed - 1 {
		i := bits.TrailingZeros64(closed)
		dst = encode.AppendFloat(encode.AppendFloat(dst, t.Resolved[i]), t.Silent[i])
	}
	for ; open != 0; open &= open - 1 {
		o := &t.Open[bits.TrailingZeros64(open)]
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(o.Resolved)), uint64(o.Silent))
	}
	return dst
}

// readCells is the inverse of appendCells, and returns what follows; nil where b holds no such cells.
func (t *Table) readCells(b []byte, closed, open uint64) []byte {
	*t = Table{}
	if len(b) < 16*bits.OnesCount64(closed) {
		return nil
	}
	for ; closed != 0; closed &= closed - 1 {
		i := bits.TrailingZeros64(closed)
		n, silent := encode.Float(b), encode.Float(b[8:])
		if !encode.Within(n, leastProbes, mostProbes) || !encode.Within(silent, 0, n) {
			return nil
		}
		t.Resolved[i], t.Silent[i] = n, silent
		b = b[16:]
	}
	for ; open != 0; open &= open - 1 {
		n, rest := encode.CutUvarint(b)
		silent, rest := encode.CutUvarint(rest)
		if rest == nil || n == 0 || n > math.MaxUint32 || silent > n {
			return nil
		}
		t.Open[bits.TrailingZeros64(open)] = Outcomes{uint32(n), uint32(silent)}
		b = rest
	}
	return b
}
