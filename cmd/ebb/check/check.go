package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
	"ebb/scoring/pack"
	"ebb/sinks"
)

// Statuses of a finding.
const (
	OK      = "ok"
	Warning = "warning"
	Problem = "problem"
)

// Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // what to do about it; a second line is a command to copy
}

// Options are what is checked.
type Options struct {
	Config   *config.Config
	Problems config.Problems // of the configuration
	File     string          // the configuration's file; empty: none

	Create     bool   // make the topics that are missing
	Partitions int32  // of the input topic, where it is made
	Replicas   int16  // of each; -1: the cluster's own
	CreateLine string // the command that creates them

	Waiting connect.Waiting // optional: what is waited for
}

// Result is what was found.
type Result struct {
	OK       bool      `json:"ok"`
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Checks   []Finding `json:"checks"`
}

// checking gathers findings.
type checking struct {
	opts     *Options
	cfg      *config.Config
	client   *kafkawire.Client
	redis    *redisstore.Client // nil: it refuses the connection
	reached  bool               // a broker answered
	pack     *pack.Pack
	of       string // name in front of the findings: empty, or a shadow's
	topics   map[string]kafkawire.Topic
	created  map[string]bool // topics that this run created
	findings []Finding
}

// Run finds everything that would keep ebb from running. Errors: the context's cause, and failures that are no finding.
func Run(ctx context.Context, opts Options) (*Result, error) {
	c := &checking{opts: &opts, cfg: opts.Config, topics: map[string]kafkawire.Topic{}, created: map[string]bool{}}
	problems := opts.Problems
	c.checkConfig()
	if !problems.Touch("pack") {
		c.checkPack()
	}
	if !problems.Touch(kafkaKeys()...) {
		client, err := connect.Kafka(c.cfg, c.cfg.Topics()...)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		c.client = client
		c.checkKafka(ctx)
	}
	if !problems.Touch("redis") {
		defer c.closeRedis()
		c.checkRedis(ctx)
	}
	if !problems.Touch("shadows") {
		c.checkShadows(ctx)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return newResult(c.findings), nil
}

// kafkaKeys are the keys that have to be right before Kafka is contacted.
func kafkaKeys() []string {
	return []string{
		"kafka.brokers",
		"kafka.tls",
		"kafka.sasl",
		"kafka.group",
		"kafka.input",
		"kafka.alerts",
		"kafka.control",
		"kafka.packs",
		"kafka.decisions",
		"kafka.shadow",
		"shadows",
		"kafka.holdout",
		"kafka.audience",
		"holdout",
	}
}

func newResult(findings []Finding) *Result {
	r := &Result{Checks: findings}
	for _, f := range findings {
		switch f.Status {
		case Problem:
			r.Problems++
		case Warning:
			r.Warnings++
		}
	}
	r.OK = r.Problems == 0
	return r
}

func (c *checking) ok(check, format string, args ...any) { c.add(check, OK, "", format, args...) }

func (c *checking) warn(check, do, format string, args ...any) {
	c.add(check, Warning, do, format, args...)
}

func (c *checking) problem(check, do, format string, args ...any) {
	c.add(check, Problem, do, format, args...)
}

func (c *checking) add(check, status, do, format string, args ...any) {
	found := strings.Join(strings.FieldsFunc(fmt.Sprintf(format, args...), func(r rune) bool { return r == '\n' }), "; ")
	c.findings = append(c.findings, Finding{c.of + check, status, found, do})
}

// failed notes an error: a hard stop and a refusal with their own advice, any other with do.
func (c *checking) failed(check, do string, err error) {
	if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
		c.problem(check, stop.Do, "%s (%s)", stop.Detail, stop.Code)
		return
	}
	if denied, ok := errors.AsType[*pipeline.Denied](err); ok {
		if denied.Code == secure.CodePermission && do != "" {
			denied.Do = do // the code names only the kind, this check the remedy
		}
		found := denied.Detail
		if _, ok := errors.AsType[kafkawire.Error](err); ok {
			found = err.Error() // names the object
		}
		c.problem(check, denied.Do, "%s (%s)", found, denied.Code)
		return
	}
	if code, found, advised, ok := pipeline.Refused(err); ok {
		if _, named := errors.AsType[kafkawire.Error](err); named {
			found = err.Error() // names the object
		}
		c.problem(check, advised, "%s (%s)", found, code)
		return
	}
	c.problem(check, do, "%s", err)
}

