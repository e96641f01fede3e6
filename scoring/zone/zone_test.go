package zone_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ebb/scoring/zone"
)

func named(t *rapid.T, name string) *zone.Zone {
	z := zone.Named([]byte(name))
	if z == nil {
		t.Fatalf("no zone %s", name)
	}
	return z
}

// TestNotBefore: quiet hours end at nine o'clock where the customer lives, also when clocks are changed in them.
func TestNotBefore(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"UTC", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"},
		{"UTC", "2026-03-01T20:59:59.999Z", "2026-03-01T20:59:59.999Z"},
		{"UTC", "2026-03-01T21:00:00Z", "2026-03-02T09:00:00Z"},
		{"UTC", "2026-03-01T08:59:59.999Z", "2026-03-01T09:00:00Z"},
		{"UTC", "2026-02-28T23:30:00Z", "2026-03-01T09:00:00Z"},
		{"Asia/Kolkata", "2026-03-01T03:29:00Z", "2026-03-01T03:30:00Z"},
		// Berlin: forward on 29 March 2026 at 2, back on 25 October at 3
		{"Europe/Berlin", "2026-03-28T20:30:00Z", "2026-03-29T07:00:00Z"},
		{"Europe/Berlin", "2026-03-29T00:59:00Z", "2026-03-29T07:00:00Z"},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T07:00:00Z"},
		{"Europe/Berlin", "2026-03-29T18:59:00Z", "2026-03-29T18:59:00Z"},
		{"Europe/Berlin", "2026-03-29T19:00:00Z", "2026-03-30T07:00:00Z"},
		{"Europe/Berlin", "2026-10-24T19:30:00Z", "2026-10-25T08:00:00Z"},
		{"Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T08:00:00Z"}, // 2:30, the first time
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T08:00:00Z"}, // 2:30, the second time
		{"Europe/Berlin", "2026-10-25T19:59:00Z", "2026-10-25T19:59:00Z"},
		// New York: forward on 8 March 2026, back on 1 November
		{"America/New_York", "2026-03-08T04:00:00Z", "2026-03-08T13:00:00Z"},
		{"America/New_York", "2026-03-08T12:59:00Z", "2026-03-08T13:00:00Z"},
		{"America/New_York", "2026-11-01T02:00:00Z", "2026-11-01T14:00:00Z"},
		{"America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T14:00:00Z"},
		{"America/New_York", "2026-11-01T06:30:00Z", "2026-11-01T14:00:00Z"},
		// Lord Howe: half an hour back on 5 April 2026, forward on 4 October
		{"Australia/Lord_Howe", "2026-04-04T10:30:00Z", "2026-04-04T22:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T14:50:00Z", "2026-04-04T22:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T22:30:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T10:30:00Z", "2026-10-03T22:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:29:00Z", "2026-10-03T22:00:00Z"},
		// Apia left out 30 December 2011
		{"Pacific/Apia", "2011-12-30T08:00:00Z", "2011-12-30T19:00:00Z"},
	} {
		at, _ := time.Parse(time.RFC3339, c.at)
		z := zone.Named([]byte(c.zone))
		got := time.UnixMilli(z.NotBefore(at.UnixMilli())).UTC().Format("2006-01-02T15:04:05.999Z07:00")
		if got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}

// TestNotBeforeIsTheFirst compares with a walk over the minutes, near changes of the clocks too.
func TestNotBeforeIsTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{
			"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca",
			"America/St_Johns", "Antarctica/Troll", "UTC", "Pacific/Chatham", "Asia/Pyongyang",
		}).Draw(t, "zone")
		z := named(t, name)
		location, err := zone.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(0, 2_200_000_000).Draw(t, "at"), 0).In(location)
		if _, change := at.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
			at = change.Add(time.Duration(rapid.Int64Range(-86_400, 86_400).Draw(t, "from it")) * time.Second)
		}
		want := at
		for hour := want.Hour(); hour < 9 || hour >= 21; hour = want.Hour() {
			want = want.Add(time.Second)
		}
		if got := z.NotBefore(at.UnixMilli()); got != want.UnixMilli() {
			t.Fatalf("%v: %v, want %v", at, time.UnixMilli(got).In(location), want)
		}
	})
}

// TestNames: a mark leads back to its name, no two names share one, and what is no name of the database is no zone.
func TestNames(t *testing.T) {
	for _, name := range []string{"Europe/Paris", "America/Argentina/Ushuaia", "UTC", "Etc/GMT-14", "US/Eastern", "Asia/Calcutta"} {
		z := zone.Named([]byte(name))
		if z == nil || z.Name != name || z.Mark == 0 || zone.Marked(z.Mark) != z {
			t.Errorf("%s: %+v", name, z)
		}
	}
	for _, name := range []string{"", "Local", "europe/paris", "Europe", "Europe/", "+02:00", "../UTC", strings.Repeat("a", 300)} {
		if zone.Named([]byte(name)) != nil {
			t.Errorf("%q is a zone", name)
		}
		if _, err := zone.Load(name); err == nil {
			t.Errorf("%q is a location", name)
		}
	}
	if zone.Marked(0) != nil {
		t.Error("no mark is a zone")
	}
}
