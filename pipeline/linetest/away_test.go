//go:build integration

package linetest_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/linetest/ports"
)

// outage is how long a server stays away: longer than sessions, transactions and requests last.
const outage = 60 * time.Second

// A broker and a Redis stay away for a minute each, with half a minute in common. The program waits for them, alive and
// not ready, with a line in the log for each change, and nothing is lost or doubled when they are back.
func TestServersAway(t *testing.T) {
	t.Parallel()
	kafka, redis := newKafka(t), newRedis(t)
	w := newWorldAt(t, kafka.address, 2)
	parts := slices.Collect(slices.Chunk(events("shop", 1, shop(8, 1_000, 700)), 20_000))[:2]
	address := freeAddress(t)
	g := w.group(
		"run",
		redis.address,
		map[string]string{"batch.max_bytes": "64KiB", "input.max_record_bytes": "16KiB", "http.listen": address},
	)
	input := w.produce(parts[0])
	p := g.run(nil, nil, shopFlags()...)
	p.until("it is ready", func() bool { return status(address, "readyz") == http.StatusOK })
	p.until("the first part is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	before := strings.Count(p.stderr.String(), "\n")

	notReady := func(while string) {
		t.Helper()
		p.until("it is not ready "+while, func() bool { return status(address, "readyz") == http.StatusServiceUnavailable })
		for end := time.Now().Add(outage / 2); time.Now().Before(end); <-time.After(time.Second) {
			live, ready := status(address, "livez"), status(address, "readyz")
			if live != http.StatusOK || ready != http.StatusServiceUnavailable {
				t.Errorf("%s: livez %d, readyz %d", while, live, ready)
			}
		}
	}
	kafka.down()
	notReady("without Kafka")
	redis.do("redis-cli", "save")
	redis.down()
	notReady("without both")
	kafka.up()
	notReady("without Redis")
	redis.up()
	p.until("it is ready again", func() bool { return status(address, "readyz") == http.StatusOK })

	input = join(input, w.produce(parts[1]))
	p.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	leave(p)
	if said := strings.Count(p.stderr.String(), "\n") - before; said > 30 {
		t.Errorf("%d lines in the log for two outages of two partitions", said)
	}
	alerts := g.published()
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// status requests a health endpoint of the process; 0: no answer.
func status(address, path string) int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(fmt.Sprintf("http://%s/%s", address, path))
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // the status is all that matters
	return resp.StatusCode
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := ports.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}
