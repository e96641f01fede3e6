package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
	"ebb/scoring/pack"
	"ebb/sinks"
)

// checkFlags is the command line of check.
type checkFlags struct {
	brokers, topic string
	create         bool
	partitions     int32
	replicas       int16
	json           bool
	sample         string
}

func newCheckCommand(a *app) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find everything that would keep ebb from running",
		Long: `Find everything that would keep ebb from running: configuration, pack, brokers, topics, the group's position, transactions,
Redis. All problems are reported at once, each with what to do about it. Exit code 1 if there is any; warnings are none.
Nothing is changed, except that --create creates the topics that are missing.

With --sample, only a file of records is looked at, and no server is needed: what each becomes, or why it would be
quarantined and what to do. The file is NDJSON, a record's value a line, plain or gzipped; "-" is standard input. Headers and
timestamps of Kafka are not in it: a CloudEvent in binary mode cannot be tried, and a time that only the Kafka record tells
is said to be so. Exit code 1 if a record would be quarantined.`,
		Example: "  ebb check -c ebb.yaml\n" +
			"  ebb check --create --partitions 12 --replicas 3\n" +
			"  kcat -C -b localhost -t events -c 100 | ebb check -c ebb.yaml --sample -\n" +
			"  ebb check --json | jq '.checks[] | select(.status == \"problem\")'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("sample") {
				return a.sample(cmd, &f)
			}
			return a.check(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "input `TOPIC` (default: kafka.input)")
	flags.BoolVar(&f.create, "create", false, "create the topics that are missing")
	flags.Int32Var(&f.partitions, "partitions", 4, "with --create: `N` partitions of the input topic; they cannot be changed once ebb has run")
	flags.Int16Var(&f.replicas, "replicas", -1, "with --create: `N` replicas of each topic (default: the cluster's own)")
	hideDefaults(flags, "replicas")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON; with --sample an object a line, the count last")
	flags.StringVar(&f.sample, "sample", "", "try what the records of this `FILE` become, - for standard input")
	return cmd
}

// checkCommand is the command line that creates the topics of a command with these flags.
func (a *app) checkCommand(brokers, topic string) string {
	line := "ebb check --create"
	for _, f := range []struct{ flag, value string }{{"-c", a.file}, {"--brokers", brokers}, {"--topic", topic}} {
		if f.value != "" {
			line += " " + f.flag + " " + f.value
		}
	}
	return line
}

// Statuses of a finding.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusProblem = "problem"
)

// finding is the outcome of one check.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // what to do about it; a second line is a command to copy
}

// checking gathers findings.
type checking struct {
	flags    *checkFlags
	create   string // command line
	cfg      *Config
	client   *kafkawire.Client
	redis    *redisstore.Client // nil: it does not let us in
	reached  bool               // a broker answered
	pack     *pack.Pack
	of       string // whose findings these are, in front of their names: empty, or a shadow's
	topics   map[string]kafkawire.Topic
	created  map[string]bool // topics, by --create
	findings []finding
}

func (c *checking) ok(check, format string, args ...any) { c.add(check, statusOK, "", format, args...) }

func (c *checking) warn(check, do, format string, args ...any) {
	c.add(check, statusWarning, do, format, args...)
}

func (c *checking) problem(check, do, format string, args ...any) {
	c.add(check, statusProblem, do, format, args...)
}

func (c *checking) add(check, status, do, format string, args ...any) {
	found := strings.Join(strings.FieldsFunc(fmt.Sprintf(format, args...), func(r rune) bool { return r == '\n' }), "; ")
	c.findings = append(c.findings, finding{c.of + check, status, found, do})
}

// failed notes an error: a hard stop and a refusal with their own advice, anything else with do.
func (c *checking) failed(check, do string, err error) {
	if stop, ok := errors.AsType[*pipeline.HardStop](err); ok {
		c.problem(check, stop.Do, "%s (%s)", stop.Detail, stop.Code)
		return
	}
	if denied, ok := errors.AsType[*pipeline.Denied](err); ok {
		if denied.Code == secure.CodePermission && do != "" {
			denied.Do = do // of this check, where the code knows only the kind
		}
		found := denied.Detail
		if _, ok := errors.AsType[kafkawire.Error](err); ok {
			found = err.Error() // says of what
		}
		c.problem(check, denied.Do, "%s (%s)", found, denied.Code)
		return
	}
	c.problem(check, do, "%s", err)
}

