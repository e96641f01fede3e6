package deliverer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/probes"
	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/delivery"
	"ebb/sinks/webhook"
)

// Options is what differs between calls.
type Options struct {
	Agent      string // how requests name this program
	CreateLine string // the command that creates missing topics
}

// Deliverer is one member of the group that delivers alerts.
type Deliverer struct {
	cfg      *config.Config
	opts     Options
	log      zerolog.Logger
	kafka    *kafkawire.Client
	endpoint *webhook.Endpoint
	metrics  *delivery.Metrics
	http     *probes.Server    // nil: none
	slot     *kafkasource.Slot // nil where the instance id is configured

	mu      sync.Mutex
	member  *delivery.Member // nil: none yet
	awaited string           // why it could not start yet
}

// New opens everything, and waits for a Kafka that does not answer. It returns an error for what cannot work.
func New(ctx context.Context, cfg *config.Config, log zerolog.Logger, opts Options) (_ *Deliverer, err error) {
	d := &Deliverer{cfg: cfg, opts: opts, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	log.Info().Str("digest", cfg.Digest()).Object("config", cfg.Masked()).Msg("starting")
	if d.endpoint, err = OpenEndpoint(cfg, log, opts.Agent); err != nil {
		return nil, err
	}
	if d.kafka, err = connect.Kafka(cfg, cfg.Kafka.Alerts, cfg.Kafka.UndeliveredTopic()); err != nil {
		return nil, err
	}
	if err := d.serveHTTP(ctx); err != nil {
		return nil, err
	}
	if err := d.connectPatiently(ctx); err != nil {
		return nil, err
	}
	return d, d.enrol()
}

// OpenEndpoint opens the configured endpoint with its files.
func OpenEndpoint(cfg *config.Config, log zerolog.Logger, agent string) (*webhook.Endpoint, error) {
	to := webhook.Config{URL: cfg.Deliver.URL, Timeout: cfg.Deliver.Timeout, Agent: agent}
	var err error
	if to.Secrets, err = webhook.OpenSecrets(cfg.Deliver.SecretsFile, log); err != nil {
		return nil, fmt.Errorf("deliver.secrets_file: %w", err)
	}
	if file := cfg.Deliver.HeadersFile; file != "" {
		if to.Headers, err = webhook.OpenHeaders(file, log); err != nil {
			return nil, fmt.Errorf("deliver.headers_file: %w", err)
		}
	}
	if cfg.Deliver.TLS.Enabled {
		to.TLS = cfg.Deliver.Credentials
	}
	return webhook.Open(to)
}

func (d *Deliverer) serveHTTP(ctx context.Context) (err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	d.metrics = delivery.NewMetrics(registry, webhook.Classes())
	if d.cfg.Deliver.Listen == "" {
		return nil
	}
	d.http, err = probes.Start(ctx, probes.Config{
		Key: "deliver.listen", Listen: d.cfg.Deliver.Listen, Registry: registry, Ready: d.ready, Live: d.live,
	})
	if err == nil {
		d.log.Info().Str("listen", d.http.Addr()).Msg("serving health and metrics")
	}
	return err
}

// enrol makes the member of the group.
func (d *Deliverer) enrol() error {
	group := d.cfg.DeliverGroup()
	instance, slot, err := connect.Instance(d.cfg, group)
	if err != nil {
		return err
	}
	d.slot = slot
	k, session := &d.cfg.Kafka, d.cfg.Kafka.SessionTimeout
	member, err := delivery.NewMember(delivery.MemberConfig{
		Client: d.kafka, Group: group, Topic: k.Alerts, Instance: instance, DeadLetters: k.UndeliveredTopic(),
		Destination: d.endpoint, Match: delivery.Match(d.cfg.Deliver.Match), Session: session, Heartbeat: k.Heartbeat,
		Rebalance:          max(30*time.Second, session, d.cfg.Deliver.Timeout+10*time.Second),
		TransactionTimeout: k.TransactionTimeout, Compression: k.Codec(),
		Latest: d.cfg.Deliver.Start == "latest", MaxPause: d.cfg.Deliver.MaxPause, Metrics: d.metrics, Logger: d.log,
	})
	d.mu.Lock()
	d.member = member
	d.mu.Unlock()
	return err
}

// Run delivers as a member of the group until ctx ends. Then it finishes the attempts under way and commits, within the
// shutdown timeout.
func (d *Deliverer) Run(ctx context.Context) error {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		d.log.Info().Dur("within", d.cfg.ShutdownTimeout).Msg("draining")
		d.member.Drain()
		time.AfterFunc(d.cfg.ShutdownTimeout, func() { cancel(errDrainTimeout) })
	})()
	var following sync.WaitGroup
	defer following.Wait()
	files, unfollow := context.WithCancel(work)
	defer unfollow()
	connect.FollowFiles(files, &following, d.log, d.cfg.Kafka.Credentials, d.cfg.Deliver.Credentials)
	err := d.member.Run(work)
	if errors.Is(context.Cause(work), errDrainTimeout) {
		return errDrainTimeout
	}
	return err
}

var errDrainTimeout = errors.New(
	"shutdown_timeout passed before the attempt under way had ended; its alert is delivered again at the next start",
)

// Close releases everything, in reverse order.
func (d *Deliverer) Close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if d.http != nil {
		errs = append(errs, d.http.Close(ctx))
	}
	if d.slot != nil {
		errs = append(errs, d.slot.Release())
	}
	if d.kafka != nil {
		d.kafka.Close()
	}
	if d.endpoint != nil {
		d.endpoint.Close()
	}
	return errors.Join(errs...)
}
