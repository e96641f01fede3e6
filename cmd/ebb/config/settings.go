package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline/kafkabatch"
)

// setting is one key of the configuration.
type setting struct {
	path   string // kafka.session_timeout
	value  value
	def    string // the default, where it follows from another key
	doc    string // what it does and what follows from setting it
	secret bool   // only from the environment, never shown
}

// variable is the environment variable that overrides the key.
func (s *setting) variable() string { return variableOf(s.path) }

func variableOf(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// masked is the value in a form that may be shown.
func (s *setting) masked() string {
	if s.secret && s.value.String() != "" {
		return "(set)"
	}
	if u, ok := s.value.(urlValue); ok {
		return u.shown()
	}
	return s.value.String()
}

// settings is the table of every key, in the order of the documents, bound to the fields of c.
func (c *Config) settings() []setting {
	s := c.kafkaSettings()
	s = append(s, c.redisSettings()...)
	s = append(s, c.packSettings()...)
	return append(s, c.processSettings()...)
}

const maxTimeout = 30 * time.Minute

// Codec is the codec of kafka.compression.
func (k *Kafka) Codec() kafkabatch.Compression { return compressions()[k.Compression] }

func (s *Sources) settings() []setting {
	return []setting{
		{
			path:  "sources.guard",
			value: choiceValue{&s.Guard, []string{GuardOn, GuardOff}},
			doc: "What becomes of customers whose source of events falls silent. `on`: what each source usually sends is learnt, " +
				"and while far less comes, the silence of its customers does not count. `off`: a cut feed looks like customers " +
				"who leave. [Silent sources](sources.md).",
		},
		{
			path:  "sources.heartbeat",
			value: textValue{&s.Heartbeat},
			doc: "Type of the events by which a source shows that it lives while it has nothing else to send. They need no " +
				"customer, and count for none. Empty: there are none.",
		},
	}
}

func (s *Storm) settings() []setting {
	return []setting{
		{
			path:  "storm.breaker",
			value: choiceValue{&s.Breaker, []string{BreakerOn, BreakerOff}},
			doc: "What becomes of lapses when far more fall due in an hour of event time than usual: more than 50 in a " +
				"partition, and more than four times as many as in the busiest hours of four weeks. `on`: those above that are " +
				"held, and raised after `storm.review` if their customers are still silent. `off`: all are raised at once. " +
				"[Storms](sources.md#storms).",
		},
		{
			path:  "storm.review",
			value: durationValue{&s.Review, 0, 7 * advice.Day},
			doc: "How long after its hour, in event time, what a storm holds is decided anew. Longer: more time to mend a feed, " +
				"and true lapses are reported later by as much. `ebb release storm` does not wait.",
		},
	}
}

// compressions are the values of kafka.compression.
func compressions() map[string]kafkabatch.Compression {
	return map[string]kafkabatch.Compression{
		"none":   kafkabatch.Uncompressed,
		"snappy": kafkabatch.Snappy,
		"zstd":   kafkabatch.Zstd,
	}
}

func (c *Config) kafkaSettings() []setting {
	k := &c.Kafka
	s := []setting{
		{
			path:  "kafka.brokers",
			value: listValue{&k.Brokers},
			doc: "Addresses, host:port, to ask first. The others of the cluster are found through them: two or three are " +
				"enough.",
		},
		{
			path:  "kafka.group",
			value: textValue{&k.Group},
			doc:   "Consumer group. It also names the state in Redis: another group starts from nothing, beside the first.",
		},
		{
			path:  "kafka.input",
			value: textValue{&k.Input},
			doc: "Topic of events, keyed by customer. What cannot be used goes to the topic of this name with `.dlq` behind " +
				"it.",
		},
		{
			path:  "kafka.alerts",
			value: textValue{&k.Alerts},
			doc:   "Topic of alerts, keyed by customer. Read it with `isolation.level=read_committed`.",
		},
		{
			path:  "kafka.control",
			value: textValue{&k.Control},
			def:   "<group>.control",
			doc: "Topic of control records: where each pack and each change of what decides begins, so that a replay " +
				"decides as before. As many partitions as the input, kept for ever. While it has its default name, records " +
				"that the group wrote to `ebb.control` before are read as well, and it is written to until this one exists.",
		},
		{
			path:  "kafka.packs",
			value: textValue{&k.Packs},
			doc: "Topic of packs, compacted: the canonical form of each pack that was ever active, keyed by its hash. " +
				"Groups may share it.",
		},
		{
			path:  "kafka.decisions",
			value: textValue{&k.Decisions},
			def:   "<group>.decisions",
			doc: "Topic of decisions, keyed by customer: what became of each one that is no alert at once, and why. It answers " +
				"why nothing went out: `ebb decisions`. Read it with `isolation.level=read_committed`.",
		},
		{
			path:  "kafka.shadow",
			value: textValue{&k.Shadow},
			doc: "Topic of what shadows would alert, keyed by customer; the header `ce_source` says whose each is. Shadows " +
				"and groups may share it. Needed only where there are `shadows`.",
		},
		{
			path:  "kafka.holdout",
			value: textValue{&k.Holdout},
			def:   "<kafka.alerts>.holdout",
			doc: "Topic of the alerts about customers who are held out, in the form of those of `kafka.alerts`, for reports: " +
				"nobody acts on them. Needed only with `holdout.enabled`.",
		},
		{
			path:  "kafka.audience",
			value: textValue{&k.Audience},
			def:   "<group>.audience",
			doc: "Topic of customers' arms, compacted and keyed by customer: `treated` or `holdout`, for other senders, who " +
				"leave the latter alone. Needed only with `holdout.enabled`.",
		},
		{
			path:  "kafka.compression",
			value: choiceValue{&k.Compression, slices.Sorted(maps.Keys(compressions()))},
			doc: "How batches of what is published are compressed: an alert is some 2 KB of JSON, of which `snappy` leaves " +
				"a fifth and `zstd` a tenth, at three times the CPU.",
		},
		{
			path:  "kafka.start",
			value: choiceValue{&k.Start, []string{"earliest", "latest"}},
			doc:   "Where a group that has never run begins. Without effect afterwards.",
		},
		{
			path:  "kafka.instance_id",
			value: textValue{&k.InstanceID},
			doc: "Static member id, different for every process of the group. Empty: the host's name and a slot number. A " +
				"process that comes back under its id within the session timeout takes its partitions up again without a " +
				"rebalance.",
		},
		{
			path:  "kafka.session_timeout",
			value: durationValue{&k.SessionTimeout, time.Second, maxTimeout},
			doc: "How long a silent member keeps its partitions. Shorter: a dead one is replaced sooner, a slow one loses " +
				"its partitions sooner. The broker refuses less than its `group.min.session.timeout.ms` (6 s unless changed).",
		},
		{
			path:  "kafka.heartbeat",
			value: durationValue{&k.Heartbeat, 10 * time.Millisecond, maxTimeout},
			doc: "How often a member reports. Below a third of the session timeout, so that two lost reports do no harm. A " +
				"rebalance is noticed after one heartbeat.",
		},
		{
			path:  "kafka.transaction_timeout",
			value: durationValue{&k.TransactionTimeout, time.Second, 15 * time.Minute},
			doc: "After this the broker aborts a transaction left open. Readers of the alerts wait that long behind a dead " +
				"process whose partitions nobody has taken over. Longer than the session timeout, so that a slow member loses " +
				"its partition before its transaction.",
		},
	}
	s = append(s, k.TLS.settings("kafka.tls.", "Kafka")...)
	return append(
		s,
		setting{
			path:  "kafka.sasl.mechanism",
			value: choiceValue{&k.SASL.Mechanism, []string{"", "plain", "scram-sha-256", "scram-sha-512"}},
			doc:   "How ebb logs in at Kafka. Empty: not at all. `plain` sends the password itself: use it with TLS only.",
		},
		setting{path: "kafka.sasl.username", value: textValue{&k.SASL.Username}, doc: "User to log in as at Kafka."},
		setting{path: "kafka.sasl.password", value: textValue{&k.SASL.Password}, secret: true, doc: "Password of the user."},
		setting{
			path:  "kafka.sasl.password_file",
			value: textValue{&k.SASL.PasswordFile},
			doc: "File that holds the password. A line end behind it is no part of it. A change is used by the next " +
				"connection, without a restart.",
		},
	)
}

func (t *TLS) settings(prefix, server string) []setting {
	return []setting{
		{path: prefix + "enabled", value: boolValue{&t.Enabled}, doc: "Encrypt the connections to " + server + "."},
		{
			path:  prefix + "ca_file",
			value: textValue{&t.CAFile},
			doc: "PEM file of the authorities that may sign " + server + "'s certificate. Empty: the system's. This and the " +
				"next two are read again when they change; new connections use them.",
		},
		{
			path:  prefix + "cert_file",
			value: textValue{&t.CertFile},
			doc:   "PEM file of ebb's own certificate, where " + server + " asks for one. Needs `key_file`.",
		},
		{path: prefix + "key_file", value: textValue{&t.KeyFile}, doc: "PEM file of the key of `cert_file`."},
		{
			path:  prefix + "server_name",
			value: textValue{&t.ServerName},
			doc:   "Name that the certificate must carry, where it is not the one dialled.",
		},
	}
}

func (c *Config) redisSettings() []setting {
	r := &c.Redis
	s := []setting{
		{
			path:  "redis.addresses",
			value: listValue{&r.Addresses},
			doc: "Address, host:port, of the Redis that holds the state; several are nodes of one Redis Cluster, or with " +
				"`redis.sentinel.master` the Sentinels. It must not evict (`maxmemory-policy` `noeviction`, or `volatile-*`: no key has a time to live).",
		},
		{path: "redis.username", value: textValue{&r.Username}, doc: "ACL user. Empty: the default user."},
		{path: "redis.password", value: textValue{&r.Password}, secret: true, doc: "Password of the user."},
		{
			path:  "redis.password_file",
			value: textValue{&r.PasswordFile},
			doc: "File that holds the password. A line end behind it is no part of it. A change is used by the next " +
				"connection, without a restart.",
		},
	}
	s = append(s, r.TLS.settings("redis.tls.", "Redis")...)
	return append(
		s,
		setting{
			path:  "redis.sentinel.master",
			value: textValue{&r.Sentinel.Master},
			doc: "Name by which Redis Sentinels know the primary (`sentinel monitor NAME`). With it `redis.addresses` are " +
				"those of Sentinels; they are asked for the primary at each new connection. Empty: no Sentinel.",
		},
		setting{
			path:  "redis.sentinel.username",
			value: textValue{&r.Sentinel.Username},
			doc:   "ACL user at the Sentinels. Empty: their default user.",
		},
		setting{
			path:   "redis.sentinel.password",
			value:  textValue{&r.Sentinel.Password},
			secret: true,
			doc:    "Password at the Sentinels, where they ask for one.",
		},
		setting{
			path:  "redis.sentinel.password_file",
			value: textValue{&r.Sentinel.PasswordFile},
			doc:   "File that holds it. Unlike the others it is read once, at the start.",
		},
	)
}

func (c *Config) packSettings() []setting {
	p := &c.Pack
	return []setting{
		{
			path:  "pack.name",
			value: textValue{&p.Name},
			doc: "Scoring pack: one that comes with ebb, or a file (a path with a slash, or ending in `.yaml`). `pack: " +
				"retail` is short for it, and so is the variable `EBB_PACK`. Its file is looked at every 5 s, and on SIGHUP: one " +
				"of a higher version is activated, without a restart; one that is broken changes nothing and is reported.",
		},
		{
			path:  "pack.activity",
			value: listValue{&p.Activity},
			doc:   "Event types that count as activity, in place of the pack's. Empty: the pack's own.",
		},
		{
			path:  "pack.friction",
			value: weightsValue{&p.Friction},
			doc: "Weight, 0 to 100, of each event type that counts as friction, in place of the pack's. Empty: the pack's " +
				"own. In the environment `payment_failed,complaint=0.5`; without a number it is 1.",
		},
		{
			path:  "pack.horizon",
			value: durationValue{&p.Horizon, 0, 730 * advice.Day},
			doc:   "The score answers how likely it is that a customer does nothing for this long. 0s: the pack's own.",
		},
		{
			path:  "shadows",
			value: namesValue{&c.Shadows, "name=pack"},
			doc: "Packs to try beside `pack`, by a name of your own (lower-case letters, digits and `-`): each scores the " +
				"same input in a group of its own, `<kafka.group>.shadow.<name>`, and what it would alert goes to `kafka.shadow` " +
				"and nowhere else. A pack is one that comes with ebb, or a file, which is followed as `pack.name` is. In the " +
				"environment `candidate=./next.yaml,other=saas`. Each takes as much CPU, memory and room in Redis as the main " +
				"one. [How to try a pack](packs.md#trying-a-pack).",
		},
	}
}

func (c *Config) processSettings() []setting {
	b := &c.Batch
	s := []setting{
		{
			path:  "start.history",
			value: choiceValue{&c.Start.History, []string{HistoryFirstStart, HistoryNone}},
			doc: "What the events are that the input holds when the group first starts. `first_start`: history. They build " +
				"state and raise nothing; then each customer who is at risk by them becomes one alert with `initial: true`, in " +
				"order of priority and at the rate of `start.initial_per_hour`. `none`: events like any other, each old lapse is " +
				"raised and ended again, for a log that is replayed on purpose. Fixed at that start: without effect afterwards. " +
				"[The first start](first-start.md).",
		},
		{
			path:  "start.initial_per_hour",
			value: countValue{&c.Start.InitialPerHour, 0, 1_000_000_000},
			doc: "How many of the initial alerts of a first start are published in an hour, over all partitions, and at least " +
				"one in each. 0: a hundredth of them, at least 10.",
		},
		{
			path:  "time.lateness",
			value: durationValue{&c.Time.Lateness, 0, 30 * advice.Day},
			doc: "How much older than the newest event of its partition an event may be and still be on time. Longer: more " +
				"disorder is forgiven, and a silence is noticed later by as much.",
		},
		{
			path:  "time.idle",
			value: durationValue{&c.Time.Idle, 0, advice.Day},
			doc: "A partition that has read its whole log and gets no event for so long takes the wall clock, less " +
				"`time.lateness`, for its event time, so that silences are noticed at night too: [idle partitions]" +
				"(adr/0026-idle-partitions.md). It does so only once events have come about when they happened. 0s: never. Where " +
				"events come in batches, as once an hour, set `time.lateness` to more than the time between two, or this to 0s: " +
				"else customers whose events are still to come count as silent.",
		},
		{
			path:  "batch.max_bytes",
			value: sizeValue{&b.MaxBytes, 64 << 10, 64 << 20},
			doc: "How much of a partition is fetched, and committed together, at most, as stored in the log. More: fewer " +
				"writes per event when behind, more memory (about ten times as much per partition).",
		},
		{
			path:  "batch.linger",
			value: durationValue{&b.Linger, 0, time.Second},
			doc: "While events flow, how long the broker gathers them before it answers. The first event after a pause " +
				"never waits. Shorter: sooner alerts, more commits.",
		},
		{
			path:  "state.cache",
			value: countValue{&c.State.Cache, 1000, 1_000_000_000},
			doc: "Customers kept in memory, over all partitions of the process, about 450 bytes each. The others are read " +
				"from Redis when they come. Below three batches' customers per partition most are read again and again.",
		},
		{
			path:  "state.retention",
			value: durationValue{&c.State.Retention, 0, 3650 * advice.Day},
			doc: "The state of a customer is removed this long, in event time, after its last event that counted, once no " +
				"deadline expects anything more of it; who comes back later is new. 0s: state is kept for ever.",
		},
		{
			path:  "input.max_record_bytes",
			value: sizeValue{&c.Input.MaxRecordBytes, 1 << 10, 64 << 20},
			doc:   "Records whose key, value and headers take more are quarantined unread.",
		},
		{
			path:  "input.poison_breaker",
			value: shareValue{&c.Input.PoisonBreaker},
			doc: "When more than this share of a partition's last 1,000 records cannot be used, the partition stops " +
				"(`input_poisoned`) instead of draining into the DLQ; the others run on. Lower: a bad release of a producer is " +
				"noticed sooner. 0 or 1: it never stops.",
		},
		{
			path:  "input.anonymous",
			value: choiceValue{&c.Input.Anonymous, []string{anonymousIgnored, anonymousTracked}},
			doc: "What becomes of Segment messages of visitors, which have an `anonymousId` and no `userId`. `ignore`: they are " +
				"counted, and have no effect. `track`: each visitor is a customer of its own, never joined with the one that it " +
				"logs in as.",
		},
	}
	s = append(s, c.Input.Mapping.settings("input.mapping.")...)
	s = append(s, c.Sources.settings()...)
	s = append(s, c.Storm.settings()...)
	s = append(s, budgetSettings(&c.Budgets)...)
	s = append(s, c.Contact.settings()...)
	s = append(s, c.Deliver.settings()...)
	s = append(s, c.Holdout.settings()...)
	return append(s, []setting{
		{
			path:  "http.listen",
			value: textValue{&c.HTTP.Listen},
			doc: "Address, host:port, of `/livez`, `/readyz` and `/metrics`. Empty: none. Port 0: a free one, logged at the " +
				"start. There is no password: keep it on loopback or in a closed network.",
		},
		{
			path:  "log.level",
			value: choiceValue{&c.Log.Level, []string{"debug", "info", "warn", "error"}},
			doc:   "Least severe line to log. Customers' ids appear at `debug` only.",
		},
		{
			path:  "log.format",
			value: choiceValue{&c.Log.Format, []string{"auto", "json", "console"}},
			doc:   "`json`: a JSON object a line. `console`: for people. `auto`: console on a terminal, JSON elsewhere.",
		},
		{
			path:  "shutdown_timeout",
			value: durationValue{&c.ShutdownTimeout, time.Second, time.Hour},
			doc: "Longest time between SIGTERM and the end: what was fetched is committed and published in it. Keep the " +
				"supervisor's own limit above it.",
		},
	}...)
}