// check runs every check and prints what was found.
func (a *app) check(cmd *cobra.Command, f *checkFlags) error {
	if f.partitions < 1 || f.replicas < -1 || f.replicas == 0 {
		return usageError{errors.New("--partitions and --replicas must be 1 or more")}
	}
	cfg, problems := loadConfigAnyway(a.file, a.environ, readFile, overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	c := &checking{flags: f, create: a.checkCommand(f.brokers, f.topic), cfg: cfg, topics: map[string]kafkawire.Topic{}, created: map[string]bool{}}
	ctx := cmd.Context()
	c.checkConfig(a.file, problems)
	if !problems.touch("pack") {
		c.checkPack()
	}
	kafka := !problems.touch("kafka.brokers", "kafka.tls", "kafka.sasl", "kafka.group", "kafka.input", "kafka.alerts", "kafka.control", "kafka.packs", "kafka.shadow", "shadows")
	if kafka {
		client, err := openKafka(cfg, cfg.topics()...)
		if err != nil {
			return err
		}
		defer client.Close()
		c.client = client
		c.checkKafka(ctx)
	}
	if !problems.touch("redis") {
		defer c.closeRedis()
		c.checkRedis(ctx)
	}
	if !problems.touch("shadows") {
		c.checkShadows(ctx)
	}
	if ctx.Err() != nil {
		return stopCause(ctx)
	}
	return c.report(newScreen(cmd.OutOrStdout(), a.environ), len(problems) > 0)
}

func (c *checking) checkConfig(file string, problems configProblems) {
	if len(problems) == 0 {
		if file == "" {
			file = "no file: defaults and EBB_ variables"
		}
		c.ok("config", "%s, digest %s", file, c.cfg.Digest())
	}
	for _, p := range problems {
		c.problem("config", "", "%s", p)
	}
	if s := &c.cfg.Kafka.SASL; s.Mechanism == "plain" && !c.cfg.Kafka.TLS.Enabled {
		c.warn("config", "set kafka.tls.enabled: true, or use scram-sha-512", "kafka.sasl.mechanism plain without TLS sends the password readable to anyone on the way")
	}
}

func (c *checking) checkPack() {
	pack, err := loadPack(c.cfg)
	if err != nil {
		advice := "mend pack.name, pack.activity, pack.friction or pack.horizon, or the pack's own file"
		if c.of != "" {
			advice = "mend shadows, or the pack's own file"
		}
		c.problem("pack", advice, "%s", strings.TrimPrefix(err.Error(), "load pack: "))
		return
	}
	c.pack = pack
	c.ok("pack", "%s %s, horizon %s, hash %.12s", pack.Name, pack.Version, formatDuration(pack.Horizon), pack.Hash)
}

// checkKafka checks all that stands in Kafka. Where no broker answers, that is the only finding.
func (c *checking) checkKafka(ctx context.Context) {
	if c.reached = c.checkBrokers(ctx); c.reached {
		c.checkTopics(ctx)
		c.checkTransactions(ctx)
	}
}

// checkBrokers asks every broker of the configuration by itself and reports whether any answered.
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
			silent = append(silent, fmt.Sprintf("%s: %s", c.cfg.Kafka.Brokers[i], rootCause(err)))
		}
	}
	advice := "start Kafka, or mend kafka.brokers; a secured listener needs kafka.tls and kafka.sasl"
	switch {
	case refused > 0 && len(silent) == 0:
		return len(answered) > 0
	case len(answered) == 0:
		c.problem("brokers", advice, "no answer from %s", strings.Join(silent, "; "))
		return false
	case len(silent) > 0:
		c.warn("brokers", advice, "%s answered; no answer from %s", strings.Join(answered, ", "), strings.Join(silent, "; "))
	default:
		c.ok("brokers", "%s answered", strings.Join(answered, ", "))
	}
	return true
}

// askBroker reports whether one broker answers.
func (c *checking) askBroker(ctx context.Context, address string) error {
	if err := dialable(ctx, []string{address}); err != nil {
		return err
	}
	alone := *c.cfg
	alone.Kafka.Brokers = []string{address}
	client, err := openKafkaWithin(&alone, dialTimeout/2)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Topic(ctx, alone.Kafka.Input)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) || errors.Is(err, kafkawire.TopicDenied) {
		return nil // an answer; the check of the topic says more
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
			"the brokers refuse kafka.transaction_timeout %s", formatDuration(c.cfg.Kafka.TransactionTimeout))
	case errors.Is(err, kafkawire.TransactionDenied):
		c.notAllowed("transactions", kafkawire.Write, "transactional ids that begin with "+prefix)
	case err != nil:
		c.failed("transactions", "see that the brokers keep __transaction_state", err)
	default:
		c.ok("transactions", "possible")
	}
}

const invalidTransactionTimeout = 50 // Kafka's error code

// rootCause is what a person needs of a connection's error: connection refused, not the way there.
func rootCause(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	text := err.Error()
	for _, way := range []string{"unavailable: ", "connect: "} {
		if i := strings.LastIndex(text, way); i >= 0 {
			text = text[i+len(way):]
		}
	}
	return text
}
