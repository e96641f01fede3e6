package feature

// What tests of features in package scoring_test need from the inside.

const (
	MaxStateSize = maxStateSize
	MaxCount     = maxCount
	MaxSum       = maxSum
)

// EdgeOfAny is the first instant after the given one at which the value of any feature may change; values are those at
// that one.
func (f *Set) EdgeOfAny(values []Value, state []byte, first, after int64) int64 {
	return f.Edge(&Interest{all: true}, values, state, first, after)
}

// RatioOf bounds of in permille of to.
func RatioOf(of, to Range, least int64) Range { return ratio(of, to, least) }

// Cells is the number of cells that the features share.
func (f *Set) Cells() int { return len(f.cells) }
