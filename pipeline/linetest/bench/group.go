package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ebb/pipeline/linetest/ports"
)

// group is one new consumer group of ebb, with an alert topic of its own.
type group struct {
	*bench
	name, alerts string
	config       string // file
	http         string // address of health and metrics
}

// configuration holds what has no usable default: where everything is.
const configuration = `kafka: {brokers: ["%s"], group: %s, input: %s, alerts: %s, control: %s.control, packs: %s.packs}
redis: {addresses: ["%s"]}
http: {listen: "%s"}
log: {format: json}
start: {history: none}
storm: {breaker: "off"}
%s`

func (b *bench) newGroup(ctx context.Context, i int) (*group, error) {
	return b.groupOn(ctx, fmt.Sprintf("bench-%d", i), input, "")
}

// groupOn is a group that reads a topic, with more settings.
func (b *bench) groupOn(ctx context.Context, name, input, more string) (*group, error) {
	address, err := ports.Address(ctx)
	if err != nil {
		return nil, err
	}
	g := &group{bench: b, name: name, http: address}
	g.alerts, g.config = g.name+".alerts", filepath.Join(b.dir, g.name+".yaml")
	text := fmt.Sprintf(configuration, b.kafka, g.name, input, g.alerts, g.name, g.name, b.redis, g.http, more)
	return g, os.WriteFile(g.config, []byte(text), 0o600)
}

// command is ebb with the load's pack: the same horizon and friction that the compared programs have.
func (g *group) command(ctx context.Context, flags ...string) *exec.Cmd {
	args := append([]string{
		"run", "-c", g.config, "--pack", g.Pack, "--horizon", "30d",
		"--friction", "Support Ticket Opened=0,Payment Failed=1",
	}, flags...)
	return exec.CommandContext(ctx, g.program, args...)
}

// run is one run over the whole topic. CPU is in nanoseconds per event.
type run struct {
	Events          uint64   `json:"events"`
	Seconds         float64  `json:"seconds"`
	Alerts          uint64   `json:"alerts"`
	Quarantined     uint64   `json:"quarantined,omitempty"`
	EventsPerSecond float64  `json:"events_per_second"`
	ReadOnly        float64  `json:"read_only_events_per_second"` // franz-go, just before
	CPU             float64  `json:"cpu_ns_per_event"`
	KafkaCPU        float64  `json:"kafka_cpu_ns_per_event"`
	RedisCPU        float64  `json:"redis_cpu_ns_per_event"`
	Allocations     float64  `json:"allocations_per_event"`
	AllocatedBytes  float64  `json:"allocated_bytes_per_event"`
	AlertsPerEvent  float64  `json:"alerts_per_event"`
	MaxRSS          int64    `json:"max_rss_bytes"`
	Armed           *float64 `json:"deadlines_stored_per_event,omitempty"` // as of the last read of /metrics
	Woken           *float64 `json:"deadlines_looked_at_per_event,omitempty"`
	PerCommit       *float64 `json:"events_per_commit,omitempty"`
	PerTransaction  *float64 `json:"events_per_transaction,omitempty"`

	profile string // file
}

// check creates the topics that are missing.
func (g *group) check(ctx context.Context) error {
	check := exec.CommandContext(
		ctx,
		g.program,
		"check",
		"-c",
		g.config,
		"--create",
		"--partitions",
		strconv.Itoa(g.Partitions),
	)
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("ebb check: %w\n%s", err, out)
	}
	return nil
}

func (g *group) run(ctx context.Context) (*run, error) {
	if err := g.check(ctx); err != nil {
		return nil, err
	}
	r := &run{profile: filepath.Join(g.dir, g.name+".pprof")}
	before, err := g.cpu()
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := g.command(ctx, "--until-end")
	cmd.Env = append(cmd.Environ(), "EBB_TEST_CPUPROFILE="+r.profile)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); g.watch(watching, r) }()
	err = cmd.Run()
	stop()
	<-watched
	if err != nil {
		return nil, fmt.Errorf("ebb run: %w\n%s", err, stderr.Bytes())
	}
	after, err := g.cpu()
	if err != nil {
		return nil, err
	}
	return r, r.fill(&stdout, &stderr, uint64(g.Events), after.kafka-before.kafka, after.redis-before.redis)
}

