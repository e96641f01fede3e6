package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline/secure"
)

// Config is everything that can be set. Each key with its unit, default and consequence stands in one table, [Config.settings],
// from which docs/configuration.md is written and against which file and environment are read.
type Config struct {
	Kafka           KafkaConfig
	Redis           RedisConfig
	Pack            PackConfig
	Shadows         map[string]string // packs by the shadow's name
	Time            TimeConfig
	Batch           BatchConfig
	State           StateConfig
	Input           InputConfig
	HTTP            HTTPConfig
	Log             LogConfig
	ShutdownTimeout time.Duration
}

// KafkaConfig names the brokers, the topics and the group.
type KafkaConfig struct {
	Brokers            []string // host:port
	Group              string
	Input              string // topic of events
	Alerts             string // topic of alerts
	Control            string // topic of control records
	Packs              string // topic of packs
	Shadow             string // topic of what shadows would alert
	Compression        string // of what is published: none, snappy or zstd
	Start              string // earliest or latest
	InstanceID         string // "": host name and a slot number
	SessionTimeout     time.Duration
	Heartbeat          time.Duration
	TransactionTimeout time.Duration
	TLS                TLSConfig
	SASL               SASLConfig

	credentials *secure.Credentials // of TLS and SASL, once their files were read
}

// DLQ is the topic of quarantined records.
func (k *KafkaConfig) DLQ() string { return k.Input + dlqSuffix }

const dlqSuffix = ".dlq"

// RedisConfig names the Redis that holds the state; several addresses are a cluster.
type RedisConfig struct {
	Addresses    []string // host:port
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string
	TLS          TLSConfig
	Sentinel     SentinelConfig

	credentials *secure.Credentials // of TLS and password, once their files were read
}

// SentinelConfig is how the primary is found through Redis Sentinel, whose addresses then stand in RedisConfig.Addresses.
type SentinelConfig struct {
	Master       string // "": no Sentinel
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string

	credentials *secure.Credentials // once the file was read
}

// TLSConfig is one encrypted connection.
type TLSConfig struct {
	Enabled    bool
	CAFile     string // PEM; "": the system's authorities
	CertFile   string // PEM, with KeyFile: our own certificate
	KeyFile    string
	ServerName string // "": the name dialled
}

// SASLConfig is how ebb logs in at Kafka.
type SASLConfig struct {
	Mechanism    string // "", plain, scram-sha-256, scram-sha-512
	Username     string
	Password     string // from the environment, or what PasswordFile holds
	PasswordFile string
}

// PackConfig names the scoring pack and overrides parts of it.
type PackConfig struct {
	Name     string
	Activity []string           // event types; empty: the pack's own
	Friction map[string]float64 // weight by event type; empty: the pack's own
	Horizon  time.Duration      // 0: the pack's own
}

// TimeConfig says how event time moves.
type TimeConfig struct{ Lateness time.Duration }

// BatchConfig bounds the unit of I/O. No setting here changes what is decided.
type BatchConfig struct {
	MaxBytes int64
	Linger   time.Duration
}

// StateConfig bounds what is kept, in memory and in Redis.
type StateConfig struct {
	Cache     int           // customers
	Retention time.Duration // of a silent customer's state, in event time; 0: for ever
}

// InputConfig says what is accepted.
type InputConfig struct {
	MaxRecordBytes int64
	PoisonBreaker  float64 // share; 0 or 1: none
	Mapping        MappingConfig
}

// HTTPConfig is the address of health, readiness and metrics.
type HTTPConfig struct{ Listen string }

// LogConfig says how much is logged, and how.
type LogConfig struct {
	Level  string
	Format string
}

