package worker_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/storetest"
	"ebb/pipeline/worker"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// visitAt is one event of a log made by hand.
type visitAt struct {
	customer string
	at       time.Time
}

// ordinary is a log of twelve customers in order of time, an event about every eight hours; after two thirds of it half
// of them are gone.
func ordinary(n int) (log []visitAt) {
	r := rand.New(rand.NewPCG(6, 7))
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		customers := 12
		if i > n*2/3 {
			customers = 6
		}
		now = now.Add(time.Duration(r.ExpFloat64() * float64(8*time.Hour)))
		log = append(log, visitAt{fmt.Sprintf("c%d", r.IntN(customers)), now})
	}
	return log
}

func recordsOf(log []visitAt) (records []pipeline.Record) {
	for i, v := range log {
		value := fmt.Appendf(
			nil,
			`{"id":"e%d","customer":%q,"type":"visit","time":%q}`,
			i,
			v.customer,
			v.at.Format(time.RFC3339),
		)
		records = append(records, pipeline.Record{Offset: int64(i), Timestamp: v.at.UnixMilli(), Value: value})
	}
	return records
}

// alertsOf runs the line over log and returns the alerts about its ordinary customers, in an order of their own, and
// the counts.
func alertsOf(t *testing.T, log []visitAt, lateness time.Duration) (lines []string, tally line.Tally) {
	t.Helper()
	pack, err := pack.Load(
		"any",
		nil,
		pack.Overrides{Horizon: 10 * 24 * time.Hour, Friction: map[string]float64{"failed": 1}},
	)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		in := &input{pack: pack, end: int64(len(log))}
		var published []pipeline.Outgoing
		kafka := &cluster{records: recordsOf(log), second: true, publish: func(o pipeline.Outgoing) error {
			published = append(published, o)
			return nil
		}}
		worker := worker.New(worker.Config{
			Ledger: elsewhere{},
			Line: line.Config{
				Identity:       in.identity(),
				Settings:       settings(lateness),
				Format:         profile.Format,
				CacheCustomers: 8,
			},
			Log:          &heldLog{end: in.end, kafka: kafka},
			Store:        storetest.NewMemory().Partition(0),
			Pack:         pack,
			PublishEvery: time.Second,
			End:          in.end,
			Logger:       zerolog.Nop(),
			Metrics:      worker.NewMetrics(prometheus.NewRegistry()),
			Render:       in.render,
		})
		if err := worker.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := kafka.settle(); err != nil {
			t.Fatal(err)
		}
		tally = *worker.Tally()
		for _, p := range published {
			var a struct{ Customer, Transition, Time string }
			if err := json.Unmarshal(p.Value, &a); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(a.Customer, "c") {
				lines = append(lines, a.Customer+" "+a.Time+" "+a.Transition)
			}
		}
	})
	slices.Sort(lines)
	return lines, tally
}

// every is v, repeated a minute later each time, before each of the first n records.
func every(n int, v visitAt) map[int]visitAt {
	all := map[int]visitAt{}
	for i := range n {
		all[i] = visitAt{v.customer, v.at.Add(time.Duration(i) * time.Minute)}
	}
	return all
}

// Events with a clock that is wrong by years change nothing about other customers, wherever they are in the log.
func TestBadClocks(t *testing.T) {
	log := ordinary(600)
	want, _ := alertsOf(t, log, time.Hour)
	bad := func(year int) visitAt {
		return visitAt{fmt.Sprint("bad", year), time.Date(year, 2, 7, 6, 28, 16, 0, time.UTC)}
	}
	for name, insert := range map[string]map[int]visitAt{
		"the first record of the partition":          {0: bad(2191)},
		"its second and third":                       {1: bad(2191), 2: bad(2036)},
		"the first lies in the past":                 {0: bad(1980)},
		"three, hundreds of records apart":           {150: bad(2030), 300: bad(2049), 450: bad(2128)},
		"one at every other event from the start on": every(200, bad(2100)),
		"three in a row that do not agree":           {300: bad(2030), 301: bad(2049), 302: bad(2128)},
		"three that agree, but months apart": {
			150: {"bad1", bad(2036).at},
			300: {"bad2", bad(2036).at},
			450: {"bad3", bad(2036).at},
		},
		"the first, and two more that it favors": {
			0:   {"bad1", bad(2191).at},
			200: {"bad2", bad(2191).at},
			400: {"bad3", bad(2191).at},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var with []visitAt
			for i, v := range log {
				if b, ok := insert[i]; ok {
					with = append(with, b)
				}
				with = append(with, v)
			}
			got, _ := alertsOf(t, with, time.Hour)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d alerts, want %d (-want +got):\n%.2000s", len(got), len(want), diff)
			}
		})
	}
}

