//go:build integration

package linetest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// alert is a published alert as read by an independent reader.
type alert struct {
	partition int32
	record    string // key, headers, timestamp and value: everything a consumer gets

	ID         string    `json:"id"`
	EpisodeID  string    `json:"episode_id"`
	Customer   string    `json:"customer"`
	Transition string    `json:"transition"`
	Tier       string    `json:"tier"`
	Initial    bool      `json:"initial"`
	HeldFor    int64     `json:"held_for"`
	Episode    int       `json:"episode"`
	Sequence   int       `json:"sequence"`
	Time       time.Time `json:"time"`
	Expires    time.Time `json:"expires_at"`
	Unseen     int64     `json:"unseen_ms"`
	Pack       struct {
		Version string `json:"version"`
	} `json:"pack"`
	Score struct {
		Terms map[string]float64 `json:"terms"` // log-odds, to six decimals
	} `json:"score"`
}

func (a *alert) odds() (sum float64) {
	for _, t := range a.Score.Terms {
		sum += t
	}
	return sum
}

// published reads all committed alerts of the group.
func (g *group) published() []alert {
	g.t.Helper()
	records := g.read(g.alerts)
	alerts := make([]alert, len(records))
	for i, r := range records {
		a := &alerts[i]
		if err := json.Unmarshal(r.Value, a); err != nil {
			g.t.Fatalf("alert %s: %v", r.Value, err)
		}
		a.partition, a.record = r.Partition, wire(r)
		if string(r.Key) != a.Customer {
			g.t.Errorf("alert %s of %q has key %q", a.ID, a.Customer, r.Key)
		}
		if id := header(r, "ce_id"); id != a.ID || id == "" {
			g.t.Errorf("alert %q has ce_id %q", a.ID, id)
		}
	}
	return alerts
}

