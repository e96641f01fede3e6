package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// files is a file system for Load.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("no such file or directory")}
}

func TestConfigOfNothingIsTheDefault(t *testing.T) {
	for name, text := range map[string]string{
		"no file":        "",
		"empty":          "",
		"comments":       "# nothing\n",
		"empty sections": "kafka:\nredis: {}\n",
		"byte order":     "\ufeffkafka:\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := "ebb.yaml"
			if name == "no file" {
				path = ""
			}
			c, err := Load(path, nil, files{"ebb.yaml": text}.read)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(effective(Default()), effective(c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfigReadsEveryKind(t *testing.T) {
	text := `
kafka:
  brokers: [a:1, "b:2"]
  group: 'shop'
  session_timeout: 1m30s
  transaction_timeout: 2m
  tls: {enabled: true, server_name: kafka.example.org}
redis:
  addresses:
    - c:3
pack:
  name: retail
  activity: [Order Completed]
  friction:
    payment_failed: 1
    complaint: 0.5
  horizon: 90d
shadows:
  candidate: ./a=b.yaml
  other: saas
budgets: {crm: {daily: [50, 100, 250]}, offer: {daily: 20}}
state: {cache: 2_000_000}
input:
  max_record_bytes: 2MiB
  mapping:
    customer: [/user/id, "/a,b"]
    type: {path: /event, default: Visit}
    time: {default: record}
    value:
      path: /cents
      as: minor
`
	c, err := Load(
		"ebb.yaml",
		[]string{"HOME=/", "EBB_TEST_KAFKA=x", "EBB_KAFKA_ALERTS=out", "EBB_PACK=any", "EBB_INPUT_MAPPING_ID=/uuid"},
		files{"ebb.yaml": text}.read,
		Override{"--brokers", "kafka.brokers", "d:4,e:5"},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Kafka.Brokers = []string{"d:4", "e:5"}
	want.Shadows = map[string]string{"candidate": "./a=b.yaml", "other": "saas"}
	want.Kafka.Group, want.Kafka.Alerts, want.Kafka.Control = "shop", "out", "shop.control"
	want.Kafka.Decisions = "shop.decisions"
	want.Kafka.Holdout, want.Kafka.Audience = "out.holdout", "shop.audience"
	want.Kafka.SessionTimeout = 90 * time.Second
	want.Kafka.TLS = TLS{Enabled: true, ServerName: "kafka.example.org"}
	want.Kafka.TransactionTimeout = 2 * time.Minute
	want.Redis.Addresses = []string{"c:3"}
	want.Pack = Pack{
		Name:     "any",
		Activity: []string{"Order Completed"},
		Friction: map[string]float64{"payment_failed": 1, "complaint": 0.5},
		Horizon:  90 * advice.Day,
	}
	want.Budgets = pipeline.Budgets{{Lane: "crm", Daily: []int{50, 100, 250}}, {Lane: "offer", Daily: []int{20}}}
	want.State.Cache, want.Input.MaxRecordBytes = 2_000_000, 2<<20
	m := &want.Input.Mapping.Parts
	m.Customer.Paths, m.Type = []string{"/user/id", "/a,b"}, decode.PartSpec{Paths: []string{"/event"}, Default: "Visit"}
	m.Time.Default, m.Value.Paths, m.ValueAs, m.ID.Paths = decode.RecordTime, []string{
		"/cents",
	}, "minor", []string{
		"/uuid",
	}
	if c.Input.Mapping.Compiled == nil {
		t.Error("the mapping is not ready")
	}
	if diff := cmp.Diff(effective(want), effective(c)); diff != "" {
		t.Error(diff)
	}
}

// effective is the configuration as a list of texts, to compare.
func effective(c *Config) []string {
	var lines []string
	for _, s := range c.settings() {
		lines = append(lines, s.path+"="+s.value.String())
	}
	return lines
}

func TestExampleConfigIsReadStrictlyAndShowsTheDefaults(t *testing.T) {
	c, err := Load("../../../deployments/ebb.example.yaml", nil, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(effective(Default()), effective(c)); diff != "" {
		t.Errorf("the example sets something else than the default:\n%s", diff)
	}
	text, err := os.ReadFile("../../../deployments/ebb.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.settings() {
		key := s.path[strings.LastIndexByte(s.path, '.')+1:] + ":"
		if !s.secret && !strings.Contains(string(text), key) {
			t.Errorf("the example does not mention %s", s.path)
		}
	}
}

func TestEveryKeyCanBeSetByEnvironment(t *testing.T) {
	samples := map[string]string{
		"kafka.start":                "latest",
		"kafka.compression":          "zstd",
		"kafka.sasl.mechanism":       "plain",
		"log.level":                  "debug",
		"log.format":                 "json",
		"kafka.tls.enabled":          "true",
		"redis.tls.enabled":          "true",
		"kafka.session_timeout":      "11s",
		"kafka.heartbeat":            "2s",
		"kafka.transaction_timeout":  "19s",
		"pack.horizon":               "30d",
		"start.history":              "none",
		"start.initial_per_hour":     "500",
		"time.lateness":              "1m",
		"time.idle":                  "45s",
		"batch.max_bytes":            "2MiB",
		"batch.linger":               "5ms",
		"state.cache":                "5000",
		"state.retention":            "400d",
		"input.max_record_bytes":     "2KiB",
		"input.poison_breaker":       "0.25",
		"input.anonymous":            "track",
		"sources.guard":              "off",
		"storm.breaker":              "off",
		"storm.review":               "2h",
		"holdout.enabled":            "true",
		"holdout.share":              "0.25",
		"holdout.epoch":              "180d",
		"shutdown_timeout":           "5s",
		"deliver.start":              "latest",
		"deliver.timeout":            "3s",
		"deliver.max_pause":          "1m",
		"deliver.match.kind":         "lapse,explicit",
		"deliver.match.tier":         "critical",
		"deliver.match.transition":   "raised,recovered",
		"kafka.brokers":              "x:1,y:2",
		"redis.addresses":            "x:1,y:2",
		"http.listen":                "127.0.0.1:0",
		"pack.activity":              "a,b",
		"pack.friction":              "a=1,b=0.5",
		"shadows":                    "a=saas,b=./c.yaml",
		"budgets":                    "crm=50/100/250,offer=20",
		"contact.zones":              "shop=UTC",
		"input.mapping.records":      "all",
		"input.mapping.time.as":      "seconds",
		"input.mapping.time.default": "record",
		"input.mapping.value.as":     "minor",
	}
	for _, s := range Default().settings() {
		t.Run(s.path, func(t *testing.T) {
			text, ok := samples[s.path]
			if !ok {
				text = "some-text"
			}
			c := Default()
			l := &loader{settings: c.settings(), origins: map[string]origin{}}
			l.readEnvironment([]string{s.variable() + "=" + text})
			if len(l.problems) > 0 {
				t.Fatal(l.problems)
			}
			if got := l.setting(s.path).value.String(); got != text {
				t.Errorf("set %q, got %q", text, got)
			}
		})
	}
}

func TestMaskedHidesSecretsAndDigestIgnoresThem(t *testing.T) {
	load := func(password, file string) *Config {
		t.Helper()
		c, err := Load(
			"",
			[]string{
				"EBB_KAFKA_SASL_PASSWORD=" + password,
				"EBB_KAFKA_SASL_MECHANISM=plain",
				"EBB_KAFKA_SASL_USERNAME=u",
				"EBB_REDIS_PASSWORD_FILE=p",
			},
			files{"p": file + "\n"}.read,
		)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := load("hunter2", "swordfish"), load("other", "another")
	if _, password := a.Redis.Credentials.Login(); password != "swordfish" {
		t.Errorf("password file read as %q", password)
	}
	var log strings.Builder
	logger := zerolog.New(&log)
	logger.Info().Object("config", a.Masked()).Str("config_digest", a.Digest()).Msg("starting")
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "swordfish") ||
		!strings.Contains(log.String(), `"kafka.sasl.password":"(set)"`) {
		t.Errorf("log line: %s", log.String())
	}
	if a.Digest() != b.Digest() {
		t.Error("the digest depends on a secret")
	}
	b.Kafka.Group = "other"
	if a.Digest() == b.Digest() {
		t.Error("the digest does not depend on kafka.group")
	}
}

func TestValuesWithNamesOfTheirOwn(t *testing.T) {
	weights := map[string]float64{}
	err := (weightsValue{&weights}).set("payment_failed, a=b=0.5")
	if err != nil || !cmp.Equal(weights, map[string]float64{"payment_failed": 1, "a=b": 0.5}) {
		t.Errorf("weights %v: %v", weights, err)
	}
	names, again := map[string]string{}, map[string]string{}
	err = (namesValue{&names, "name=pack"}).set("a=saas, b=./c=d.yaml")
	if err != nil || !cmp.Equal(names, map[string]string{"a": "saas", "b": "./c=d.yaml"}) {
		t.Errorf("names %v: %v", names, err)
	}
	if err := (namesValue{&again, ""}).set(namesValue{&names, ""}.String()); err != nil || !cmp.Equal(names, again) {
		t.Errorf("%v is read back as %v: %v", names, again, err)
	}
}

func FuzzConfig(f *testing.F) {
	example, err := os.ReadFile("../../../deployments/ebb.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "EBB_KAFKA_GROUP=x")
	f.Add("pack: retail\nkafka: {brokers: a:1}\n", "EBB_PACK_FRICTION=a=1,,b")
	f.Add("a: &x 1\nb: *x\n<<: {c: 1}\n? [k]\n: v\n--- \n- 1\n", "EBB_")
	f.Fuzz(func(t *testing.T, text, variable string) {
		c, err := Load("ebb.yaml", []string{variable}, files{"ebb.yaml": text}.read)
		problems, ok := errors.AsType[Problems](err)
		switch {
		case err == nil && c == nil, err != nil && (!ok || len(problems) == 0):
			t.Fatalf("config %v, error %v", c, err)
		case err != nil:
			_ = err.Error()
		}
	})
}
