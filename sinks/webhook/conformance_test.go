package webhook_test

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ebb/pipeline/linetest/cluster"
	"ebb/sinks/delivery"
	"ebb/sinks/sinktest"
	"ebb/sinks/webhook"
)

// timeout of an attempt in the suite.
const timeout = 250 * time.Millisecond

// TestConformance runs the suite on endpoints of a real HTTP server.
func TestConformance(t *testing.T) {
	sinktest.Run(t, sinktest.Settings{Brokers: cluster.Brokers(t), Session: cluster.Session, Open: serve})
}

// serve starts a server that leads to the receiver.
func serve(t *testing.T, r *sinktest.Receiver) sinktest.Subject {
	t.Helper()
	s := &site{t: t, receiver: r, address: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.kill)
	return sinktest.Subject{
		Destination: func() delivery.Destination {
			return open(t, webhook.Config{URL: "http://" + s.address, Timeout: timeout})
		},
		Restart: func() {
			s.kill()
			s.start()
		},
	}
}

// site is the receiver's process: it keeps its address and what has taken effect, and loses its connections.
type site struct {
	t        *testing.T
	receiver *sinktest.Receiver
	address  string
	server   *http.Server
	serving  sync.WaitGroup
}

func (s *site) start() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Second}
	server := s.server
	s.serving.Go(func() { _ = server.Serve(l) })
}

func (s *site) kill() {
	_ = s.server.Close()
	s.serving.Wait()
}

// ServeHTTP is what a receiver does: verify, take, answer.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone away
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.Verify(body, r.Header)
	}
	if err != nil {
		s.t.Errorf("an attempt is not signed: %v", err)
	}
	switch s.receiver.Take(r.Header.Get("webhook-id"), body) {
	case sinktest.Takes:
		w.WriteHeader(http.StatusNoContent)
	case sinktest.Refuses:
		w.WriteHeader(http.StatusInternalServerError)
	case sinktest.Busy:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case sinktest.TakesLate, sinktest.Hangs:
		select {
		case <-time.After(timeout + 50*time.Millisecond):
		case <-r.Context().Done():
		}
	default:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		_ = conn.Close()
	}
}