// wire is everything a consumer gets of a record, without its place, in one comparable text.
func wire(r *kgo.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q @%d", r.Key, r.Timestamp.UnixMilli())
	for _, h := range r.Headers {
		fmt.Fprintf(&b, " %s=%q", h.Key, h.Value)
	}
	fmt.Fprintf(&b, "\n%s", r.Value)
	return b.String()
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// read returns the content of the topic for a reader of committed data: by partition, in order of offsets.
func (w *world) read(topic string) []*kgo.Record {
	w.t.Helper()
	begins, err := w.admin.ListStartOffsets(w.t.Context(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	ends := w.settled(topic)
	from := map[int32]kgo.Offset{}
	missing := map[int32]int64{} // last stable offset of each partition not read to it
	ends.Each(func(o kadm.ListedOffset) {
		if begin, _ := begins.Lookup(topic, o.Partition); o.Offset > begin.Offset {
			from[o.Partition], missing[o.Partition] = kgo.NewOffset().AtStart(), o.Offset
		}
	})
	if len(from) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(w.kafka),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	var records []*kgo.Record
	for len(missing) > 0 { // bounded by the test's own deadline
		fetches := cl.PollFetches(w.t.Context())
		if err := fetches.Err(); err != nil {
			w.t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset >= missing[r.Partition]-1 {
				delete(missing, r.Partition)
			}
		})
	}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records
}

// settled waits until no transaction is open on the topic, since a committed one may not be visible yet, and returns
// the partitions' ends.
func (w *world) settled(topic string) (ends kadm.ListedOffsets) {
	w.t.Helper()
	eventually(w.t, "no transaction is open on "+topic, func() bool {
		all, err := w.admin.ListEndOffsets(w.t.Context(), topic)
		if err != nil {
			w.t.Fatal(err)
		}
		if ends, err = w.admin.ListCommittedOffsets(w.t.Context(), topic); err != nil {
			w.t.Fatal(err)
		}
		open := false
		all.Each(func(o kadm.ListedOffset) {
			stable, _ := ends.Lookup(topic, o.Partition)
			open = open || stable.Offset < o.Offset
		})
		return !open
	})
	return ends
}

// checkOnce fails the test where an alert is there twice or a customer's alerts are out of order.
func checkOnce(t *testing.T, alerts []alert) {
	t.Helper()
	type place struct {
		partition         int32
		episode, sequence int
	}
	seen := map[string]bool{}
	last := map[string]place{}
	for _, a := range alerts {
		if seen[a.ID] {
			t.Errorf("alert %s of %s is published twice", a.ID, a.Customer)
		}
		seen[a.ID] = true
		l, known := last[a.Customer]
		if known && l.partition != a.partition {
			t.Errorf("alerts of %s lie in partitions %d and %d", a.Customer, l.partition, a.partition)
		}
		if cmp.Or(cmp.Compare(a.Episode, l.episode), cmp.Compare(a.Sequence, l.sequence)) <= 0 {
			t.Errorf(
				"%s: alert %d of episode %d follows alert %d of episode %d",
				a.Customer,
				a.Sequence,
				a.Episode,
				l.sequence,
				l.episode,
			)
		}
		last[a.Customer] = place{a.partition, a.Episode, a.Sequence}
	}
}

// checkSame fails the test where two runs published different alerts, to the byte, or a customer's in another order.
func checkSame(t *testing.T, want, got []alert) {
	t.Helper()
	byID := map[string]string{}
	for _, a := range want {
		byID[a.ID] = a.record
	}
	shown := 0
	for _, a := range got {
		record, known := byID[a.ID]
		delete(byID, a.ID)
		if known && record == a.record {
			continue
		}
		if shown++; shown <= 5 {
			t.Errorf("alert %s is not as in the clean run:\n%s\nwant\n%s", a.ID, a.record, record)
		}
	}
	for _, record := range byID {
		if shown++; shown <= 10 {
			t.Errorf("alert of the clean run is missing: %s", record)
		}
	}
	if shown > 0 {
		t.Errorf("%d of %d alerts differ from the clean run's %d", shown, len(got), len(want))
	}
}

// tolerance of checkFold: scores agree to maxOdds, and of 10,000 alerts maxShifted may be a minute off, where the score
// is so close to a threshold that rounding decides.
const (
	maxOdds    = 4e-6 // six terms, each to six decimals
	maxShifted = 5
)

// checkFold fails the test where the published alerts are not those of the fold.
func checkFold(t *testing.T, want []oracle.Alert, got []alert) {
	t.Helper()
	type line struct {
		customer, transition, tier string
		seconds                    int64
		odds                       float64
	}
	order := func(a, b line) int {
		return cmp.Or(
			cmp.Compare(a.customer, b.customer),
			cmp.Compare(a.seconds, b.seconds),
			cmp.Compare(a.transition, b.transition),
		)
	}
	var w, g []line
	for _, a := range want {
		w = append(w, line{a.Customer, a.Transition, a.Tier, a.Seconds, a.LogOdds})
	}
	for _, a := range got {
		g = append(g, line{a.Customer, a.Transition, a.Tier, a.Time.Unix(), a.odds()})
	}
	slices.SortFunc(w, order)
	slices.SortFunc(g, order)
	if len(w) != len(g) {
		t.Errorf("%d alerts, the fold says %d", len(g), len(w))
	}
	wrong, shifted := 0, 0
	for i := range min(len(w), len(g)) {
		off := max(w[i].seconds-g[i].seconds, g[i].seconds-w[i].seconds)
		same := w[i].customer == g[i].customer && w[i].transition == g[i].transition && w[i].tier == g[i].tier
		switch {
		case same && off == 0 && math.Abs(w[i].odds-g[i].odds) <= maxOdds:
		case same && off == 60:
			if shifted++; shifted <= 5 {
				t.Logf("a minute off: %+v, the fold says %+v", g[i], w[i])
			}
		default:
			if wrong++; wrong <= 5 {
				t.Errorf("alert %+v, the fold says %+v", g[i], w[i])
			}
		}
	}
	if wrong > 0 || shifted*10_000 > maxShifted*len(w) {
		t.Errorf("of %d alerts %d are wrong and %d a minute off", len(g), wrong, shifted)
	}
}
