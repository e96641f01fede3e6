//go:build integration && reference

package linetest_test

import (
	"fmt"
	"strconv"
	"testing"

	"ebb/pipeline/linetest/oracle"
)

// The alerts of a public log, through the real program, are those of the executable specification.
func TestLapseAsSpecified(t *testing.T) {
	t.Parallel()
	rows := publicLog(t, "online_retail")
	for _, partitions := range []int{1, 4} {
		t.Run(strconv.Itoa(partitions), func(t *testing.T) {
			t.Parallel()
			var want []oracle.Alert
			for _, f := range shared(t, fmt.Sprintf("reference/lapse3_online_retail_%d.csv.gz", partitions)) {
				odds, err := strconv.ParseFloat(f[4], 64)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, oracle.Alert{
					Customer: f[0], Transition: f[1], Tier: f[2], Seconds: number(t, f[3]), LogOdds: odds,
				})
			}
			w := newWorld(t, partitions)
			w.produce(events("online_retail.csv.gz", 2, rows))
			g := w.group("run", redisAddress(), nil)
			s := g.run(nil, nil, "--until-end", "--activity", "purchase", "--horizon", "90d").finish()
			got := g.published()
			checkOnce(t, got)
			checkFold(t, want, got)
			if s.Events != len(rows) || s.Alerts != len(want) || s.Quarantined+s.Late+s.Duplicates != 0 {
				t.Errorf("summary %+v of %d events and %d alerts", s, len(rows), len(want))
			}
		})
	}
}
