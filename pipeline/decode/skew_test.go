package decode_test

import (
	"fmt"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestDeviceTime covers the limits of the correction of a device's clock. An empty time is absent.
func TestDeviceTime(t *testing.T) {
	const happened, dayLater, dayBefore = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", "2026-02-28T10:00:00Z"
	for name, c := range map[string]struct {
		timestamp, original, sent, received, record string
		want                                        string
	}{
		"nothing known":    {timestamp: happened, want: happened},
		"received unknown": {timestamp: happened, sent: "2026-03-01T10:00:01Z", want: happened},
		"sent unknown":     {timestamp: happened, received: dayLater, record: dayLater, want: happened},
		"device slow": {
			timestamp: happened,
			sent:      "2026-03-01T10:00:01Z",
			received:  "2026-03-01T11:00:01Z",
			want:      "2026-03-01T11:00:00Z",
		},
		"device fast": {
			timestamp: happened,
			sent:      "2026-03-01T10:00:01Z",
			received:  "2026-03-01T09:00:01Z",
			want:      "2026-03-01T09:00:00Z",
		},
		"to the millisecond": {
			timestamp: "2026-03-01T10:00:00.123Z",
			sent:      "2026-03-01T10:00:01.5Z",
			received:  "2026-03-01T10:00:01.499Z",
			want:      "2026-03-01T10:00:00.122Z",
		},
		"received before recorded": {
			timestamp: happened,
			sent:      happened,
			received:  "2026-03-01T10:00:07Z",
			record:    "2026-03-01T10:00:09Z",
			want:      "2026-03-01T10:00:07Z",
		},
		"received unreadable": {
			timestamp: happened,
			sent:      happened,
			received:  "soon",
			record:    "2026-03-01T10:00:09Z",
			want:      "2026-03-01T10:00:09Z",
		},
		"received before 1970": {
			timestamp: happened,
			sent:      happened,
			received:  "1969-12-31T23:59:59.999Z",
			want:      happened,
		},
		"received after 2200": {
			timestamp: happened,
			sent:      happened,
			received:  "2201-01-01T00:00:00Z",
			want:      happened,
		},
		"received at the end of 2200": {
			timestamp: happened,
			sent:      happened,
			received:  "2200-12-31T23:59:59.999Z",
			want:      "2200-12-31T23:59:59.999Z",
		},
		"recorded a day later": {
			timestamp: "2026-03-01T09:59:59Z",
			sent:      happened,
			record:    dayLater,
			want:      "2026-03-02T09:59:59Z",
		},
		"recorded more than a day later": {
			timestamp: "2026-03-01T09:59:59Z",
			sent:      happened,
			record:    "2026-03-02T10:00:00.001Z",
			want:      "2026-03-01T09:59:59Z",
		},
		"recorded a day before": {
			timestamp: "2026-03-01T09:59:59Z",
			sent:      happened,
			record:    dayBefore,
			want:      "2026-02-28T09:59:59Z",
		},
		"recorded more than a day before": {
			timestamp: "2026-03-01T09:59:59Z",
			sent:      happened,
			record:    "2026-02-28T09:59:59.999Z",
			want:      "2026-03-01T09:59:59Z",
		},
		"recorded as it happened": {
			timestamp: happened,
			sent:      "2026-03-01T10:00:05Z",
			record:    happened,
			want:      happened,
		},
		"sent a day before": {
			timestamp: happened,
			sent:      dayBefore,
			received:  "2026-02-28T11:00:00Z",
			want:      "2026-03-01T11:00:00Z",
		},
		"sent more than a day before": {
			timestamp: happened,
			sent:      "2026-02-28T09:59:59.999Z",
			received:  "2026-02-28T11:00:00Z",
			want:      happened,
		},
		"sent a year later": {
			timestamp: happened,
			sent:      "2027-03-01T10:00:00Z",
			received:  "2027-03-01T10:00:02Z",
			want:      "2026-03-01T10:00:02Z",
		},
		"sent unreadable": {timestamp: happened, sent: "soon", received: dayLater, want: happened},
		"device at the epoch": {
			timestamp: "1970-01-01T00:00:00Z",
			sent:      "1970-01-01T00:00:00Z",
			received:  happened,
			want:      happened,
		},
		"device before the epoch": {
			timestamp: "1969-12-31T23:59:59.999Z",
			sent:      "1970-01-01T00:00:00Z",
			received:  happened,
			want:      "time_out_of_range",
		},
		"sent before the epoch": {
			timestamp: "1969-12-31T23:59:59.998Z",
			sent:      "1969-12-31T23:59:59.999Z",
			received:  happened,
			want:      "time_out_of_range",
		},
		"device after 2200": {
			timestamp: "2201-01-01T00:00:00Z",
			sent:      "2200-12-31T23:59:59Z",
			received:  happened,
			want:      "time_out_of_range",
		},
		"device at the end of 2200": {
			timestamp: "2200-12-31T23:59:59Z",
			sent:      "2200-12-31T23:59:59Z",
			received:  happened,
			want:      happened,
		},
		"device far off": {
			timestamp: "99999999999999999999",
			sent:      "99999999999999999999",
			received:  happened,
			want:      "time_out_of_range",
		},
		"corrected before": {
			timestamp: happened,
			original:  dayBefore,
			sent:      dayBefore,
			received:  dayLater,
			want:      happened,
		},
		"corrected, original unreadable": {
			timestamp: happened,
			original:  "soon",
			sent:      dayBefore,
			received:  dayLater,
			want:      happened,
		},
		"original alone": {
			original: happened,
			sent:     "2026-03-01T10:00:01Z",
			received: "2026-03-01T10:00:03Z",
			want:     "2026-03-01T10:00:02Z",
		},
		"sent alone":               {sent: dayBefore, received: happened, want: happened},
		"sent alone, not received": {sent: dayBefore, want: dayBefore},
		"received alone":           {received: happened, record: happened, want: "time_missing"},
		"timestamp unreadable": {
			timestamp: "soon",
			original:  happened,
			sent:      happened,
			received:  happened,
			want:      "time_unreadable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := pipeline.Record{Timestamp: -1, Value: []byte(trackJSON(
				"timestamp",
				fmt.Sprintf("%q", c.timestamp),
				"originalTimestamp",
				fmt.Sprintf("%q", c.original),
				"sentAt",
				fmt.Sprintf("%q", c.sent),
				"receivedAt",
				fmt.Sprintf("%q", c.received),
			))}
			if c.record != "" {
				r.Timestamp = instantOf(t, c.record)
			}
			e := decodeBoth(t, decode.New(0), &r)
			if e.Code != pipeline.Usable {
				if e.Code.String() != c.want {
					t.Errorf("refused as %v, want %s", e.Code, c.want)
				}
				return
			}
			if e.Time != instantOf(t, c.want) {
				t.Errorf("%s, want %s", time.UnixMilli(e.Time).UTC(), c.want)
			}
		})
	}
}

