package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/secure"
	"ebb/pipeline/sources"
)

// Config is everything that can be set. One table, [Config.settings], holds each key with its unit, default and
// consequence. docs/configuration.md is written from it, and file and environment are read by it.
type Config struct {
	Kafka           Kafka
	Redis           Redis
	Pack            Pack
	Shadows         map[string]string // packs by the shadow's name
	Start           Start
	Time            Time
	Batch           Batch
	State           State
	Input           Input
	Sources         Sources
	Storm           Storm
	Budgets         pipeline.Budgets
	Contact         Contact
	Deliver         Deliver
	Holdout         Holdout
	HTTP            HTTP
	Log             Log
	ShutdownTimeout time.Duration
}

// Kafka names the brokers, the topics and the group.
type Kafka struct {
	Brokers            []string // host:port
	Group              string
	Input              string // topic of events
	Alerts             string // topic of alerts
	Control            string // topic of control records
	OldControl         string // the one before it had the group's name, where Control is the default; "": none
	Packs              string // topic of packs
	Decisions          string // topic of decisions
	Shadow             string // topic of the shadows' alerts
	Holdout            string // topic of the alerts about customers who are held out
	Audience           string // topic of customers' arms
	Compression        string // of what is published: none, snappy or zstd
	Start              string // earliest or latest
	InstanceID         string // "": host name and a slot number
	SessionTimeout     time.Duration
	Heartbeat          time.Duration
	TransactionTimeout time.Duration
	TLS                TLS
	SASL               SASL

	Credentials *secure.Credentials // of TLS and SASL, once their files were read
}

// DLQ is the topic of quarantined records.
func (k *Kafka) DLQ() string { return k.Input + dlqSuffix }

const dlqSuffix = ".dlq"

// Redis names the Redis that holds the state; several addresses are a cluster.
type Redis struct {
	Addresses    []string // host:port
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string
	TLS          TLS
	Sentinel     Sentinel

	Credentials *secure.Credentials // of TLS and password, once their files were read
}

// Sentinel is how the primary is found through Redis Sentinel. Redis.Addresses then holds the Sentinels.
type Sentinel struct {
	Master       string // "": no Sentinel
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string

	Credentials *secure.Credentials // once the file was read
}

// TLS is one encrypted connection.
type TLS struct {
	Enabled    bool
	CAFile     string // PEM; "": the system's authorities
	CertFile   string // PEM, with KeyFile: our own certificate
	KeyFile    string
	ServerName string // "": the name dialled
}

// SASL is how ebb logs in to Kafka.
type SASL struct {
	Mechanism    string // "", plain, scram-sha-256, scram-sha-512
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string
}

// Pack names the scoring pack and overrides parts of it.
type Pack struct {
	Name     string
	Activity []string           // event types; empty: the pack's own
	Friction map[string]float64 // weight by event type; empty: the pack's own
	Horizon  time.Duration      // 0: the pack's own
}

// Start is what becomes of the events that are there when a group first starts.
type Start struct {
	History        string // first_start: they raise nothing at once; none: they are events like any other
	InitialPerHour int    // of what they have raised, so much is published in an hour; 0: a hundredth, at least 10
}

// Values of Start.History.
const (
	HistoryFirstStart = "first_start"
	HistoryNone       = "none"
)

// Time is how event time moves.
type Time struct {
	Lateness time.Duration
	Idle     time.Duration // without records, after which deadlines fire by the wall clock; 0: never
}

// Batch bounds the unit of I/O. No setting here changes what is decided.
type Batch struct {
	MaxBytes int64
	Linger   time.Duration
}

// State bounds what is kept, in memory and in Redis.
type State struct {
	Cache     int           // customers
	Retention time.Duration // of a silent customer's state, in event time; 0: for ever
}

// Input is what is accepted.
type Input struct {
	MaxRecordBytes int64
	PoisonBreaker  float64 // share; 0 or 1: none
	Anonymous      string  // messages of visitors without a customer id: ignore or track
	Mapping        Mapping
}

// Values of Input.Anonymous.
const (
	anonymousIgnored = "ignore"
	anonymousTracked = "track"
)

// TracksAnonymous reports whether messages of visitors count, under their anonymous id.
func (i *Input) TracksAnonymous() bool { return i.Anonymous == anonymousTracked }

// Decoder is a decoder that reads records as configured, of at most so many bytes; 0: of any size.
func (i *Input) Decoder(maxRecordBytes int64) *decode.Decoder {
	return decode.NewMapped(int(maxRecordBytes), i.Mapping.Compiled).TrackingAnonymous(i.TracksAnonymous())
}

