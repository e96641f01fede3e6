package zone

import "time"

// Quiet hours, local time: nobody is written to from quietFrom o'clock on until quietUntil o'clock.
const (
	quietFrom  = 21
	quietUntil = 9
)

// NotBefore is the first instant not before one (ms since the epoch) that lies in no quiet hour of the zone. Where clocks
// are put forward over nine o'clock, or a day is left out, it is the first instant behind that which is not quiet.
func (z *Zone) NotBefore(ms int64) int64 {
	at := time.UnixMilli(ms).In(z.location())
	for {
		open := at.Add(untilOpen(at))
		_, change := at.ZoneBounds()
		if change.IsZero() || open.Before(change) {
			return open.UnixMilli()
		}
		at = change // clocks are changed before quiet hours end
	}
}

// untilOpen is how long quiet hours last from a local time on if the clocks are not changed; 0: it is none of them.
func untilOpen(at time.Time) time.Duration {
	hour, minute, second := at.Clock()
	if quietUntil <= hour && hour < quietFrom {
		return 0
	}
	day := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second +
		time.Duration(at.Nanosecond())
	return (24*time.Hour + quietUntil*time.Hour - day) % (24 * time.Hour)
}
