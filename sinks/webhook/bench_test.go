package webhook_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/kafkawire"
	"ebb/pipeline/linetest/cluster"
	"ebb/sinks/delivery"
	"ebb/sinks/webhook"
)

// published is the body of an alert, under another id.
func published(b *testing.B, id string) []byte {
	b.Helper()
	all, err := os.ReadFile("../../scoring/alert/testdata/alerts.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	body, _, _ := bytes.Cut(all, []byte("\n"))
	return bytes.Replace(body, []byte(`"id":"560ec4ef88c6f5c92c8cdb8287e05925"`), []byte(`"id":"`+id+`"`), 1)
}

// quick is a receiver on the same machine that verifies each alert and answers at once. Each one calls taken.
func quick(b *testing.B, taken func()) string {
	b.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		taken()
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkSend is signing and sending alone, one alert after the other.
func BenchmarkSend(b *testing.B) {
	endpoint := open(b, webhook.Config{URL: quick(b, func() {})})
	a := delivery.Alert{ID: sample().ID, Body: published(b, sample().ID)}
	for b.Loop() {
		if err := endpoint.Send(b.Context(), &a); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}

// BenchmarkDeliver is the whole way of ten thousand alerts, from their topic of four partitions to the receiver and to the
// group's offsets, the takeover of the partitions included.
func BenchmarkDeliver(b *testing.B) {
	const alerts, partitions = 10_000, 4
	brokers := cluster.Brokers(b)
	for b.Loop() {
		b.StopTimer()
		topic := "bench-" + rand.Text()
		fill(b, brokers, topic, alerts, partitions)
		done, n := make(chan struct{}), atomic.Int64{}
		client, err := kafkawire.Open(kafkawire.Config{
			Brokers: brokers, ClientID: "ebb-bench", Topics: []string{topic, topic + ".dlq"},
		})
		if err != nil {
			b.Fatal(err)
		}
		member, err := delivery.NewMember(delivery.MemberConfig{
			Client: client, Group: topic, Topic: topic, Instance: "one", DeadLetters: topic + ".dlq",
			Session: cluster.Session, Heartbeat: cluster.Session / 10, Logger: zerolog.Nop(),
			Destination: open(b, webhook.Config{URL: quick(b, func() {
				if n.Add(1) == alerts {
					close(done)
				}
			})}),
			Metrics: delivery.NewMetrics(prometheus.NewRegistry(), nil),
		})
		if err != nil {
			b.Fatal(err)
		}
		ended := make(chan error, 1)
		b.StartTimer()
		go func() { ended <- member.Run(b.Context()) }()
		<-done
		member.Drain()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		client.Close()
		b.StartTimer()
	}
	b.ReportMetric(alerts*float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}

// fill makes a topic with so many alerts that do not expire.
func fill(b *testing.B, brokers []string, topic string, alerts, partitions int) {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		b.Fatal(err)
	}
	admin := kadm.NewClient(client)
	forever := "-1"
	created, err := admin.CreateTopics(
		b.Context(), int32(partitions), 1, map[string]*string{"retention.ms": &forever}, topic, topic+".dlq",
	)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_, _ = admin.DeleteTopics(context.Background(), topic, topic+".dlq")
		client.Close()
	})
	lasting := bytes.Replace(published(b, "ID"), []byte(`"expires_at":"2021`), []byte(`"expires_at":"2121`), 1)
	var records []*kgo.Record
	for i := range alerts {
		body := bytes.Replace(lasting, []byte("ID"), fmt.Appendf(nil, "%032x", i), 1)
		records = append(records, &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "c-%d", i), Value: body})
	}
	if err := client.ProduceSync(b.Context(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
}
