//go:build integration

package linetest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// A process whose alerts cannot be published is not ready, and says why. It goes on by itself once they can.
func TestAlertTopicDeletedWhileRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	first, second := halves(shop(26, 800, 700))
	g, p, input := besides(t, w, redisAddress(), first)
	before := g.published()

	if _, err := w.admin.DeleteTopics(t.Context(), g.alerts); err != nil {
		t.Fatal(err)
	}
	input = join(input, w.produce(events("shop", 100_000, second)))
	p.says("partition stalled", g.alerts)
	g.notReady(p)
	eventually(t, "the topic is created again", func() bool {
		_, err := w.admin.CreateTopic(t.Context(), 2, 1, nil, g.alerts)
		return err == nil
	})
	p.until("everything is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	p.until("it is ready", func() bool { return status(g.keys["http.listen"], "readyz") == http.StatusOK })
	leave(p)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, slices.Concat(before, g.published()))
}

// Under a quota that lets an outbox through in no single publication, alerts are published all the same, each once.
func TestQuotaOnPublishing(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, newKafka(t).address, 2) // whoever calls itself as ebb does shares the quota
	client := "ebb"
	altered, err := w.admin.AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 100_000}},
	}})
	if err != nil || altered[0].Err != nil {
		t.Fatal(err, altered)
	}
	input := w.produce(events("shop", 1, shop(27, 3_000, 700)))
	g := w.group("run", redisAddress(), nil)
	began := time.Now()
	g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()
	alerts := g.published()
	t.Logf("%d alerts in %v", len(alerts), time.Since(began).Round(time.Second))
	checkOnce(t, alerts)
	checkFold(t, oracle.Fold(input, shopSettings()).Alerts, alerts)
}

// Whoever joins the group and does not share its work is named, by each of the processes.
func TestGroupTaken(t *testing.T) {
	t.Parallel()
	t.Run("another input", func(t *testing.T) {
		t.Parallel()
		w, other := newWorld(t, 2), newWorld(t, 2)
		first, _ := halves(shop(28, 800, 700))
		g, p, input := besides(t, w, redisAddress(), first)
		second := g.run(map[string]string{
			"kafka.input": other.input, "kafka.instance_id": "two", "http.listen": freeAddress(t),
		}, nil, shopFlags()...)
		p.stops("group_taken")
		second.stops("group_taken")
		checkPart(t, oracle.Fold(input, shopSettings()).Alerts, g.published())
	})
	t.Run("the newer protocol", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 2)
		first, _ := halves(shop(29, 800, 700))
		g, p, input := besides(t, w, redisAddress(), first)
		newer, err := kgo.NewClient(
			kgo.SeedBrokers(w.kafka), kgo.ConsumerGroup(g.name), kgo.ConsumeTopics(w.input), kgo.ServerSideBalancer(),
			kgo.Balancers(kgo.RangeBalancer()), kgo.DisableAutoCommit(), kgo.ClientID("newer"),
		)
		if err != nil {
			t.Fatal(err)
		}
		defer newer.Close()
		p.stops("group_taken")
		if log := p.stderr.String(); !containsAll(log, []string{"client newer"}) {
			t.Errorf("the log does not name the other:\n%s", tail(log, 5))
		}
		checkPart(t, oracle.Fold(input, shopSettings()).Alerts, g.published())
	})
}