// defaultConfig is the configuration of an empty file.
func defaultConfig() *Config {
	return &Config{
		Kafka: KafkaConfig{
			Brokers: []string{"127.0.0.1:9092"}, Group: "ebb", Input: "events", Alerts: "ebb.alerts", Control: "ebb.control", Packs: "ebb.packs", Shadow: "ebb.shadow", Compression: "snappy", Start: "earliest",
			SessionTimeout: 10 * time.Second, Heartbeat: 250 * time.Millisecond, TransactionTimeout: 15 * time.Second,
		},
		Redis:           RedisConfig{Addresses: []string{"127.0.0.1:6379"}},
		Pack:            PackConfig{Name: "retail"},
		Time:            TimeConfig{Lateness: 5 * time.Minute},
		Batch:           BatchConfig{MaxBytes: 4 << 20, Linger: 20 * time.Millisecond},
		State:           StateConfig{Cache: 1_000_000, Retention: 730 * advice.Day},
		Input:           InputConfig{MaxRecordBytes: 1 << 20, PoisonBreaker: 0.5, Mapping: defaultMapping()},
		HTTP:            HTTPConfig{Listen: "127.0.0.1:9464"},
		Log:             LogConfig{Level: "info", Format: "auto"},
		ShutdownTimeout: 20 * time.Second,
	}
}

// loadConfig reads the file at path ("": none), then the environment, then what the command line overrides, and returns every
// problem found as one configProblems. readFile also reads the secrets and certificates that the configuration names.
func loadConfig(path string, environ []string, readFile func(string) ([]byte, error), flags ...flagValue) (*Config, error) {
	c, problems := loadConfigAnyway(path, environ, readFile, flags...)
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

// loadConfigAnyway is loadConfig for whoever wants what is left where something is wrong: a key that cannot be read keeps its
// default.
func loadConfigAnyway(path string, environ []string, readFile func(string) ([]byte, error), flags ...flagValue) (*Config, configProblems) {
	c := defaultConfig()
	l := &configLoader{settings: c.settings(), origins: map[string]origin{}}
	if path != "" {
		text, err := readFile(path)
		if err != nil {
			l.problems = append(l.problems, configProblem{Place: path, Text: "cannot be read: " + advice.FileCause(err), file: true})
		}
		l.readYAML(path, text)
	}
	l.readEnvironment(environ)
	l.readFlags(flags)
	l.check(c)
	l.readSecrets(c, readFile)
	return c, l.problems.sorted()
}

// configLoader gathers settings and problems from every source.
type configLoader struct {
	settings []setting
	origins  map[string]origin
	problems configProblems
}

// origin is the place where a key was set.
type origin struct {
	place string // ebb.yaml:4, EBB_KAFKA_GROUP, --brokers
	line  int    // in the file; 0: not from the file
}

// setting finds a key's setting.
func (l *configLoader) setting(path string) *setting {
	for i := range l.settings {
		if l.settings[i].path == path {
			return &l.settings[i]
		}
	}
	return nil
}

// problem notes one problem of the key at path, at the place where it was set.
func (l *configLoader) problem(path, format string, args ...any) {
	l.contradiction(path, path, format, args...)
}

// contradiction notes that two keys do not go together, at the place where one of them was set.
func (l *configLoader) contradiction(path, other, format string, args ...any) {
	o, ok := l.origins[path]
	if !ok {
		o, ok = l.origins[other]
	}
	if !ok {
		o.place = "default"
	}
	l.problems = append(l.problems, configProblem{Place: o.place, Path: path, Text: fmt.Sprintf(format, args...), line: o.line, file: o.line > 0})
}

// set gives the key at path a value and notes where it came from. A value that cannot be read is a problem.
func (l *configLoader) set(s *setting, o origin, set func() error) {
	maps.DeleteFunc(l.origins, func(path string, _ origin) bool { return strings.HasPrefix(path, s.path+".") }) // of what it held before
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

// maskedConfig is the effective configuration with its secrets hidden, for the start log.
type maskedConfig []setting

// Masked is the effective configuration for the log: secrets say only that they are set.
func (c *Config) Masked() maskedConfig { return c.settings() }

// MarshalZerologObject writes every key with its effective value.
func (m maskedConfig) MarshalZerologObject(e *zerolog.Event) {
	for i := range m {
		e.Str(m[i].path, m[i].masked())
	}
}

// Digest identifies the effective configuration: equal on two members if every setting but the secrets is equal.
func (c *Config) Digest() string {
	h := sha256.New()
	for _, s := range c.settings() {
		fmt.Fprintf(h, "%s=%s\n", s.path, s.masked())
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
