package decode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

func TestInstant(t *testing.T) {
	const march = 1_772_323_200_000 // 2026-03-01T00:00:00Z
	for _, c := range []struct {
		time string
		want int64
		code pipeline.Code
	}{
		{`"2026-03-01T00:00:00Z"`, march, pipeline.Usable},
		{`"2026-03-01t00:00:00z"`, march, pipeline.Usable},
		{`"2026-03-01 00:00:00Z"`, march, pipeline.Usable},
		{`"2026-03-01T00:00:00.1Z"`, march + 100, pipeline.Usable},
		{`"2026-03-01T00:00:00.123999999Z"`, march + 123, pipeline.Usable},
		{`"2026-03-01T00:00:00.0019999999999Z"`, march + 1, pipeline.Usable},
		{`"2026-03-01T01:00:00+01:00"`, march, pipeline.Usable},
		{`"2026-02-28T20:15:00.5-03:45"`, march + 500, pipeline.Usable},
		{`"2026-03-01T23:59:00+23:59"`, march, pipeline.Usable},
		{`"2026-03-01T00:00:00-00:00"`, march, pipeline.Usable},
		{"1772323200", march, pipeline.Usable},
		{"1772323200.0019", march + 1, pipeline.Usable},
		{`"1772323200"`, march, pipeline.Usable},
		{"1772323200000", march, pipeline.Usable},
		{"1772323200000.9", march, pipeline.Usable},
		{`"1772323200000"`, march, pipeline.Usable},
		{"31536000", 31_536_000_000, pipeline.Usable},
		{"31536000000", 31_536_000_000, pipeline.Usable},
		{"31535999.999", 0, pipeline.TimeOutOfRange},
		{"7289654399.999", 7_289_654_399_999, pipeline.Usable},
		{"7289654399999", 7_289_654_399_999, pipeline.Usable},
		{"7289654400", 0, pipeline.TimeOutOfRange},
		{"9999999999", 0, pipeline.TimeOutOfRange},  // seconds: the year 2286
		{"10000000000", 0, pipeline.TimeOutOfRange}, // milliseconds: April 1970
		{`"1971-01-01T00:00:00+00:01"`, 0, pipeline.TimeOutOfRange},
		{`"1970-12-31T23:59:00-00:01"`, 31_536_000_000, pipeline.Usable},
		{`"2200-12-31T23:59:59.999Z"`, 7_289_654_399_999, pipeline.Usable},
		{`"2201-01-01T00:00:00Z"`, 0, pipeline.TimeOutOfRange},
		{`"0000-01-01T00:00:00Z"`, 0, pipeline.TimeOutOfRange},
		{`"9999-12-31T23:59:59Z"`, 0, pipeline.TimeOutOfRange},
		{"99999999999999999999999", 0, pipeline.TimeOutOfRange},
		{`"2026-03-01T00:00:60Z"`, march + 60_000, pipeline.Usable},
		{`"2016-12-31T23:59:60.5Z"`, 1_483_228_800_500, pipeline.Usable},
		{`"2017-01-01T05:29:60+05:30"`, 1_483_228_800_000, pipeline.Usable},
		{`"2026-03-01T00:00:61Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T24:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:60:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-04-31T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-13-01T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-00-01T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-01-00T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2100-02-29T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T0:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00.Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00,5Z"`, march + 500, pipeline.Usable},
		{`"2026-03-01T00:00:00.5"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+0100"`, march - 3_600_000, pipeline.Usable},
		{`"2026-03-01T00:00:00-0330"`, march + 12_600_000, pipeline.Usable},
		{`"2026-03-01T00:00:00.000+0000"`, march, pipeline.Usable},
		{`"2026-03-01 05:00:00+05"`, march, pipeline.Usable},
		{`"2026-03-01 05:00:00.123456 +05"`, march + 123, pipeline.Usable},
		{`"2026-03-01 00:00:00 UTC"`, march, pipeline.Usable},
		{`"2026-03-01t00:00:00.1234567gmt"`, march + 123, pipeline.Usable},
		{`"2026-03-01 01:00:00 +0100 CET"`, march, pipeline.Usable},
		{`"2026-03-01 00:00:00 +0000 UTC"`, march, pipeline.Usable},
		{`"2026-03-01T01:00+01:00[Europe/Paris]"`, march, pipeline.Usable},
		{`"2026-03-01T00:00:00Z[UTC]"`, march, pipeline.Usable},
		{`"2026-03-01T00:00Z"`, march, pipeline.Usable},
		{`"20260301T000000Z"`, march, pipeline.Usable},
		{`"20260301T0000+0000"`, march, pipeline.Usable},
		{`"20260301T010000.250+0100"`, march + 250, pipeline.Usable},
		{`"2026-03-01T00:00:00.` + strings.Repeat("1", 100) + `Z"`, march + 111, pipeline.Usable},
		{`"2026-03-01T00:00:00+1"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+010"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+01:"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+2400"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00 "`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00  Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00CET"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00[Europe/Paris]"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00Z[]"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00Z[UTC"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00.5Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00.5Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-0301T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"20260301T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T000000Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T"`, 0, pipeline.TimeUnreadable},
		{`"2026-02-29T00:00:00+0000"`, 0, pipeline.TimeUnreadable},
		{`"20260231T000000Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+24:00"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+01:60"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00ZZ"`, 0, pipeline.TimeUnreadable},
		{`"2026/03/01 00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01"`, 0, pipeline.TimeUnreadable},
		{`"Sun, 01 Mar 2026 00:00:00 GMT"`, 0, pipeline.TimeUnreadable},
		{"1.7723232E9", march, pipeline.Usable},
		{"1.7723232000019e9", march + 1, pipeline.Usable},
		{"1.772323200123E12", march + 123, pipeline.Usable},
		{`"1.772323200123E+12"`, march + 123, pipeline.Usable},
		{"17723232000001230e-4", march, pipeline.Usable},
		{"0.000017723232e14", march, pipeline.Usable},
		{"1e10", 0, pipeline.TimeOutOfRange},
		{"9.999999999e9", 0, pipeline.TimeOutOfRange},
		{"-1.7e9", 0, pipeline.TimeOutOfRange},
		{"1e-400", 0, pipeline.TimeOutOfRange},
		{`"1.e9"`, 0, pipeline.TimeUnreadable},
		{`"1e9.5"`, 0, pipeline.TimeUnreadable},
		{`"1e"`, 0, pipeline.TimeUnreadable},
		{`"1e+"`, 0, pipeline.TimeUnreadable},
		{`"e9"`, 0, pipeline.TimeUnreadable},
	} {
		t.Run(c.time, func(t *testing.T) {
			got := decodeBoth(t, decode.New(testRecordBytes), &pipeline.Record{Value: []byte(flatJSON("time", c.time))})
			if got.Time != c.want || got.Code != c.code {
				t.Errorf("%d, %v; want %d, %v", got.Time, got.Code, c.want, c.code)
			}
		})
	}
}

// TestInstantEveryDay checks the calendar of all years in range, and some beyond.
func TestInstantEveryDay(t *testing.T) {
	d, e := decode.New(0), pipeline.Event{}
	for day := time.Date(1970, 12, 31, 12, 0, 0, 0, time.UTC); day.Year() < 2202; day = day.AddDate(0, 0, 1) {
		d.Decode(&pipeline.Record{Value: []byte(flatJSON("time", fmt.Sprintf("%q", day.Format(time.RFC3339))))}, &e)
		inRange := day.Year() >= 1971 && day.Year() <= 2200
		if inRange && e.Time != day.UnixMilli() || inRange != (e.Code == pipeline.Usable) {
			t.Fatalf("%v: %d, %v", day, e.Time, e.Code)
		}
		d.Reset()
	}
}

// TestInstantDamaged puts every ASCII character in every place of a time.
func TestInstantDamaged(t *testing.T) {
	d := decode.New(testRecordBytes)
	for _, s := range []string{
		"2026-03-01T10:20:30.5Z", "2026-03-01T10:20:30+01:30", "2026-03-01 10:20:60,5 +0130", "2026-03-01T10:20+01[A/B]",
		"20260301T102030.5Z", "2026-03-01 10:20:30 GMT", "2026-03-01 10:20:30 +0130 XY", "1.7723232E+9", "1.772323e12",
	} {
		for i := range s {
			for c := byte(' '); c < 0x7f; c++ {
				damaged := []byte(s)
				damaged[i] = c
				decodeBoth(t, d, &pipeline.Record{Value: []byte(flatJSON("time", `"`+string(damaged)+`"`))})
			}
		}
		d.Reset()
	}
}
