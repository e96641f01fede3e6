package webhook_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ebb/sinks/delivery"
	"ebb/sinks/webhook"
)

// BenchmarkSend is how fast one lane delivers to a receiver on the same machine that verifies each alert and answers at
// once: one alert after the other.
func BenchmarkSend(b *testing.B) {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	published, err := os.ReadFile("../../scoring/alert/testdata/alerts.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	body, _, _ := bytes.Cut(published, []byte("\n"))
	endpoint, a := open(b, webhook.Config{URL: server.URL}), delivery.Alert{ID: sample().ID, Body: body}
	for b.Loop() {
		if err := endpoint.Send(b.Context(), &a); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}
