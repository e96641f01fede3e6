package alert

import (
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAppendMillionths: the number reads back as the value to six decimals, with none of them a zero at the end.
func TestAppendMillionths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(
			rapid.Float64Range(-1e5, 1e5), rapid.Float64Range(-1e-5, 1e-5),
			rapid.Map(rapid.IntRange(-2e6, 2e6), func(i int) float64 { return float64(i) / 1000 }),
		).Draw(t, "value")
		text := string(appendMillionths(nil, v))
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(back-v) > 0.5000001e-6 || text == "-0" {
			t.Fatalf("%v is written as %s", v, text)
		}
		if short := strconv.FormatFloat(back, 'f', -1, 64); short != text {
			t.Fatalf("%v is written as %s, not %s", v, text, short)
		}
	})
}

func TestAppendTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "ms") // years 1 to 9999
		if rapid.Bool().Draw(t, "a whole second") {
			ms -= ms % 1000
		}
		layout := "2006-01-02T15:04:05.000Z"
		if ms%1000 == 0 {
			layout = time.RFC3339
		}
		got, want := string(AppendTime(nil, ms)), time.UnixMilli(ms).UTC().Format(layout)
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
