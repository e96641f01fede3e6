package alert

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"ebb/scoring/encode"
)

// Arm is the part of a holdout's customers that one belongs to. The numbers are stored, the names are a contract.
type Arm uint8

// Arms.
const (
	NoArm   Arm = iota // no holdout is on
	Treated            // its alerts are acted on
	HeldOut            // its alerts go to a topic of their own, and nobody acts on them
	NumArms
)

var armNames = [NumArms]string{"", "treated", "holdout"}

// ArmNames are the names of the arms in order, with that of NoArm first.
func ArmNames() []string { return slices.Clone(armNames[:]) }

// String is the arm's stable name, empty for NoArm.
func (a Arm) String() string {
	if a >= NumArms {
		return "unknown"
	}
	return armNames[a]
}

// Whole is a share of all, in the unit of Assignment.Share.
const Whole = 1_000_000

// Assignment is a customer's arm, and how it was drawn. The zero value is that of a customer while no holdout is on.
type Assignment struct {
	Arm   Arm
	Epoch uint32 // number of the span of event time that it holds for, from 1; 0: it is that of an earlier alert
	Share uint32 // of the held-out arm, in millionths; 0 with Epoch
}

// AppendTo appends the assignment; nothing for the zero value.
func (a *Assignment) AppendTo(dst []byte) []byte {
	if a.Arm == NoArm {
		return dst
	}
	dst = binary.AppendUvarint(append(dst, byte(a.Arm)), uint64(a.Epoch))
	return binary.AppendUvarint(dst, uint64(a.Share))
}

// Read reads the assignment from the bytes of AppendTo, which are the rest of r.
func (a *Assignment) Read(r *encode.Reader) {
	if *a = (Assignment{}); !r.More() {
		return
	}
	a.Arm, a.Epoch = Arm(r.Byte()), uint32(r.UvarintUpTo(math.MaxUint32))
	a.Share = uint32(r.UvarintUpTo(Whole))
	if a.Arm == NoArm || a.Arm >= NumArms || (a.Epoch == 0) != (a.Share == 0) {
		r.Damage()
	}
}

// append appends the fields of an alert: the arm in each, the rest in that which begins the episode.
func (a *Assignment) append(dst []byte) []byte {
	if a.Arm == NoArm {
		return dst
	}
	dst = append(append(append(dst, `,"arm":"`...), a.Arm.String()...), '"')
	if a.Epoch == 0 {
		return dst
	}
	dst = strconv.AppendUint(append(dst, `,"arm_epoch":`...), uint64(a.Epoch), 10)
	return a.AppendShare(append(dst, `,"arm_share":`...))
}

// AppendShare appends the held-out arm's share as a decimal number.
func (a *Assignment) AppendShare(dst []byte) []byte {
	return strconv.AppendFloat(dst, float64(a.Share)/Whole, 'f', -1, 64)
}
