package advice

import (
	"testing"
)

func TestDurationsAndSizesAreReadAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{
		"0s",
		"1ms",
		"20ms",
		"1.5s",
		"10s",
		"1m30s",
		"5m",
		"2h",
		"1d",
		"90d",
		"1d12h",
		"1d30m10s",
	} {
		d, err := ParseDuration(text)
		if err != nil || FormatDuration(d) != text {
			t.Errorf("%s is read as %s: %v", text, FormatDuration(d), err)
		}
	}
	for _, text := range []string{"", "5", "d", "-1d", "1d-1h", "1dd", "9999999999d", "ten", "1 s"} {
		if d, err := ParseDuration(text); err == nil && (d >= 0 || text != "-1d") {
			t.Errorf("%q is read as %s", text, d)
		}
	}
	for text, want := range map[string]int64{
		"0":     0,
		"100":   100,
		"1KiB":  1024,
		"1 MiB": 1 << 20,
		"3GiB":  3 << 30,
		"1_000": 1000,
	} {
		if n, err := ParseSize(text); err != nil || n != want {
			t.Errorf("%s is read as %d: %v", text, n, err)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "1MB", "9999999999GiB", "1.5MiB"} {
		if n, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %d", text, n)
		}
	}
}
