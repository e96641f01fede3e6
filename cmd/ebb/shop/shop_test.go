package shop_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/shop"
	"ebb/scoring/scoringtest/golden"
)

func open(t testing.TB, cfg shop.Config) *shop.Shop {
	t.Helper()
	s, err := shop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSameEverywhere compares the first 10,000 events of some shops with hashes: they are the same on every
// architecture.
func TestSameEverywhere(t *testing.T) {
	var got bytes.Buffer
	for _, cfg := range []shop.Config{
		{},
		{Seed: 1},
		{Seed: 2},
		{Seed: 1, Customers: 50},
		{Seed: 1, Days: 30},
		{Seed: 1, Events: 20_000, Days: 700},
		{Seed: 1<<64 - 1, Start: time.Date(1999, 2, 28, 23, 0, 0, 0, time.UTC)},
	} {
		h, n := sha256.New(), 0
		for ev := range open(t, cfg).Events() {
			h.Write(append(shop.AppendJSON(nil, &ev), '\n'))
			if n++; n == 10_000 {
				break
			}
		}
		fmt.Fprintf(
			&got,
			"seed %d customers %d days %d events %d: %d %x\n",
			cfg.Seed,
			cfg.Customers,
			cfg.Days,
			cfg.Events,
			n,
			h.Sum(nil),
		)
	}
	golden.File(t, "hashes.golden", got.String())
}

// TestStream checks what every reader relies on: order, ids, bounds, and the same events on a second reading.
func TestStream(t *testing.T) {
	s := open(t, shop.Config{Seed: 5, Customers: 500})
	ids, last := map[string]bool{}, map[string]time.Time{}
	var before time.Time
	var first []shop.Event
	for ev := range s.Events() {
		if ev.Time.Before(before) || ev.Time.Before(s.Start()) || !ev.Time.Before(s.End()) ||
			!ev.Time.Equal(ev.Time.Truncate(time.Millisecond)) {
			t.Fatalf("%v after %v, of a shop from %v to %v", ev, before, s.Start(), s.End())
		}
		if ids[ev.ID] {
			t.Fatalf("id %s twice", ev.ID)
		}
		if !last[ev.Customer].Before(ev.Time) {
			t.Fatalf("two events of %s at %v", ev.Customer, ev.Time)
		}
		if (ev.Currency == "") != (ev.Value == 0) {
			t.Fatalf("value and currency do not go together: %v", ev)
		}
		ids[ev.ID], last[ev.Customer], before = true, ev.Time, ev.Time
		first = append(first, ev)
	}
	if len(last) != 500+250 { // and one anonymous visitor for two customers
		t.Errorf("%d of 500 customers and 250 visitors ever came", len(last))
	}
	i := 0
	for ev := range s.Events() {
		if ev != first[i] {
			t.Fatalf("event %d asked for again: %v, first %v", i, ev, first[i])
		}
		if i++; i == len(first)/2 {
			break
		}
	}
}

// TestSize makes the requested number of events, in about the days given.
func TestSize(t *testing.T) {
	for _, cfg := range []shop.Config{
		{
			Events: 1,
		}, {
			Events: 100,
		}, {Events: 100_000}, {Events: 50_000, Days: 1}, {Events: 50_000, Days: 30}, {Events: 200_000, Days: 2000},
	} {
		for seed := range uint64(5) {
			cfg.Seed = seed
			s, n, last := open(t, cfg), int64(0), time.Time{}
			for ev := range s.Events() {
				n++
				last = ev.Time
			}
			if n != cfg.Events {
				t.Errorf("%+v: %d events of %d customers", cfg, n, s.Customers())
			}
			if share := last.Sub(s.Start()).Hours() / s.End().Sub(s.Start()).Hours(); cfg.Events >= 50_000 && share < 0.75 {
				t.Errorf("%+v: took %.2f of the days", cfg, share)
			}
		}
	}
}

// TestEndsEarly: with both customers and events given, the earlier limit ends it, and the events are those of the
// longer run.
func TestEndsEarly(t *testing.T) {
	whole, part := open(t, shop.Config{Customers: 20}), open(t, shop.Config{Customers: 20, Events: 300})
	var want, got []shop.Event
	for ev := range whole.Events() {
		want = append(want, ev)
	}
	for ev := range part.Events() {
		got = append(got, ev)
	}
	if diff := cmp.Diff(want[:300], got); diff != "" {
		t.Errorf("whole (-), part (+):\n%s", diff)
	}
	n := 0
	for range open(t, shop.Config{Customers: 20, Events: 1_000_000}).Events() {
		n++
	}
	if n != len(want) {
		t.Errorf("%d events, want all %d", n, len(want))
	}
}

func TestConfigRefused(t *testing.T) {
	for _, c := range []struct {
		cfg  shop.Config
		want string
	}{
		{shop.Config{Customers: -1}, "customers must be between 1 and 50000000, found -1"},
		{shop.Config{Customers: 60_000_000}, "customers must be between 1 and 50000000, found 60000000"},
		{shop.Config{Days: -1}, "days must be between 1 and 36500, found -1"},
		{shop.Config{Days: 36_501}, "days must be between 1 and 36500, found 36501"},
		{shop.Config{Events: -1}, "events must not be negative, found -1"},
	} {
		if _, err := shop.New(c.cfg); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.cfg, err, c.want)
		}
	}
	if _, err := shop.New(shop.Config{Events: 1 << 40, Days: 1}); err == nil {
		t.Error("a million million events in a day were not refused")
	}
}

func TestAppendJSON(t *testing.T) {
	at := time.Date(2025, 3, 1, 9, 30, 0, 50e6, time.UTC)
	for _, c := range []struct {
		event shop.Event
		want  string
	}{
		{
			shop.Event{ID: "s1-7", Customer: "c-000001", Type: "Products Searched", Time: at},
			`{"id":"s1-7","customer":"c-000001","type":"Products Searched","time":"2025-03-01T09:30:00.05Z"}`,
		},
		{
			shop.Event{ID: "s1-8", Customer: "c-000001", Type: "Product Viewed", Time: at.Truncate(time.Second), Properties: `{"product_id":"p-12"}`},
			`{"id":"s1-8","customer":"c-000001","type":"Product Viewed","time":"2025-03-01T09:30:00Z","properties":{"product_id":"p-12"}}`,
		},
		{
			shop.Event{ID: "s1-9", Customer: "c-000001", Type: "Order Refunded", Time: at, Value: -1205, Currency: "EUR"},
			`{"id":"s1-9","customer":"c-000001","type":"Order Refunded","time":"2025-03-01T09:30:00.05Z","value":"-12.05","currency":"EUR"}`,
		},
		{
			shop.Event{ID: "s1-10", Customer: "a-000001", Anonymous: true, Type: "Product Viewed", Time: at, Properties: `{"product_id":"p-7"}`},
			`{"type":"track","messageId":"s1-10","anonymousId":"a-000001","event":"Product Viewed","timestamp":"2025-03-01T09:30:00.05Z","properties":{"product_id":"p-7"}}`,
		},
	} {
		got := shop.AppendJSON(nil, &c.event)
		if string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// BenchmarkEvents makes the default shop and writes it as JSON.
func BenchmarkEvents(b *testing.B) {
	s := open(b, shop.Config{Seed: 1})
	var line []byte
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for ev := range s.Events() {
			line = shop.AppendJSON(line[:0], &ev)
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
