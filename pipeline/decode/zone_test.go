package decode_test

import (
	"fmt"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestMappedZone reads times without an offset where the mapping names their zone.
func TestMappedZone(t *testing.T) {
	for _, c := range []struct{ zone, time, want string }{
		{"UTC", "2022-05-16 19:13:09.369000", "2022-05-16T19:13:09.369Z"},
		{"UTC", "2022-05-16T19:13:09", "2022-05-16T19:13:09Z"},
		{"UTC", "2022-05-16t19:13", "2022-05-16T19:13:00Z"},
		{"UTC", "20220516T191309", "2022-05-16T19:13:09Z"},
		{"UTC", "2022-05-16", "2022-05-16T00:00:00Z"},
		{"UTC", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z"},
		{"UTC", "2022-05-16 21:13:09+02:00", "2022-05-16T19:13:09Z"}, // its own offset counts
		{"UTC", "2022-05-16 21:13:09 +02", "2022-05-16T19:13:09Z"},
		{"UTC", "1652728389", "2022-05-16T19:13:09Z"},
		{"+05:30", "2022-05-16 19:13:09", "2022-05-16T13:43:09Z"},
		{"-0330", "2022-05-16 19:13:09", "2022-05-16T22:43:09Z"},
		{"Asia/Kolkata", "2022-05-16 19:13:09,5", "2022-05-16T13:43:09.5Z"},
		{"America/New_York", "2022-05-16 19:13:09", "2022-05-16T23:13:09Z"},
		{"America/New_York", "2022-12-16 19:13:09", "2022-12-17T00:13:09Z"},
		{"Europe/Paris", "2026-03-29 01:59:59.999", "2026-03-29T00:59:59.999Z"},
		{"Europe/Paris", "2026-03-29 02:00:00", "2026-03-29T01:00:00Z"}, // never shown: 03:00 of summer time
		{"Europe/Paris", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"},
		{"Europe/Paris", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"},
		{"Europe/Paris", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"},
		{"Europe/Paris", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"}, // shown twice: the first
		{"Europe/Paris", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z"}, // half an hour
		{"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00Z"},        // a day that never was
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"},            // a midnight that never was
		{"UTC", "2022-05-16 19:13:09 PST", ""},
		{"UTC", "2022-05-16T", ""},
		{"UTC", "20220516", ""},
		{"UTC", "16.05.2022 19:13", ""},
		{"", "2022-05-16 19:13:09", ""},
		{"", "2022-05-16", ""},
	} {
		t.Run(c.zone+" "+c.time, func(t *testing.T) {
			spec := shopSpec()
			spec.TimeZone = c.zone
			r := pipeline.Record{Value: []byte(shopJSON("ts", fmt.Sprintf("%q", c.time)))}
			e := decodeBothMapped(t, mapped(t, spec), &r, spec)
			switch {
			case e.Code != pipeline.Usable && c.want != "":
				t.Errorf("refused: %v", e.Code)
			case e.Code == pipeline.Usable && time.UnixMilli(e.Time).UTC().Format(time.RFC3339Nano) != c.want:
				t.Errorf("%s, want %s", time.UnixMilli(e.Time).UTC().Format(time.RFC3339Nano), c.want)
			}
		})
	}
}

// TestZonesAgree walks through a year of a few zones, hour by hour, and through the days on which their clocks are put
// forward or back, minute by minute.
func TestZonesAgree(t *testing.T) {
	for _, name := range []string{"Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "+14:00"} {
		spec := shopSpec()
		spec.TimeZone = name
		d, zone := mapped(t, spec), plainZone(name)
		step := 6 * time.Hour
		for wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); wall.Year() < 2027; wall = wall.Add(step) {
			_, before := wall.Add(-26 * time.Hour).In(zone).Zone()
			_, after := wall.Add(26 * time.Hour).In(zone).Zone()
			if step = 6 * time.Hour; before != after {
				step = 10 * time.Minute
			}
			value := shopJSON("ts", `"`+wall.Format("2006-01-02 15:04:05")+`"`)
			decodeBothMapped(t, d, &pipeline.Record{Value: []byte(value)}, spec)
			d.Reset()
		}
	}
}

// TestRules: who pins the rules of decoding is to be told of each change of them.
func TestRules(t *testing.T) {
	if decode.Rules != 2 {
		t.Errorf("the rules are of version %d", decode.Rules)
	}
}
