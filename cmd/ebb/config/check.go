package config

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"ebb/cmd/ebb/advice"
)

// check finds values that are readable but wrong: in form, or because they contradict each other.
func (l *loader) check(c *Config) {
	l.checkKafka(c)
	l.checkTLS("kafka.tls.", &c.Kafka.TLS)
	l.checkSASL(&c.Kafka.SASL)
	l.checkRedis(&c.Redis)
	l.checkSentinel(&c.Redis.Sentinel)
	l.checkTLS("redis.tls.", &c.Redis.TLS)
	l.checkMapping(&c.Input.Mapping)
	l.checkShadows(c)
	l.checkDeliver(c)
	l.checkContact(&c.Contact)
	l.checkHoldout(c)
	l.checkProcess(c)
}

// Bounds that Kafka sets to names, in bytes. The DLQ's name must fit too.
const (
	MaxTopic    = 249
	maxInstance = 249
	maxGroup    = 200
)

func (l *loader) checkKafka(c *Config) {
	k := &c.Kafka
	l.checkAddresses("kafka.brokers", k.Brokers)
	l.checkTopic("kafka.input", k.Input, MaxTopic-len(dlqSuffix))
	l.checkTopic("kafka.alerts", k.Alerts, MaxTopic)
	if k.Input == k.Alerts {
		l.contradiction("kafka.alerts", "kafka.input", "is the input topic too (%s); ebb would read its own alerts", k.Input)
	}
	if k.Alerts == k.DLQ() {
		l.contradiction("kafka.alerts", "kafka.input", "is the topic of quarantined records too (%s)", k.DLQ())
	}
	l.checkOwnTopics(k)
	l.checkGroup("kafka.group", k.Group)
	if k.InstanceID != "" && !LegalTopic(k.InstanceID, maxInstance) {
		l.problem(
			"kafka.instance_id",
			"may hold letters, digits, '.', '_' and '-', at most %d: %q",
			maxInstance,
			k.InstanceID,
		)
	}
	if 3*k.Heartbeat >= k.SessionTimeout {
		l.contradiction(
			"kafka.heartbeat",
			"kafka.session_timeout",
			"must be below a third of kafka.session_timeout (%s), else one lost heartbeat costs the partitions: %s",
			advice.FormatDuration(k.SessionTimeout),
			advice.FormatDuration(k.Heartbeat),
		)
	}
	if k.TransactionTimeout <= k.SessionTimeout {
		l.contradiction(
			"kafka.transaction_timeout",
			"kafka.session_timeout",
			"must be longer than kafka.session_timeout (%s), so that a slow member loses its partition before its "+
				"transaction: %s",
			advice.FormatDuration(k.SessionTimeout),
			advice.FormatDuration(k.TransactionTimeout),
		)
	}
}

func (l *loader) checkGroup(path, name string) {
	switch {
	case name == "" || len(name) > maxGroup:
		l.problem(path, "must be 1 to %d bytes long", maxGroup)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '{' || r == '}' }):
		l.problem(path, "may hold printable ASCII without spaces and braces (it is part of the keys in Redis): %q", name)
	}
}

// checkOwnTopics checks the topics that only ebb writes to: each has to be different from all others.
func (l *loader) checkOwnTopics(k *Kafka) {
	l.checkTopic("kafka.control", k.Control, MaxTopic)
	l.checkTopic("kafka.packs", k.Packs, MaxTopic)
	l.checkTopic("kafka.decisions", k.Decisions, MaxTopic)
	for _, own := range []struct{ path, name string }{
		{"kafka.control", k.Control}, {"kafka.packs", k.Packs}, {"kafka.decisions", k.Decisions},
	} {
		if slices.Contains([]string{k.Input, k.Alerts, k.DLQ()}, own.name) {
			l.contradiction(
				own.path,
				"kafka.input",
				"must be a topic of its own, %s is the input's, the alerts' or that of quarantined records",
				own.name,
			)
		}
	}
	if k.Control == k.Packs {
		l.contradiction("kafka.packs", "kafka.control", "is the topic of control records too (%s)", k.Control)
	}
	if k.Decisions == k.Control || k.Decisions == k.Packs {
		l.contradiction("kafka.decisions", "kafka.control", "is the topic of control records or packs too (%s)", k.Decisions)
	}
}

func (l *loader) checkTopic(path, name string, longest int) {
	switch {
	case name == "":
		l.problem(path, "must name a topic")
	case !LegalTopic(name, longest):
		l.problem(path, "no topic can have this name: letters, digits, '.', '_' and '-', at most %d: %q", longest, name)
	}
}

func LegalTopic(name string, longest int) bool {
	return name != "." && name != ".." && len(name) <= longest && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

func (l *loader) checkAddresses(path string, addresses []string) {
	if len(addresses) == 0 {
		l.problem(path, "must name at least one address, host:port")
	}
	for _, a := range addresses {
		if why := badAddress(a, 1); why != "" {
			l.problem(path, "%q is no address: %s", withoutLogin(a), why)
		}
	}
}

// badAddress is why a is no host:port; "" if it is one.
func badAddress(a string, lowestPort int) string {
	switch {
	case strings.Contains(a, "@"):
		return "write host:port; user and password have keys of their own"
	case strings.Contains(a, "://"):
		return "write host:port, without a scheme"
	}
	host, port, err := net.SplitHostPort(a)
	if err != nil {
		return "write host:port"
	}
	n, err := strconv.Atoi(port)
	switch {
	case err != nil || n < lowestPort || n > 65535:
		return "the port must be a number up to 65535"
	case host == "" && lowestPort > 0:
		return "the host is missing"
	case strings.ContainsAny(host, " \t/"):
		return "the host holds a character that no host has"
	}
	return ""
}

// withoutLogin is text for a message, without the user and password of an address in it.
func withoutLogin(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "..." + text[i:]
	}
	return text
}

