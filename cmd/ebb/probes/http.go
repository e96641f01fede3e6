// Package probes serves health, readiness and metrics of a running member over HTTP.
package probes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ebb/cmd/ebb/advice"
)

// Readiness is the answer of /readyz: whether the process is ready, and the state of each owned partition.
type Readiness struct {
	Ready      bool             `json:"ready"`
	Reason     string           `json:"reason,omitempty"` // why not, in words
	Group      string           `json:"group,omitempty"`
	Generation int32            `json:"generation,omitempty"`
	Partitions []PartitionState `json:"partitions"`
	Shadows    []ShadowState    `json:"shadows,omitempty"` // none of them affects readiness
}

// PartitionState is one owned partition.
type PartitionState struct {
	Partition int32  `json:"partition"`
	State     string `json:"state"`            // taking_over, running, stalled, waiting, stopped, done
	Reason    string `json:"reason,omitempty"` // why it is not running
	Next      int64  `json:"next,omitempty"`   // offset of the next record
	Lag       *int64 `json:"lag,omitempty"`    // records behind the end; nil: not known

	// names of the sources of events that have fallen silent, so that their customers' silence does not count; an empty
	// one is of the events that name none
	Stalled []string `json:"sources_stalled,omitempty"`

	Held map[string]int `json:"held,omitempty"` // raises that are held, by reason: history, storm, silence

	Silences []string `json:"silences,omitempty"` // ids of those in force
}

// ShadowState is one shadow in the answer of /readyz.
type ShadowState struct {
	Name   string `json:"name"`
	State  string `json:"state"`            // starting, running, waiting, ended
	Reason string `json:"reason,omitempty"` // why it does not run
	Lag    *int64 `json:"lag,omitempty"`    // records behind the end, in the partitions of this process; nil: not known
}

// Config holds what the HTTP server serves. Live reports whether the loops turn and depends on no other service;
// Ready whether every owned partition runs. Both are called per request, by any goroutine.
type Config struct {
	Key      string // of the configuration that sets Listen
	Listen   string // host:port; port 0 picks a free one
	Live     func() error
	Ready    func() Readiness
	Registry *prometheus.Registry
}

// Server serves /livez, /readyz and /metrics.
type Server struct {
	server   *http.Server
	listener net.Listener
	done     chan error
}

// Limits of one HTTP request: they bound how long a client that sends or reads slowly holds a connection.
const (
	httpHeaderTimeout = 5 * time.Second
	httpTimeout       = 30 * time.Second
	httpMaxHeader     = 16 << 10
)

// Start listens and serves in the background until Close. An address in use is an error at once.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		variable := "EBB_" + strings.ToUpper(strings.ReplaceAll(cfg.Key, ".", "_"))
		return nil, advice.Add(fmt.Errorf("listen on %s %s: %w", cfg.Key, cfg.Listen, err),
			"another program may hold the port: set %s (%s) to another, or to \"\" for none", cfg.Key, variable)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answerLive(w, cfg.Live()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answerReady(w, cfg.Ready()) })
	mux.Handle(
		"GET /metrics",
		promhttp.HandlerFor(cfg.Registry, promhttp.HandlerOpts{Registry: cfg.Registry, EnableOpenMetrics: true}),
	)
	s := &Server{
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: httpHeaderTimeout, ReadTimeout: httpTimeout, WriteTimeout: httpTimeout,
			IdleTimeout: 2 * httpTimeout, MaxHeaderBytes: httpMaxHeader,
		},
		listener: l,
		done:     make(chan error, 1),
	}
	go func() { s.done <- s.server.Serve(l) }()
	return s, nil
}

// Addr is the address listened on, with the port that was picked.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close answers the open requests until ctx ends, and then cuts the rest off.
func (s *Server) Close(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("close http server: %w", err)
	}
	return nil
}

func answerLive(w http.ResponseWriter, err error) {
	if err != nil {
		answerJSON(w, http.StatusServiceUnavailable, map[string]any{"live": false, "reason": err.Error()})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"live": true})
}

func answerReady(w http.ResponseWriter, r Readiness) {
	if r.Partitions == nil {
		r.Partitions = []PartitionState{}
	}
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	answerJSON(w, status, r)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone away is no failure of the server
}
