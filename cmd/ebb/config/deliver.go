package config

import (
	"net/url"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline/secure"
)

func (d *Deliver) settings() []setting {
	return []setting{
		{
			path:  "deliver.url",
			value: urlValue{&d.URL},
			doc: "Endpoint, https:// or http://, that `ebb deliver` posts each alert to. Empty: it is not used. Other endpoints " +
				"are other processes, with a `deliver.group` of their own. [Webhooks](deliver.md).",
		},
		{
			path:  "deliver.secrets_file",
			value: textValue{&d.SecretsFile},
			doc: "File of the secrets that sign each alert, `whsec_` and base64 of 24 to 64 bytes, one a line. Several: each " +
				"signs, so that receivers can change from one to the next. It is read again when it changes. Needed with " +
				"`deliver.url`.",
		},
		{
			path:  "deliver.headers_file",
			value: textValue{&d.HeadersFile},
			doc: "File of headers to send along, such as `Authorization: Bearer ...`, one a line. It is read again when it " +
				"changes. Empty: none.",
		},
		{
			path:  "deliver.group",
			value: textValue{&d.Group},
			def:   "<group>.deliver",
			doc:   "Consumer group of `ebb deliver`. Another group delivers all alerts again.",
		},
		{
			path:  "deliver.start",
			value: choiceValue{&d.Start, []string{"earliest", "latest"}},
			doc: "Where a group that has never delivered begins, in each partition. `latest` leaves out what was published " +
				"before. Without effect afterwards.",
		},
		{
			path:  "deliver.timeout",
			value: durationValue{&d.Timeout, 100 * time.Millisecond, 5 * time.Minute},
			doc: "Longest time of one attempt, until the end of the answer. Shorter: a receiver that hangs costs less; too " +
				"short: slow ones get everything twice or more. Below `shutdown_timeout`, so that Ctrl-C can finish an attempt.",
		},
		{
			path:  "deliver.max_pause",
			value: durationValue{&d.MaxPause, 10 * time.Millisecond, time.Hour},
			doc: "Longest pause between two attempts, which begin half a second apart. Shorter: deliveries go on sooner after " +
				"an outage of the endpoint, and bother it more during one. A `Retry-After` above it counts, up to an hour.",
		},
		{
			path:  "deliver.listen",
			value: textValue{&d.Listen},
			doc: "Address, host:port, of `/livez`, `/readyz` and `/metrics` of `ebb deliver`. Empty: none. As for " +
				"`http.listen`.",
		},
		{
			path:  "deliver.match.kind",
			value: choicesValue{listValue{&d.Match.Kind}, []string{"lapse", "explicit", "involuntary", "service_failure"}},
			doc: "Kinds of alerts that are delivered; the others are passed over, and counted. Empty: all. This and the next five " +
				"hold together: an alert has to be listed in each.",
		},
		{
			path:  "deliver.match.tier",
			value: choicesValue{listValue{&d.Match.Tier}, []string{"healthy", "watch", "at_risk", "critical"}},
			doc: "Tiers of alerts that are delivered. Empty: all. The end of an episode is delivered whatever its tier, also where " +
				"nothing before it was.",
		},
		{
			path: "deliver.match.transition",
			value: choicesValue{listValue{&d.Match.Transition}, []string{
				"raised", "escalated", "deescalated", "reminded", "recovered", "churned", "expired", "corrected", "converted",
			}},
			doc: "Transitions that are delivered. Empty: all. Without those that end episodes a receiver never learns that " +
				"something is over.",
		},
		{
			path:  "deliver.match.playbook",
			value: listValue{&d.Match.Playbook},
			doc:   "Ids of playbooks whose alerts are delivered. Empty: all. As for tiers, the end of an episode always is.",
		},
		{
			path:  "deliver.match.tenant",
			value: listValue{&d.Match.Tenant},
			doc:   "Tenants whose alerts are delivered. Empty: all.",
		},
		{
			path:  "deliver.match.pack",
			value: listValue{&d.Match.Pack},
			doc:   "Names of packs whose alerts are delivered. Empty: all.",
		},
		{
			path:  "deliver.tls.ca_file",
			value: textValue{&d.TLS.CAFile},
			doc: "PEM file of the authorities that may sign the endpoint's certificate. Empty: the system's. This and the next " +
				"two are read again when they change; new connections use them.",
		},
		{
			path:  "deliver.tls.cert_file",
			value: textValue{&d.TLS.CertFile},
			doc:   "PEM file of ebb's own certificate, where the endpoint asks for one. Needs `key_file`.",
		},
		{
			path:  "deliver.tls.key_file",
			value: textValue{&d.TLS.KeyFile},
			doc:   "PEM file of the key of `cert_file`.",
		},
		{
			path:  "deliver.tls.server_name",
			value: textValue{&d.TLS.ServerName},
			doc:   "Name that the endpoint's certificate must carry, where it is not the one in the URL.",
		},
	}
}

// checkDeliver finds what is wrong with the settings of ebb deliver.
func (l *loader) checkDeliver(c *Config) {
	d := &c.Deliver
	if d.Group != "" {
		l.checkGroup("deliver.group", d.Group)
	}
	if c.DeliverGroup() == c.Kafka.Group {
		l.contradiction("deliver.group", "kafka.group", "is the group of ebb run too (%s)", c.Kafka.Group)
	}
	if len(c.Kafka.Alerts) > MaxTopic-len(dlqSuffix) && d.URL != "" {
		l.problem("kafka.alerts", "is too long for a topic of undelivered alerts, which has %s behind it", dlqSuffix)
	}
	if d.Listen != "" {
		if why := badAddress(d.Listen, 0); why != "" {
			l.problem("deliver.listen", "%q is no address: %s (127.0.0.1:9465, or \"\" for none)", d.Listen, why)
		}
	}
	if d.URL != "" && d.Timeout >= c.ShutdownTimeout {
		l.contradiction("deliver.timeout", "shutdown_timeout", "must be below shutdown_timeout (%s): %s",
			advice.FormatDuration(c.ShutdownTimeout), advice.FormatDuration(d.Timeout))
	}
	l.checkEndpoint(d)
}

// checkEndpoint checks the URL, and what is of use only with it.
func (l *loader) checkEndpoint(d *Deliver) {
	to, err := url.Parse(d.URL)
	switch {
	case d.URL == "":
		to = new(url.URL)
	case err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http":
		l.problem("deliver.url", "want https://host/path, found %q", withoutLogin(d.URL))
		return
	}
	if to.User != nil {
		l.problem("deliver.url", "holds a password; put an Authorization header into deliver.headers_file")
	}
	if d.URL != "" && d.SecretsFile == "" {
		l.contradiction("deliver.secrets_file", "deliver.url",
			"must name a file of secrets: receivers know by the signature whose an alert is")
	}
	if d.TLS.Enabled = to.Scheme == "https"; !d.TLS.Enabled {
		l.refuseTLS("deliver.tls.", &d.TLS, "unless deliver.url begins with https://")
	}
	l.checkPair("deliver.tls.", &d.TLS)
}

// deliverCredentials reads the certificates of the endpoint's connections.
func (l *loader) deliverCredentials(d *Deliver, readFile func(string) ([]byte, error)) {
	d.Credentials = l.open(secure.Source{
		Server: "the endpoint", Keys: secure.Keys{TLS: "deliver.tls.", Addresses: "deliver.url"}, ReadFile: readFile,
	}, &d.TLS)
}