func (l *loader) checkTLS(prefix string, t *TLS) {
	if !t.Enabled {
		l.refuseTLS(prefix, t, "while "+prefix+"enabled is false; set that to true, or remove this")
		return
	}
	l.checkPair(prefix, t)
}

// refuseTLS refuses all settings of TLS where it is not used.
func (l *loader) refuseTLS(prefix string, t *TLS, why string) {
	for _, f := range []struct{ key, value string }{
		{"ca_file", t.CAFile},
		{"cert_file", t.CertFile},
		{"key_file", t.KeyFile},
		{"server_name", t.ServerName},
	} {
		if f.value != "" {
			l.problem(prefix+f.key, "has no effect %s", why)
		}
	}
}

// checkPair checks that a certificate comes with its key.
func (l *loader) checkPair(prefix string, t *TLS) {
	if t.CertFile != "" && t.KeyFile == "" {
		l.problem(prefix+"cert_file", "needs %skey_file", prefix)
	}
	if t.KeyFile != "" && t.CertFile == "" {
		l.problem(prefix+"key_file", "needs %scert_file", prefix)
	}
}

func (l *loader) checkSASL(s *SASL) {
	l.checkOnePassword("kafka.sasl.", s.Password, s.PasswordFile)
	if s.Mechanism == "" {
		for _, f := range []struct{ key, value string }{
			{"username", s.Username},
			{"password", s.Password},
			{"password_file", s.PasswordFile},
		} {
			if f.value != "" {
				l.problem("kafka.sasl."+f.key, "has no effect without kafka.sasl.mechanism (plain, scram-sha-256 or scram-sha-512)")
			}
		}
		return
	}
	if s.Username == "" {
		l.problem("kafka.sasl.mechanism", "%s needs kafka.sasl.username", s.Mechanism)
	}
	if s.Password == "" && s.PasswordFile == "" {
		l.problem(
			"kafka.sasl.mechanism",
			"%s needs a password: name its file in kafka.sasl.password_file or set the variable %s",
			s.Mechanism,
			variableOf("kafka.sasl.password"),
		)
	}
}

func (l *loader) checkRedis(r *Redis) {
	l.checkAddresses("redis.addresses", r.Addresses)
	l.checkOnePassword("redis.", r.Password, r.PasswordFile)
	if r.Username != "" && r.Password == "" && r.PasswordFile == "" {
		l.problem(
			"redis.username",
			"needs a password: name its file in redis.password_file or set the variable %s",
			variableOf("redis.password"),
		)
	}
}

func (l *loader) checkSentinel(s *Sentinel) {
	l.checkOnePassword("redis.sentinel.", s.Password, s.PasswordFile)
	if s.Username != "" && s.Password == "" && s.PasswordFile == "" {
		l.problem(
			"redis.sentinel.username",
			"needs a password: name its file in redis.sentinel.password_file or set the variable %s",
			variableOf("redis.sentinel.password"),
		)
	}
	if s.Master != "" {
		return
	}
	for _, f := range []struct{ key, value string }{
		{"username", s.Username},
		{"password", s.Password},
		{"password_file", s.PasswordFile},
	} {
		if f.value != "" {
			l.problem("redis.sentinel."+f.key, "has no effect without redis.sentinel.master")
		}
	}
}

func (l *loader) checkOnePassword(prefix, password, file string) {
	if password != "" && file != "" {
		l.problem(
			prefix+"password_file",
			"set together with the variable %s; remove one of the two",
			variableOf(prefix+"password"),
		)
	}
}

func (l *loader) checkProcess(c *Config) {
	if c.Input.MaxRecordBytes > c.Batch.MaxBytes {
		l.contradiction(
			"input.max_record_bytes",
			"batch.max_bytes",
			"is more than batch.max_bytes (%s), which bounds a batch: %s",
			advice.FormatSize(c.Batch.MaxBytes),
			advice.FormatSize(c.Input.MaxRecordBytes),
		)
	}
	if c.ShutdownTimeout <= c.Batch.Linger {
		l.contradiction(
			"shutdown_timeout",
			"batch.linger",
			"must be longer than batch.linger (%s), else the last batch is cut short: %s",
			advice.FormatDuration(c.Batch.Linger),
			advice.FormatDuration(c.ShutdownTimeout),
		)
	}
	if c.HTTP.Listen != "" {
		if why := badAddress(c.HTTP.Listen, 0); why != "" {
			l.problem("http.listen", "%q is no address: %s (127.0.0.1:9464, or \"\" for none)", c.HTTP.Listen, why)
		}
	}
	if c.Pack.Name == "" {
		l.problem("pack.name", "must name a pack")
	}
}