// fill takes in the summary and the log line "measured".
func (r *run) fill(stdout, stderr *bytes.Buffer, events uint64, kafka, redis time.Duration) error {
	if err := json.Unmarshal(stdout.Bytes(), r); err != nil {
		return fmt.Errorf("read the summary: %w", err)
	}
	if r.Events != events || r.Seconds <= 0 {
		return fmt.Errorf("%d events processed in %g s, not %d", r.Events, r.Seconds, events)
	}
	var m struct {
		Message string
		CPU     int64  `json:"cpu_ns"`
		Mallocs uint64 `json:"mallocs"`
		Bytes   uint64 `json:"allocated_bytes"`
		RSS     int64  `json:"max_rss_kib"`
	}
	for line := range bytes.Lines(stderr.Bytes()) {
		if bytes.Contains(line, []byte(`"measured"`)) {
			if err := json.Unmarshal(line, &m); err != nil {
				return fmt.Errorf("read what the process took: %w", err)
			}
		}
	}
	if m.Message != "measured" {
		return errors.New("the log does not say what the process took")
	}
	n := float64(r.Events)
	r.EventsPerSecond, r.AlertsPerEvent = n/r.Seconds, float64(r.Alerts)/n
	r.CPU, r.KafkaCPU, r.RedisCPU = float64(m.CPU)/n, float64(kafka)/n, float64(redis)/n
	r.Allocations, r.AllocatedBytes, r.MaxRSS = float64(m.Mallocs)/n, float64(m.Bytes)/n, m.RSS<<10
	return nil
}

// watch notes the latest counts of deadlines, commits and transactions until ctx ends. They are lost when the process
// ends.
func (g *group) watch(ctx context.Context, r *run) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		m, err := g.metrics(ctx)
		if err != nil {
			continue // not yet up, or just ended
		}
		if n := counted(m["ebb_events_total"], ""); n > 0 {
			armed, woken := counted(m["ebb_deadlines_total"], "stored")/n, counted(m["ebb_deadlines_total"], "looked_at")/n
			commits, transactions := n/steps(m["ebb_step_seconds"], "commit"), n/steps(m["ebb_step_seconds"], "publish")
			r.Armed, r.Woken, r.PerCommit, r.PerTransaction = &armed, &woken, &commits, &transactions
		}
	}
}

func (g *group) metrics(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	body, err := g.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(body))
}

// counted sums a counter over its outcomes, or returns the one named.
func counted(f *dto.MetricFamily, outcome string) (sum float64) {
	for _, m := range f.GetMetric() {
		if l := m.GetLabel(); outcome == "" || len(l) == 1 && l[0].GetValue() == outcome {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// meanMillis is the mean time of a step.
func meanMillis(f *dto.MetricFamily, step string) float64 {
	h := stepped(f, step)
	return 1e3 * h.GetSampleSum() / float64(max(h.GetSampleCount(), 1))
}

// steps is how often a step was taken, at least 1.
func steps(f *dto.MetricFamily, step string) float64 {
	return float64(max(stepped(f, step).GetSampleCount(), 1))
}

// stepped is the histogram of a step. It is nil, which counts nothing, for a step that was never taken.
func stepped(f *dto.MetricFamily, step string) *dto.Histogram {
	for _, m := range f.GetMetric() {
		if l := m.GetLabel(); len(l) == 1 && l[0].GetValue() == step {
			return m.GetHistogram()
		}
	}
	return nil
}

// get requests a path from the process; any answer but 200 is an error.
func (g *group) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.http+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return body.Bytes(), nil
}