// Sources is how sources of events that fall silent are told from customers who do.
type Sources struct {
	Guard     string // on or off
	Heartbeat string // type of the events by which a source shows that it lives; "": none
}

// Values of Sources.Guard.
const (
	GuardOn  = "on"
	GuardOff = "off"
)

// Guarded reports whether sources are judged.
func (s *Sources) Guarded() bool { return s.Guard != GuardOff }

// rules is the version of the rules by which sources are judged; 0: they are not.
func (s *Sources) rules() int {
	if !s.Guarded() {
		return 0
	}
	return sources.Rules
}

// Storm is what becomes of lapses when far more fall due than usual.
type Storm struct {
	Breaker string        // on or off
	Review  time.Duration // after its hour, what is held is decided anew
}

// Values of Storm.Breaker.
const (
	BreakerOn  = "on"
	BreakerOff = "off"
)

// rules is the version of the rules by which a storm is told; 0: none is.
func (s *Storm) rules() int {
	if s.Breaker == BreakerOff {
		return 0
	}
	return pipeline.StormRules
}

// Deliver is where ebb deliver posts alerts, and how.
type Deliver struct {
	URL         string // "": ebb deliver is not used
	Group       string // "": <kafka.group>.deliver
	SecretsFile string
	HeadersFile string // "": none
	Timeout     time.Duration
	MaxPause    time.Duration
	Start       string // earliest or latest
	Listen      string
	Match       Match
	TLS         TLS // Enabled where URL is https

	Credentials *secure.Credentials // of TLS, once its files were read
}

// Match is which alerts are delivered, by the values of their fields; an empty list: any.
type Match struct {
	Kind, Transition, Tier, Tenant, Playbook, Pack []string
}

// DeliverGroup is the consumer group of ebb deliver.
func (c *Config) DeliverGroup() string { return cmp.Or(c.Deliver.Group, c.Kafka.Group+deliverSuffix) }

const deliverSuffix = ".deliver"

// UndeliveredTopic is the topic of alerts that ebb deliver has given up.
func (k *Kafka) UndeliveredTopic() string { return k.Alerts + dlqSuffix }

// HTTP is the address of health, readiness and metrics.
type HTTP struct{ Listen string }

// Log is how much is logged, and how.
type Log struct {
	Level  string
	Format string
}

// Default is the configuration of an empty file.
func Default() *Config {
	return &Config{
		Kafka: Kafka{
			Brokers: []string{
				"127.0.0.1:9092",
			},
			Group:              "ebb",
			Input:              "events",
			Alerts:             "ebb.alerts",
			Control:            topicOf("ebb", controlSuffix),
			Packs:              "ebb.packs",
			Decisions:          topicOf("ebb", decisionsSuffix),
			Shadow:             "ebb.shadow",
			Holdout:            "ebb.alerts" + holdoutSuffix,
			Audience:           topicOf("ebb", audienceSuffix),
			Compression:        "snappy",
			Start:              "earliest",
			SessionTimeout:     10 * time.Second,
			Heartbeat:          250 * time.Millisecond,
			TransactionTimeout: 15 * time.Second,
		},
		Redis: Redis{Addresses: []string{"127.0.0.1:6379"}},
		Pack:  Pack{Name: "retail"},
		Start: Start{History: HistoryFirstStart},
		Time:  Time{Lateness: 5 * time.Minute, Idle: 30 * time.Second},
		Batch: Batch{MaxBytes: 4 << 20, Linger: 20 * time.Millisecond},
		State: State{Cache: 1_000_000, Retention: 730 * advice.Day},
		Input: Input{
			MaxRecordBytes: 1 << 20,
			PoisonBreaker:  0.5,
			Anonymous:      anonymousIgnored,
			Mapping:        defaultMapping(),
		},
		Sources: Sources{Guard: GuardOn, Heartbeat: "Heartbeat"},
		Storm:   Storm{Breaker: BreakerOn, Review: time.Hour},
		Deliver: Deliver{
			Timeout:  10 * time.Second,
			MaxPause: 5 * time.Minute,
			Start:    "earliest",
			Listen:   "127.0.0.1:9465",
		},
		Holdout:         Holdout{Share: 0.1, Epoch: 90 * advice.Day},
		HTTP:            HTTP{Listen: "127.0.0.1:9464"},
		Log:             Log{Level: "info", Format: "auto"},
		ShutdownTimeout: 20 * time.Second,
	}
}