func (c *checking) checkConfig() {
	if len(c.opts.Problems) == 0 {
		file := cmp.Or(c.opts.File, "no file: defaults and EBB_ variables")
		c.ok("config", "%s, digest %s", file, c.cfg.Digest())
	}
	for _, p := range c.opts.Problems {
		c.problem("config", "", "%s", p)
	}
	if s := &c.cfg.Kafka.SASL; s.Mechanism == "plain" && !c.cfg.Kafka.TLS.Enabled {
		c.warn(
			"config",
			"set kafka.tls.enabled: true, or use scram-sha-512",
			"kafka.sasl.mechanism plain without TLS sends the password readable to anyone on the way",
		)
	}
}

func (c *checking) checkPack() {
	pack, err := connect.LoadPack(c.cfg)
	if err != nil {
		remedy := "mend pack.name, pack.activity, pack.friction or pack.horizon, or the pack's own file"
		if c.of != "" {
			remedy = "mend shadows, or the pack's own file"
		}
		c.problem("pack", remedy, "%s", strings.TrimPrefix(err.Error(), "load pack: "))
		return
	}
	c.pack = pack
	c.ok("pack", "%s %s, horizon %s, hash %.12s", pack.Name, pack.Version, advice.FormatDuration(pack.Horizon), pack.Hash)
}

// checkKafka checks everything in Kafka. Where no broker answers, that is the only finding.
func (c *checking) checkKafka(ctx context.Context) {
	if c.reached = c.checkBrokers(ctx); c.reached {
		c.checkTopics(ctx)
		c.checkOpen(ctx)
		c.checkTransactions(ctx)
	}
}

// checkBrokers connects to every broker of the configuration separately and reports whether any answered.
func (c *checking) checkBrokers(ctx context.Context) bool {
	errs := make([]error, len(c.cfg.Kafka.Brokers))
	var asking sync.WaitGroup
	for i := range errs {
		asking.Go(func() { errs[i] = c.askBroker(ctx, c.cfg.Kafka.Brokers[i]) })
	}
	asking.Wait()
	var silent, answered []string
	refused := 0
	for i, err := range errs {
		if err == nil {
			answered = append(answered, c.cfg.Kafka.Brokers[i])
		} else if _, ok := errors.AsType[*pipeline.Denied](err); ok {
			refused++
			c.failed("brokers", "", err)
		} else {
			silent = append(silent, fmt.Sprintf("%s: %s", c.cfg.Kafka.Brokers[i], advice.Cause(err)))
		}
	}
	remedy := "start Kafka, or mend kafka.brokers; a secured listener needs kafka.tls and kafka.sasl"
	switch {
	case refused > 0 && len(silent) == 0:
		return len(answered) > 0
	case len(answered) == 0:
		c.problem("brokers", remedy, "no answer from %s", strings.Join(silent, "; "))
		return false
	case len(silent) > 0:
		c.warn("brokers", remedy, "%s answered; no answer from %s", strings.Join(answered, ", "), strings.Join(silent, "; "))
	default:
		c.ok("brokers", "%s answered", strings.Join(answered, ", "))
	}
	return true
}

// askBroker reports whether one broker answers.
func (c *checking) askBroker(ctx context.Context, address string) error {
	if err := connect.Dialable(ctx, []string{address}); err != nil {
		return err
	}
	alone := *c.cfg
	alone.Kafka.Brokers = []string{address}
	client, err := connect.KafkaWithin(&alone, connect.DialTimeout/2)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Topic(ctx, alone.Kafka.Input)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) || errors.Is(err, kafkawire.TopicDenied) {
		return nil // an answer; the check of the topic reports more
	}
	return err
}

// checkTransactions tries what publishing needs, under a transactional id that no partition has.
func (c *checking) checkTransactions(ctx context.Context) {
	prefix := sinks.TransactionalPrefix(c.cfg.Kafka.Group)
	id := prefix + "check"
	p, err := c.client.NewProducer(kafkawire.ProducerConfig{TransactionalID: id, Timeout: c.cfg.Kafka.TransactionTimeout})
	if err == nil {
		err = p.Init(ctx)
	}
	switch {
	case errors.Is(err, kafkawire.Error(invalidTransactionTimeout)):
		c.problem("transactions", "lower kafka.transaction_timeout, or raise transaction.max.timeout.ms of the brokers",
			"the brokers refuse kafka.transaction_timeout %s", advice.FormatDuration(c.cfg.Kafka.TransactionTimeout))
	case errors.Is(err, kafkawire.TransactionDenied):
		c.notAllowed("transactions", kafkawire.Write, "transactional ids that begin with "+prefix)
	case err != nil:
		c.failed("transactions", "see that the brokers keep __transaction_state", err)
	default:
		c.ok("transactions", "possible")
	}
}

const invalidTransactionTimeout = 50 // Kafka's error code
