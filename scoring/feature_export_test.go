package scoring

// What tests of features in package scoring_test look at from the inside.

type (
	Features     = features
	FeatureEvent = featureEvent
)

const (
	MaxFeatureState = maxFeatureState
	MaxCount        = maxCount
	MaxSum          = maxSum
	NumFeatureKinds = numFeatureKinds
)

func CompileFeatures(decl []Feature) (*Features, error) { return compileFeatures(decl) }

func (f *features) Fold(state []byte, o *FeatureEvent) ([]byte, bool) { return f.fold(state, o) }

func (f *features) Values(dst []FeatureValue, state []byte, first, at int64) []FeatureValue {
	return f.values(dst, allFeatures, state, first, at)
}

func (f *features) Ranges(dst []FeatureRange, state []byte, first, from, to int64) []FeatureRange {
	return f.ranges(dst, allFeatures, state, first, from, to)
}

// Edge is the first instant after the given one at which any feature may say something else; values are those at that one.
func (f *features) Edge(values []FeatureValue, state []byte, first, after int64) int64 {
	return f.edge(&interest{all: true}, values, state, first, after)
}

func (f *features) MaxState() int { return f.maxState() }

func (f *features) Valid(state []byte) bool { return f.valid(state) }

// Ratio bounds of in permille of to.
func Ratio(of, to FeatureRange, least int64) FeatureRange { return ratio(of, to, least) }

// Cells is the number of cells that the features share.
func (f *features) Cells() int { return len(f.cells) }
