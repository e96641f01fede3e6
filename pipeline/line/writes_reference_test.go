//go:build reference

package line

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ebb/pipeline"
)

// TestDeadlineWrites: what deadlines cost in Redis on the five public logs, besides the profiles that are written anyway:
// entries of due buckets, and the commands that append and remove them, for each event. In batches of a processor that is
// behind there are few commands; one that keeps up writes a command for each entry, so entries bound them.
func TestDeadlineWrites(t *testing.T) {
	for name, horizon := range map[string]int{
		"cdnow": 90, "online_retail": 90, "bitcoin_otc": 180, "mathoverflow": 90, "email_eu": 30,
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, anyOf(t, time.Duration(horizon)*24*time.Hour), 0, 5*time.Minute)
			w := &writes{}
			log := publicRecords(t, name)
			const batch = 5_000
			for at := 0; at < len(log); at += batch {
				w.put(t, s, log[at:min(at+batch, len(log))])
			}
			n := float64(len(log))
			t.Logf("%d events: per event %.3f entries of %.1f bytes, %.4f commands; %.4f alerts", len(log),
				float64(s.tally.Armed)/n, float64(w.bytes)/float64(s.tally.Armed), float64(w.commands)/n,
				float64(s.tally.AllAlerts())/n)
			if per := float64(s.tally.Armed) / n; per > 2.5 {
				t.Errorf("%.3f entries an event", per)
			}
		})
	}
}

// writes counts what commits do to due buckets.
type writes struct{ commands, bytes int }

func (w *writes) put(t *testing.T, s *shelf, records []pipeline.Record) {
	t.Helper()
	swept := 0
	counting := func(c *Staged) {
		for _, d := range c.Commit.Due {
			w.commands, w.bytes = w.commands+1, w.bytes+len(d.Entries)
		}
		swept += len(c.Commit.Swept)
		s.commit(c)
	}
	s.putThrough(t, records, counting)
	for s.Sweeping() {
		s.putThrough(t, nil, counting)
	}
	w.commands += swept
}

// publicRecords are a public log's records.
func publicRecords(t *testing.T, name string) (all []pipeline.Record) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name+".csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows[1:] {
		seconds, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(seconds * 1000)
		all = append(all, pipeline.Record{Timestamp: at, Value: fmt.Appendf(
			nil, `{"id":"%d","customer":%q,"type":%q,"time":%d}`, i, row[0], row[2], at,
		)})
	}
	return all
}
