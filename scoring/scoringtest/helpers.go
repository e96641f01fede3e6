package scoringtest

import (
	"math"
	"testing"

	"ebb/scoring/pack"
)

// Day is a day in ms.
const Day = 86_400_000

var (
	Bought = pack.Signal{Known: true, Activity: true}
	Failed = pack.Signal{Known: true, Friction: 1, Trouble: pack.TroubleMark("Order Cancelled")}
)

// Begin is when most histories begin, in ms since the epoch.
const Begin = int64(1_600_000_020_000)

// CloseTo fails the test unless a number is within 1e-6 of the expected one.
func CloseTo(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// At is an instant of a customer's life, rounded to seconds.
func At(days float64) int64 { return Begin + int64(math.Round(days*86400))*1000 }
