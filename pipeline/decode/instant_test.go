package decode_test

import (
	"fmt"
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
		{`"2026-03-01T00:00:60Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T24:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:60:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-04-31T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-13-01T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-00-01T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-01-00T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2100-02-29T00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T0:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00.Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00,5Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00.5"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+0100"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+24:00"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00+01:60"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01T00:00:00ZZ"`, 0, pipeline.TimeUnreadable},
		{`"2026/03/01 00:00:00Z"`, 0, pipeline.TimeUnreadable},
		{`"2026-03-01"`, 0, pipeline.TimeUnreadable},
		{`"Sun, 01 Mar 2026 00:00:00 GMT"`, 0, pipeline.TimeUnreadable},
		{"1.7e9", 0, pipeline.TimeUnreadable},
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
	for _, s := range []string{"2026-03-01T10:20:30.5Z", "2026-03-01T10:20:30+01:30"} {
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
