package advice

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const Day = 24 * time.Hour

// ParseDuration reads a span such as 200ms, 1h30m, 90d or 1d12h. A day is 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	days, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		days, rest = "0", text
	}
	n, err := strconv.ParseInt(days, 10, 64)
	var d time.Duration
	if err == nil && (rest != "" || !hasDays) {
		d, err = time.ParseDuration(rest)
	}
	if err != nil || hasDays && d < 0 || n < 0 && d != 0 || n > math.MaxInt64/int64(Day)-1 ||
		n < -math.MaxInt64/int64(Day) {
		return 0, fmt.Errorf("want a duration with its unit, such as 200ms, 10s, 5m or 90d, found %q", text)
	}
	return time.Duration(n)*Day + d, nil
}

// FormatDuration is the inverse of ParseDuration, in the shortest form.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	s := ""
	if d >= Day {
		s, d = fmt.Sprintf("%dd", d/Day), d%Day
	}
	if d != 0 {
		t := d.String()
		if strings.HasSuffix(t, "m0s") {
			t = strings.TrimSuffix(t, "0s")
		}
		if strings.HasSuffix(t, "h0m") {
			t = strings.TrimSuffix(t, "0m")
		}
		s += t
	}
	return s
}

// ParseSize reads bytes, or KiB, MiB or GiB of them.
func ParseSize(text string) (int64, error) {
	number, shift := text, 0
	for unit, s := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if t, ok := strings.CutSuffix(text, unit); ok {
			number, shift = strings.TrimSpace(t), s
		}
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(number, "_", ""), 10, 64)
	if err != nil || n > math.MaxInt64>>shift || n < 0 {
		return 0, fmt.Errorf("want bytes, or a size such as 512KiB or 1MiB, found %q", text)
	}
	return n << shift, nil
}

// FormatSize is the inverse of ParseSize, in the largest unit that fits exactly.
func FormatSize(n int64) string {
	for _, u := range []struct {
		shift int
		name  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if n > 0 && n%(1<<u.shift) == 0 {
			return strconv.FormatInt(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// FormatDate writes a date as --at takes it.
func FormatDate(t time.Time) string {
	if t.Truncate(Day).Equal(t) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}
