package alert

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// After any other numbers, a number reads as appendFloat writes it.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n numbers
		var got, want []byte
		few := rapid.SliceOfN(
			rapid.OneOf(
				rapid.Float64(),
				rapid.Map(rapid.IntRange(-2e6, 2e6), func(i int) float64 { return float64(i) }),
				rapid.Just(math.Copysign(0, -1)),
			),
			1,
			20,
		).
			Draw(t, "values")
		for _, v := range rapid.SliceOf(rapid.SampledFrom(few)).Draw(t, "written") {
			got, want = append(n.append(got, v), ' '), append(appendFloat(want, v), ' ')
		}
		if string(got) != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestAppendTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "ms") // years 1 to 9999
		got, want := string(AppendTime(nil, ms)), time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
