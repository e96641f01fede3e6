package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"ebb/pipeline/linetest/authority"
)

// TestSecuredConnections runs check against servers that require certificates and passwords, with right and with wrong
// ones.
func TestSecuredConnections(t *testing.T) {
	ca := authority.New(t)
	other := authority.New(t)
	ca.Issue(t, "ebb")
	ca.Issue(t, "server")
	kafka, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.SeedTopics(1, "events", "events.dlq", "ebb.alerts"),
		kfake.TLS(ca.Server(t, "server", true)),
		kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "plain-user", "right"),
		kfake.Superuser("SCRAM-SHA-256", "scram-256-user", "right"),
		kfake.Superuser("SCRAM-SHA-512", "scram-512-user", "right"),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	redis, err := miniredis.RunTLS(ca.Server(t, "server", true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Close)
	redis.RequireUserAuth("ebb", "right")

	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := func(mechanism, user string) string {
		secure := "\n  tls:\n    enabled: true\n    ca_file: " + ca.Path(
			"ca.pem",
		) + "\n    cert_file: " + ca.Path(
			"ebb.pem",
		) + "\n    key_file: " + ca.Path(
			"ebb.key",
		) + "\n"
		return "kafka:\n  brokers: [" + kafka.ListenAddrs()[0] + "]" + secure + "  sasl: {mechanism: " + mechanism + ", username: " + user + ", password_file: " + password + "}\n" +
			"redis:\n  addresses: [" + redis.Addr() + "]\n  username: ebb\n  password_file: " + password + secure
	}
	tests := []struct {
		name, yaml string
		want       []string // in the output; none of them: no problem with brokers or Redis
	}{
		{name: "plain", yaml: yaml("plain", "plain-user")},
		{name: "SCRAM-SHA-256", yaml: yaml("scram-sha-256", "scram-256-user")},
		{name: "SCRAM-SHA-512", yaml: yaml("scram-sha-512", "scram-512-user")},
		{
			name: "unknown users",
			yaml: strings.Replace(yaml("scram-sha-512", "nobody"), "username: ebb", "username: stranger", 1),
			want: []string{"problem  brokers: Kafka at ", "problem  redis: connect to", "(login_refused)"},
		},
		{
			name: "unknown authority",
			yaml: strings.ReplaceAll(yaml("plain", "plain-user"), ca.Path("ca.pem"), other.Path("ca.pem")),
			want: []string{"problem  brokers: Kafka at ", "problem  redis: Redis at ", "(certificate_untrusted)"},
		},
		{
			name: "name not in the certificate",
			yaml: strings.ReplaceAll(
				yaml("plain", "plain-user"),
				"    enabled: true\n",
				"    enabled: true\n    server_name: elsewhere\n",
			),
			want: []string{
				"problem  brokers: Kafka at ",
				"problem  redis: Redis at ",
				"not for elsewhere",
				"(certificate_wrong_name)",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ebb.yaml")
			if err := os.WriteFile(file, []byte(test.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			got := run(t, nil, nil, "check", "-c", file)
			if strings.Contains(got.stdout+got.stderr, "right") {
				t.Errorf("shows the password:\n%s", got.stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("%q is not in:\n%s", want, got.stdout)
				}
			}
			if len(test.want) == 0 &&
				(!strings.Contains(got.stdout, "ok       brokers") || !strings.Contains(got.stdout, "ok       group")) {
				t.Errorf("not let in:\n%s", got.stdout)
			}
		})
	}
}
