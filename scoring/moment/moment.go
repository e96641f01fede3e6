package moment

import (
	"math"
)

const (
	HourMillis = 3_600_000
)

// Units and bounds of time.

const (
	MinuteMillis  = 60_000
	MinutesPerDay = 1440
	DayMillis     = 86_400_000
	Max           = 1 << 43 // ms since the epoch: the year 2248
)

// Days turns ms into days.
func Days(ms int64) float64 { return float64(ms) / DayMillis }

// Millis is days in whole ms.
func Millis(days float64) int64 { return int64(math.Round(float64(days * DayMillis))) }

// CeilMinute is the first whole minute since the epoch that is not before ms, which is not negative.
func CeilMinute(ms int64) int64 { return (ms + MinuteMillis - 1) / MinuteMillis }

// SecondsPerDay are the seconds of a day.
const SecondsPerDay = 86_400
