package config

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"ebb/scoring/scoringtest/golden"
)

// wrongConfig is one possible mistake in the configuration.
type wrongConfig struct {
	name string
	yaml string
	env  []string
	file files
}

func wrongConfigs() []wrongConfig {
	return []wrongConfig{
		{name: "unknown section", yaml: "kafak:\n  group: x\n"},
		{name: "unknown key", yaml: "kafka:\n  borkers: [a:1]\n"},
		{name: "key in the wrong place", yaml: "brokers: [a:1]\n"},
		{name: "key that is like no other", yaml: "redis:\n  shoe_size: 44\n"},
		{name: "not YAML", yaml: "kafka:\n  group: \"x\n  input: y\n"},
		{name: "tabs", yaml: "kafka:\n\tgroup: x\n"},
		{name: "a password's file instead", yaml: "hunter2\n"},
		{name: "top level is a list", yaml: "- kafka\n"},
		{name: "two documents", yaml: "log:\n  level: info\n---\nlog:\n  level: debug\n"},
		{name: "empty document before another", yaml: "---\n---\nlog:\n  level: debug\n"},
		{name: "key set twice", yaml: "kafka:\n  group: x\n  group: y\n"},
		{name: "section set twice", yaml: "kafka:\n  group: x\nkafka:\n  input: y\n"},
		{name: "anchor and alias", yaml: "kafka:\n  group: &g x\n  input: *g\n"},
		{name: "merge key", yaml: "kafka:\n  <<: {group: x}\n"},
		{name: "value missing", yaml: "kafka:\n  group:\n"},
		{name: "text where keys are wanted", yaml: "kafka: 127.0.0.1:9092\n"},
		{name: "keys where a value is wanted", yaml: "kafka:\n  group: {name: x}\n"},
		{name: "list where a value is wanted", yaml: "kafka:\n  input: [a, b]\n"},
		{name: "duration without unit", yaml: "kafka:\n  session_timeout: 10\n"},
		{name: "duration out of bounds", yaml: "kafka:\n  session_timeout: 0s\ntime:\n  lateness: -5m\n"},
		{name: "number that is none", yaml: "state:\n  cache: many\n"},
		{name: "number out of bounds", yaml: "batch:\n  max_bytes: 0\nstate:\n  cache: -1\n"},
		{name: "size in decimal units", yaml: "input:\n  max_record_bytes: 1MB\n"},
		{name: "size out of bounds", yaml: "input:\n  max_record_bytes: 1\n"},
		{
			name: "share that is none, or too much",
			yaml: "input:\n  poison_breaker: 50%\n",
			env:  []string{"EBB_INPUT_POISON_BREAKER=1.5"},
		},
		{name: "word not in the list", yaml: "kafka:\n  start: earlist\nlog:\n  level: verbose\n  format: text\n"},
		{name: "truth that is none", yaml: "kafka:\n  tls:\n    enabled: yes\n"},
		{
			name: "addresses that are none",
			yaml: "kafka:\n  brokers: [localhost, 'kafka://a:9092', 'a:99999', ':9092']\nredis:\n  addresses: []\nhttp:\n  " +
				"listen: 9464\n",
		},
		{
			name: "address with a password in it",
			yaml: "kafka: sasl://ebb:hunter2@b-1:9092\nredis:\n  addresses: ['redis://:hunter2@r-1:6379', 'hunter2@r-2:6379']\n",
		},
		{name: "address named twice", yaml: "kafka:\n  brokers: [a:1, a:1]\n"},
		{name: "group that cannot be part of a Redis key", yaml: "kafka:\n  group: 'shop{1}'\n"},
		{name: "group and topics empty", yaml: "kafka:\n  group: ''\n  input: ''\n"},
		{name: "topic that no topic can be called", yaml: "kafka:\n  input: shop/events\n  alerts: ..\n"},
		{name: "instance id that Kafka refuses", yaml: "kafka:\n  instance_id: host 1\n"},
		{name: "input is the alert topic", yaml: "kafka:\n  input: events\n  alerts: events\n"},
		{name: "alerts among the quarantined", yaml: "kafka:\n  alerts: events.dlq\n"},
		{name: "heartbeat too slow", yaml: "kafka:\n  heartbeat: 5s\n"},
		{name: "transaction shorter than session", yaml: "kafka:\n  session_timeout: 20s\n"},
		{name: "record larger than a batch", yaml: "input:\n  max_record_bytes: 8MiB\n"},
		{name: "shutdown shorter than a batch", yaml: "batch:\n  linger: 1s\nshutdown_timeout: 1s\n"},
		{name: "TLS fields without TLS", yaml: "kafka:\n  tls:\n    ca_file: ca.pem\n    server_name: x\n"},
		{
			name: "certificate without key",
			yaml: "redis:\n  tls:\n    enabled: true\n    cert_file: me.pem\n",
			file: files{"me.pem": "x"},
		},
		{
			name: "TLS files missing or no PEM",
			yaml: "kafka:\n  tls:\n    enabled: true\n    ca_file: ca.pem\n    cert_file: me.pem\n    key_file: me.key\n",
			file: files{"ca.pem": "not PEM"},
		},
		{
			name: "certificate and key unreadable",
			yaml: "redis:\n  tls:\n    enabled: true\n    cert_file: me.pem\n    key_file: me.key\n",
			file: files{"me.pem": "x", "me.key": "y"},
		},
		{
			name: "credentials without mechanism",
			yaml: "kafka:\n  sasl:\n    username: ebb\n    password_file: secret\n",
			file: files{"secret": "x"},
		},
		{name: "mechanism without credentials", yaml: "kafka:\n  sasl:\n    mechanism: scram-sha-512\n"},
		{name: "unknown mechanism", yaml: "kafka:\n  sasl:\n    mechanism: scram\n"},
		{name: "password in the file", yaml: "redis:\n  password: hunter2\n"},
		{
			name: "password set twice",
			yaml: "redis:\n  password_file: secret\n",
			env:  []string{"EBB_REDIS_PASSWORD=hunter2"},
			file: files{"secret": "x"},
		},
		{
			name: "password file missing, empty, of two lines",
			yaml: "redis:\n  password_file: secret\nkafka:\n  sasl:\n    mechanism: plain\n    username: ebb\n    " +
				"password_file: empty\n",
			file: files{"empty": "\n"},
		},
		{name: "Sentinel without its master", yaml: "redis:\n  sentinel:\n    username: ebb\n"},
		{name: "user without password", yaml: "redis:\n  username: ebb\n"},
		{
			name: "endpoint without secrets, over plain text, with a password",
			yaml: "deliver:\n  url: http://ebb:hunter2@crm/\n  tls:\n    ca_file: ca.pem\n    cert_file: me.pem\n",
		},
		{name: "endpoint that is none", yaml: "deliver:\n  url: crm.example.org/ebb\n  listen: 9465\n"},
		{
			name: "attempts longer than a shutdown, in the group of ebb run",
			yaml: "deliver:\n  url: https://crm/\n  secrets_file: s\n  timeout: 30s\n  group: ebb\n",
		},
		{
			name: "alerts to deliver that there are none of",
			yaml: "deliver:\n  match:\n    tier: [critcal]\n    kind: lapse,lapse\n    playbook: [[a]]\n",
			env:  []string{"EBB_DELIVER_MATCH_TRANSITION=raised,ended"},
		},
		{name: "pack without name", yaml: "pack: ''\n"},
		{name: "friction weights", yaml: "pack:\n  friction:\n    payment_failed: high\n    refund: -1\n"},
		{name: "budgets", yaml: "budgets:\n  crm: 50\n  offer: {weekly: [1]}\n"},
		{name: "budgets of words", yaml: "budgets: {crm: {daily: [few]}}\n"},
		{name: "budgets below none", yaml: "budgets: {crm: {daily: [50, -1]}}\n"},
		{name: "budgets in the environment", env: []string{"EBB_BUDGETS=crm"}},
		{name: "friction as a list", yaml: "pack:\n  friction: [a, b]\n"},
		{name: "horizon", yaml: "pack:\n  horizon: 3 months\n"},
		{name: "mapping without what it needs", yaml: "input:\n  mapping:\n    records: all\n    value: /amount\n"},
		{
			name: "mapping by dots",
			yaml: "input:\n  mapping:\n    customer: user.id\n    type: [/event, $.kind]\n    time: {path: /at, as: unix}\n",
		},
		{
			name: "mapping with wrong defaults",
			yaml: "input:\n  mapping:\n    customer: /user/id\n    type: /event\n    time: {default: now}\n    value: {path: " +
				"/paid, as: cents, default: much}\n    currency: {default: Euro}\n",
		},
		{name: "mapping of an unknown part", yaml: "input:\n  mapping:\n    custmer: /user/id\n    id: {default: x}\n"},
		{
			name: "mapping that flat JSON leaves nothing",
			yaml: "input:\n  mapping:\n    customer: /customer\n    type: /type\n    time: /time\n    value: /amount/total\n",
		},
		{
			name: "mapping in the environment",
			env:  []string{"EBB_INPUT_MAPPING_CUSTOMER=user.id", "EBB_INPUT_MAPPING_TYPE_DEFAULT=Visit"},
		},
		{name: "mapping named twice", yaml: "input:\n  mapping:\n    customer: [/a, /a]\n    type: /event\n    time: /at\n"},
		{
			name: "shadows",
			yaml: "kafka:\n  shadow: ebb.alerts\nshadows:\n  Next: ./next.yaml\n  next.one: retail\n  empty: ''\n  twice: " +
				"any\n  twice: saas\n",
		},
		{name: "shadow without a name", yaml: "shadows: ./next.yaml\n"},
		{name: "shadow with a list of packs", yaml: "shadows:\n  next: [any, saas]\n"},
		{name: "shadow of a long group", yaml: "kafka:\n  group: " + strings.Repeat("g", 190) + "\nshadows: {next: any}\n"},
		{
			name: "shadows in the environment",
			yaml: "shadows:\n  N: any\n",
			env:  []string{"EBB_SHADOWS=N=saas,twice=any", "EBB_KAFKA_SHADOW=no topic"},
		},
		{name: "shadows in the environment, twice", env: []string{"EBB_SHADOWS=a=saas,a=any"}},
		{
			name: "holdout",
			yaml: "kafka:\n  holdout: ebb.alerts\n  audience: no topic\nholdout:\n  enabled: true\n  share: 0.6\n  salt: " +
				strings.Repeat("s", 201) + "\n  epoch: 1h\n",
		},
		{
			name: "holdout of nobody",
			yaml: "kafka:\n  holdout: held\n  audience: held\nholdout:\n  enabled: true\n  share: 0\n",
		},
		{name: "held out among decisions", yaml: "kafka:\n  holdout: ebb.decisions\nholdout:\n  enabled: true\n"},
		{name: "unknown variable", env: []string{"EBB_KAFKA_GRUOP=x", "EBB_SHOE_SIZE=44"}},
		{
			name: "wrong values in variables",
			env:  []string{"EBB_KAFKA_BROKERS=a:1,,b:2", "EBB_KAFKA_HEARTBEAT=fast", "EBB_PACK_FRICTION=payment_failed=high,"},
		},
		{name: "variable and its short form", env: []string{"EBB_PACK=retail", "EBB_PACK_NAME=any"}},
		{
			name: "everything at once",
			yaml: "kafka:\n  brokers: [localhost]\n  sesion_timeout: 5s\n  heartbeat: 9s\nlog:\n  level: loud\n",
			env:  []string{"EBB_REDIS_ADDRESSES=redis"},
		},
	}
}

// TestWrongConfigurations shows the message for each mistake: testdata/wrong_config.golden is made to be read.
func TestWrongConfigurations(t *testing.T) {
	var got strings.Builder
	for _, w := range wrongConfigs() {
		fs := files{"ebb.yaml": w.yaml}
		maps.Copy(fs, w.file)
		_, err := Load("ebb.yaml", w.env, fs.read)
		if err == nil {
			t.Errorf("%s: no error", w.name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message holds the password: %v", w.name, err)
		}
		fmt.Fprintf(&got, "## %s\n", w.name)
		for line := range strings.Lines(w.yaml) {
			fmt.Fprintf(&got, "    %s", line)
		}
		for _, v := range w.env {
			fmt.Fprintf(&got, "    $ export %s\n", v)
		}
		fmt.Fprintf(&got, "%s\n\n", err)
	}
	golden.File(t, "wrong_config.golden", got.String())
}

func TestConfigFileThatIsNotThere(t *testing.T) {
	_, err := Load("other.yaml", nil, files{}.read)
	if err == nil ||
		err.Error() != "1 problem in the configuration\n  other.yaml: cannot be read: no such file or directory" {
		t.Errorf("error: %v", err)
	}
}