// Load reads the file at path ("": none), then the environment, then the overrides of the command line, and returns
// every problem found as one Problems. readFile also reads the secrets and certificates that the configuration names.
func Load(path string, environ []string, readFile func(string) ([]byte, error), flags ...Override) (*Config, error) {
	c, problems := LoadAnyway(path, environ, readFile, flags...)
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// LoadAnyway is Load for callers that go on with a wrong configuration: a key that cannot be read keeps its default.
func LoadAnyway(
	path string,
	environ []string,
	readFile func(string) ([]byte, error),
	flags ...Override,
) (*Config, Problems) {
	c := Default()
	c.Kafka.Control, c.Kafka.Decisions, c.Kafka.Holdout, c.Kafka.Audience = "", "", "", ""
	l := &loader{settings: c.settings(), origins: map[string]origin{}}
	if path != "" {
		text, err := readFile(path)
		if err != nil {
			l.problems = append(l.problems, Problem{Place: path, Text: "cannot be read: " + advice.FileCause(err), file: true})
		}
		l.readYAML(path, text)
	}
	l.readEnvironment(environ)
	l.readFlags(flags)
	c.Kafka.nameOwn()
	c.Kafka.nameHoldout()
	l.check(c)
	l.readSecrets(c, readFile)
	return c, l.problems.sorted()
}

// loader gathers settings and problems from every source.
type loader struct {
	settings []setting
	origins  map[string]origin
	problems Problems
}

// origin is the place where a key was set.
type origin struct {
	place string // ebb.yaml:4, EBB_KAFKA_GROUP, --brokers
	line  int    // in the file; 0: not from the file
}

// setting finds a key's setting.
func (l *loader) setting(path string) *setting {
	for i := range l.settings {
		if l.settings[i].path == path {
			return &l.settings[i]
		}
	}
	return nil
}

// problem notes one problem of the key at path, at the place where it was set.
func (l *loader) problem(path, format string, args ...any) {
	l.contradiction(path, path, format, args...)
}

// contradiction notes that two keys contradict each other, at the place where one of them was set.
func (l *loader) contradiction(path, other, format string, args ...any) {
	o, ok := l.origins[path]
	if !ok {
		o, ok = l.origins[other]
	}
	if !ok {
		o.place = "default"
	}
	l.problems = append(
		l.problems,
		Problem{Place: o.place, Path: path, Text: fmt.Sprintf(format, args...), line: o.line, file: o.line > 0},
	)
}

// set assigns a value to the key at path and notes the value's place. A value that cannot be read is a problem.
func (l *loader) set(s *setting, o origin, set func() error) {
	// of the earlier value
	maps.DeleteFunc(l.origins, func(path string, _ origin) bool { return strings.HasPrefix(path, s.path+".") })
	l.origins[s.path] = o
	for _, err := range split(set()) {
		l.problem(s.path, "%s", err)
	}
}

// split takes joined errors apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// Effective is the effective configuration with its secrets hidden, for the start log.
type Effective []setting

// Masked is the effective configuration for the log: it holds of a secret only that it is set.
func (c *Config) Masked() Effective { return c.settings() }

// MarshalZerologObject writes every key with its effective value.
func (m Effective) MarshalZerologObject(e *zerolog.Event) {
	for path, value := range m.All() {
		e.Str(path, value)
	}
}

// All returns every key with its effective value.
func (m Effective) All() iter.Seq2[string, string] {
	return func(yield func(path, value string) bool) {
		for i := range m {
			if !yield(m[i].path, m[i].masked()) {
				return
			}
		}
	}
}

// Digest identifies the effective configuration: equal on two members if every setting but the secrets is equal.
func (c *Config) Digest() string {
	h := sha256.New()
	for path, value := range c.Masked().All() {
		fmt.Fprintf(h, "%s=%s\n", path, value)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Decides are the settings that decide what becomes of a record, which a partition keeps with its state.
func (c *Config) Decides() pipeline.Settings {
	return pipeline.Settings{
		Rules: decode.Rules, MaxRecordBytes: int(c.Input.MaxRecordBytes), Mapping: c.Input.Mapping.text(),
		TrackAnonymous: c.Input.TracksAnonymous(),
		LatenessMillis: c.Time.Lateness.Milliseconds(), RetentionMillis: c.State.Retention.Milliseconds(),
		Guard: c.Sources.rules(), Heartbeat: c.Sources.Heartbeat,
		Storm: c.Storm.rules(), ReviewMillis: c.Storm.Review.Milliseconds(),
		Zone: c.Contact.Zone, Zones: c.Contact.zones(),
		Holdout: c.Holdout.decides(c.Kafka.Group),
		Budgets: c.Budgets.Text(),
	}
}
