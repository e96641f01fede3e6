package oracle_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline/linetest/oracle"
)

// Known values of Kafka's own murmur2, so that the fold's partitions are the broker's.
func TestPartition(t *testing.T) {
	for key, want := range map[string]int{
		"": 0x106e08d9 % 64, "21": -973932308 & 0x7fffffff % 64, "foobar": -790332482 & 0x7fffffff % 64,
		"a-little-bit-long-string": -985981536 & 0x7fffffff % 64, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971 & 0x7fffffff % 64,
	} {
		if got := oracle.Partition([]byte(key), 64); got != want {
			t.Errorf("Partition(%q) = %d, want %d", key, got, want)
		}
	}
}

func flat(id, customer, kind string, t time.Time) []byte {
	return fmt.Appendf(nil, `{"id":%q,"customer":%q,"type":%q,"time":%q}`, id, customer, kind, t.Format(time.RFC3339))
}

func log(values ...[]byte) (records []oracle.Record) {
	for i, v := range values {
		records = append(records, oracle.Record{Offset: int64(i), Value: v})
	}
	return records
}

// One customer by hand: it is raised in its silence, escalated, and recovers with its next activity. A repeated event
// id has no effect, and another customer's events move the watermark that measures the silence.
func TestFoldLifeCycle(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return start.AddDate(0, 0, days) }
	values := [][]byte{flat("1", "ann", "buy", at(0)), flat("2", "bob", "buy", at(1)), flat("2", "bob", "buy", at(2))}
	for i, c := range []string{"x", "y", "z"} { // three customers vouch for a leap of the watermark
		values = append(values, flat(strconv.Itoa(3+i), c, "buy", at(400)))
	}
	values = append(values, flat("6", "ann", "buy", at(401)), []byte("{}"))
	r := oracle.Fold([][]oracle.Record{log(values...)}, oracle.Settings{Horizon: 90})

	var got []string
	for _, a := range r.Alerts {
		got = append(got, a.Customer+" "+a.Transition)
	}
	want := []string{"ann raised", "ann escalated", "ann recovered", "bob raised", "bob escalated"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	diff := cmp.Diff([]oracle.Quarantined{{Partition: 0, Offset: 7, Code: "customer_missing"}}, r.Quarantined)
	if diff != "" {
		t.Errorf("quarantined (-want +got):\n%s", diff)
	}
	diff = cmp.Diff(oracle.Counts{Records: 8, Events: 6, Duplicates: 1, Quarantined: 1, Future: 2}, r.Counts)
	if diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// Lateness holds the watermark back: a deadline does not fire before an event that overtakes it by less than that.
func TestFoldLateness(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first := oracle.Fold([][]oracle.Record{log(
		flat("1", "ann", "buy", start), flat("2", "ann", "note", start.AddDate(2, 0, 0)),
	)}, oracle.Settings{Horizon: 90, Activity: map[string]bool{"buy": true}})
	raised := time.Unix(first.Alerts[0].Seconds, 0)
	for name, c := range map[string]struct {
		lateness time.Duration
		want     int
	}{
		"none":            {0, 2},
		"as far as raise": {time.Minute, 2},
		"farther":         {2 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := oracle.Fold([][]oracle.Record{log(
				flat("1", "ann", "buy", start), flat("2", "ann", "buy", raised.Add(time.Minute)),
			)}, oracle.Settings{Horizon: 90, Lateness: c.lateness})
			if len(r.Alerts) != c.want {
				t.Errorf("%d alerts, want %d: %+v", len(r.Alerts), c.want, r.Alerts)
			}
		})
	}
}

// A customer who is silent for the retention is removed, ids and all, unless a transition is still to come.
func TestFoldRetention(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return start.AddDate(0, 0, days) }
	for name, c := range map[string]struct {
		retention, back int // days
		episodes        int // so far, of the customer who is back
		duplicates      int
	}{
		"for ever":              {0, 900, 1, 1},
		"not yet":               {700, 699, 1, 1},
		"forgotten":             {700, 701, 0, 0},
		"escalation to come":    {30, 31, 1, 1},
		"not before it is gone": {30, 900, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			settings := oracle.Settings{Horizon: 90, Retention: time.Duration(c.retention) * 24 * time.Hour}
			var values [][]byte
			values = append(values, flat("1", "ann", "buy", at(0)))
			for day := range c.back + 1 {
				values = append(values, flat("", "bob", "buy", at(day)))
			}
			values = append(values, flat("1", "ann", "buy", at(c.back)))
			r := oracle.Fold([][]oracle.Record{log(values...)}, settings)
			ann := r.Partitions[0].Profiles[0]
			if ann.Episodes != c.episodes || ann.Visits != 1 || r.Counts.Duplicates != c.duplicates {
				t.Errorf("%+v, %d duplicates; want %d episodes, %d duplicates", ann, r.Counts.Duplicates, c.episodes, c.duplicates)
			}
		})
	}
}

// A visit exactly a spell after the one before counts in the level, and one a millisecond earlier does not, whenever they
// are: seen at full size, where one customer of 200,000 was raised three minutes apart from ebb.
func TestFoldCountsASpellToTheMillisecond(t *testing.T) {
	const spell = 20 * time.Hour // a twelfth of 10 days
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for n := range 1000 {
		first := start.Add(time.Duration(n) * 7919 * time.Second)
		level := func(gap time.Duration) float64 {
			records := log(flat("1", "ann", "buy", first), []byte(fmt.Sprintf(
				`{"id":"2","customer":"ann","type":"buy","time":%q}`, first.Add(gap).Format(time.RFC3339Nano),
			)))
			return oracle.Fold([][]oracle.Record{records}, oracle.Settings{Horizon: 10}).Partitions[0].Profiles[0].Level
		}
		if at, before := level(spell), level(spell-time.Millisecond); at < 1.9 || before > 1 {
			t.Fatalf("visits from %v: level %v a spell apart, %v a millisecond less", first, at, before)
		}
	}
}