func instantOf(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// TestMoneyRounded: amounts that exact money refuses are rounded in the other envelopes, half away from zero.
func TestMoneyRounded(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		want            int64
		ok              bool
	}{
		{"19.989999999999998", "EUR", 1999, true},
		{"19.994999999999999", "EUR", 1999, true},
		{"19.995", "EUR", 2000, true},
		{"0.005", "EUR", 1, true},
		{"-0.005", "EUR", -1, true},
		{"-0.0049", "EUR", 0, true},
		{"0.5", "JPY", 1, true},
		{"1.4999", "JPY", 1, true},
		{"1.23456", "CLF", 12346, true},
		{"99.999", "", 10000, true},
		{"92233720368547758.0749", "EUR", 9223372036854775807, true},
		{"92233720368547758.075", "EUR", 0, false},
		{"-92233720368547758.085", "EUR", 0, false},
		{"-92233720368547758.0849", "EUR", -9223372036854775808, true},
		{"9999999999999999999.9", "JPY", 0, false},
		{"5.551115123125783e-17", "EUR", 0, true},
		{"5e-7", "EUR", 0, true},
		{"5e-3", "EUR", 1, true},
		{"-5E-03", "EUR", -1, true},
		{"4.9999e-3", "EUR", 0, true},
		{"1.9989999999999998e+1", "EUR", 1999, true},
		{"9.22337203685477580749e16", "EUR", 9223372036854775807, true},
		{"9.2233720368547758075e16", "EUR", 0, false},
		{"-9.22337203685477580849e16", "EUR", -9223372036854775808, true},
		{"18446744073709551615.5e0", "JPY", 0, false},
	} {
		for envelope, value := range map[string]string{
			"segment": trackJSON("properties", fmt.Sprintf(`{"revenue":%s,"currency":%q}`, c.value, c.currency)),
			"cloud":   cloudJSON("data", fmt.Sprintf(`{"value":%q,"currency":%q}`, c.value, c.currency)),
		} {
			t.Run(envelope+c.value+c.currency, func(t *testing.T) {
				got := decodeBoth(t, decode.New(0), &pipeline.Record{Value: []byte(value)})
				if got.Value != c.want || got.HasValue != c.ok || (got.Code == pipeline.ValueUnreadable) == c.ok {
					t.Errorf("%d, %t, %v; want %d, %t", got.Value, got.HasValue, got.Code, c.want, c.ok)
				}
			})
		}
	}
}
