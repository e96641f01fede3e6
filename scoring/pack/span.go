package pack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// number is a number as YAML decoded it.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// parseDays reads a duration in days, such as 90d, or in the form of time.ParseDuration.
func parseDays(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if v, err := strconv.ParseUint(n, 10, 16); err == nil {
			return time.Duration(v) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q, must be a span such as 90d or 36h", s)
	}
	return d, nil
}

// daysText is a span of whole days, or of hours below one.
func daysText(d time.Duration) string {
	if d < 24*time.Hour {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + "d"
}

func normalSpan(text string) string {
	d, err := parseDays(text)
	if text == "" || err != nil {
		return text
	}
	return d.String()
}

// normalValue is a span in one spelling, a number as a float.
func normalValue(v any) any {
	if text, ok := v.(string); ok {
		return normalSpan(text)
	}
	if n, ok := number(v); ok {
		return n
	}
	return v
}

// Bounds of spans in a pack.
const (
	leastSpan = time.Hour
	mostSpan  = 3650 * 24 * time.Hour
)