// hostile is a log of a few customers with every kind of disorder: gaps, late events, repeated ids, and clocks that are
// wrong for a while, alone or together, from the first record on.
func hostile(r *rand.Rand, n int) (log []visitAt) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	customers, pause := 1+r.IntN(14), time.Duration(1+r.IntN(72))*time.Hour
	wrong, until := time.Duration(0), 0
	for i := range n {
		now = now.Add(time.Duration(r.ExpFloat64() * float64(pause)))
		at := now
		switch r.IntN(12) {
		case 0:
			at = at.Add(-time.Duration(r.IntN(50*24)) * time.Hour)
		case 1:
			at = at.Add(time.Duration(r.IntN(50*24)) * time.Hour)
		case 2:
			now = now.AddDate(0, 0, r.IntN(40))
		case 3:
			wrong, until = time.Duration(r.IntN(800)-100)*24*time.Hour, i+r.IntN(6)
		}
		if i < until || i == 0 && r.IntN(2) == 0 {
			at = at.Add(wrong + time.Duration(r.IntN(30*24))*time.Hour)
		}
		log = append(log, visitAt{fmt.Sprintf("c%d", r.IntN(customers)), at})
	}
	return log
}

// sameAlert compares two lines of alertsOf. A score may be so close to a threshold that rounding decides about a
// minute.
func sameAlert(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	at, errA := time.Parse(time.RFC3339, x[1])
	bt, errB := time.Parse(time.RFC3339, y[1])
	return errA == nil && errB == nil && x[0] == y[0] && x[2] == y[2] && at.Sub(bt).Abs() <= time.Minute
}

// Late events, events ahead, and every alert are those of the independent fold, for any clocks.
func TestClockAgreesWithFold(t *testing.T) {
	var all oracle.Counts
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 11))
		log := hostile(r, 10+r.IntN(150))
		lateness := time.Duration(r.IntN(3)*r.IntN(60)) * time.Hour
		got, tally := alertsOf(t, log, lateness)
		var input []oracle.Record
		for i, record := range recordsOf(log) {
			input = append(input, oracle.Record{Offset: int64(i), Value: record.Value})
		}
		fold := oracle.Fold([][]oracle.Record{input}, oracle.Settings{Horizon: 10, Lateness: lateness, Retention: retention})
		var want []string
		for _, a := range fold.Alerts {
			want = append(want, a.Customer+" "+time.Unix(a.Seconds, 0).UTC().Format("2006-01-02T15:04:05.000Z")+" "+a.Transition)
		}
		slices.Sort(want)
		if c := fold.Counts; c.Late != int(tally.Late) || c.Future != int(tally.Future) {
			t.Fatalf("seed %d: %d late and %d ahead, the fold says %+v", seed, tally.Late, tally.Future, c)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(sameAlert)); diff != "" {
			t.Fatalf("seed %d: alerts (-fold +line):\n%.2000s", seed, diff)
		}
		all.Late, all.Future, all.Events = all.Late+fold.Counts.Late, all.Future+fold.Counts.Future, all.Events+len(
			fold.Alerts,
		)
	}
	t.Logf("%d late, %d ahead, %d alerts", all.Late, all.Future, all.Events)
	if all.Late < 1000 || all.Future < 1000 || all.Events < 1000 {
		t.Error("the logs are too tame")
	}
}
