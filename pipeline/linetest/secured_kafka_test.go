//go:build integration

package linetest_test

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/linetest/ports"
	"ebb/pipeline/linetest/services"
)

// Passwords of the secured services. No output of ebb may contain one of them.
const (
	rightPassword = "correct-horse-battery"
	wrongPassword = "tr0ub4dor"
)

func secrets() []string { return []string{rightPassword, wrongPassword} }

// securedKafka is a broker with a listener for each kind of login, and an authority for its certificates.
type securedKafka struct {
	testcontainers.Container
	*authority.Authority
	host  string
	ports map[string]int // by listener
}

// listeners of the secured broker. OPEN is for the test itself, which may do everything there.
func listeners() map[string]string {
	return map[string]string{
		"OPEN":        "PLAINTEXT",
		"CERTIFICATE": "SSL",
		"EXPIRED":     "SSL",
		"ELSEWHERE":   "SSL",
		"LOGIN":       "SASL_SSL",
	}
}

// startSecuredKafka starts the broker. Users of LOGIN are plain, scram-256 and scram-512; those of CERTIFICATE are in
// the certificates that the authority signs. Except for the test, users may do nothing without a permission.
func startSecuredKafka(t *testing.T) *securedKafka {
	t.Helper()
	k := &securedKafka{Authority: authority.New(t), ports: map[string]int{}}
	k.Issue(t, "kafka")
	k.IssueUntil(t, "expired", "kafka", time.Now().Add(-time.Hour))
	k.IssueElsewhere(t, "elsewhere", "kafka.example.org")
	free, err := ports.Free(t.Context(), len(listeners()))
	if err != nil {
		t.Fatal(err)
	}
	if k.host, err = services.Host(t.Context()); err != nil {
		t.Fatal(err)
	}
	settings := services.KafkaSettings()
	listen, advertise, protocols := []string{
		"BROKER://:9094",
		"CONTROLLER://:9093",
	}, []string{
		"BROKER://localhost:9094",
	}, []string{
		"CONTROLLER:PLAINTEXT",
		"BROKER:PLAINTEXT",
	}
	for i, name := range slices.Sorted(maps.Keys(listeners())) {
		k.ports[name] = free[i]
		listen = append(listen, fmt.Sprintf("%s://:%d", name, free[i]))
		advertise = append(advertise, fmt.Sprintf("%s://%s", name, k.at(name)))
		protocols = append(protocols, name+":"+listeners()[name])
	}
	settings["KAFKA_LISTENERS"], settings["KAFKA_ADVERTISED_LISTENERS"] = strings.Join(
		listen,
		",",
	), strings.Join(
		advertise,
		",",
	)
	settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] = strings.Join(protocols, ",")
	maps.Copy(settings, map[string]string{
		"KAFKA_AUTHORIZER_CLASS_NAME":                                  "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"KAFKA_SUPER_USERS":                                            "User:ANONYMOUS",
		"KAFKA_SSL_KEYSTORE_TYPE":                                      "PEM",
		"KAFKA_SSL_KEYSTORE_LOCATION":                                  "/etc/secured/kafka.both.pem",
		"KAFKA_SSL_TRUSTSTORE_TYPE":                                    "PEM",
		"KAFKA_SSL_TRUSTSTORE_LOCATION":                                "/etc/secured/ca.pem",
		"KAFKA_LISTENER_NAME_CERTIFICATE_SSL_CLIENT_AUTH":              "required",
		"KAFKA_LISTENER_NAME_EXPIRED_SSL_KEYSTORE_LOCATION":            "/etc/secured/expired.both.pem",
		"KAFKA_LISTENER_NAME_ELSEWHERE_SSL_KEYSTORE_LOCATION":          "/etc/secured/elsewhere.both.pem",
		"KAFKA_LISTENER_NAME_LOGIN_SASL_ENABLED_MECHANISMS":            "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"KAFKA_LISTENER_NAME_LOGIN_PLAIN_SASL_JAAS_CONFIG":             `org.apache.kafka.common.security.plain.PlainLoginModule required user_plain="` + rightPassword + `";`,
		"KAFKA_LISTENER_NAME_LOGIN_SCRAM___SHA___256_SASL_JAAS_CONFIG": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"KAFKA_LISTENER_NAME_LOGIN_SCRAM___SHA___512_SASL_JAAS_CONFIG": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"KAFKA_LISTENER_NAME_LOGIN_CONNECTIONS_MAX_REAUTH_MS":          "0",
		"KAFKA_CONNECTION_FAILED_AUTHENTICATION_DELAY_MS":              "0",
	})
	var files []testcontainers.ContainerFile
	for _, name := range []string{"ca.pem", "kafka.both.pem", "expired.both.pem", "elsewhere.both.pem"} {
		files = append(
			files,
			testcontainers.ContainerFile{HostFilePath: k.Path(name), ContainerFilePath: "/etc/secured/" + name, FileMode: 0o644},
		)
	}
	k.Container, err = services.StartAt(
		t.Context(),
		services.KafkaImage(),
		free,
		testcontainers.WithEnv(settings),
		testcontainers.WithFiles(files...),
	)
	if k.Container != nil {
		testcontainers.CleanupContainer(t, k.Container, testcontainers.StopTimeout(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := services.KafkaAnswers(t.Context(), k.at("OPEN")); err != nil {
		t.Fatal(err)
	}
	for _, u := range []struct {
		name      string
		mechanism kadm.ScramMechanism
	}{{"scram-256", kadm.ScramSha256}, {"scram-512", kadm.ScramSha512}} {
		k.setPassword(t, u.name, u.mechanism, rightPassword)
	}
	return k
}

// at is the address of a listener.
func (k *securedKafka) at(listener string) string {
	return net.JoinHostPort(k.host, strconv.Itoa(k.ports[listener]))
}

// admin is a client that may do everything.
func (k *securedKafka) admin(t *testing.T) *kadm.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.at("OPEN")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

func (k *securedKafka) setPassword(t *testing.T, user string, mechanism kadm.ScramMechanism, password string) {
	t.Helper()
	altered, err := k.admin(t).
		AlterUserSCRAMs(
			t.Context(),
			nil,
			[]kadm.UpsertSCRAM{{User: user, Mechanism: mechanism, Iterations: 4096, Password: password}},
		)
	if err == nil {
		err = altered.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// acl is one permission of a user.
type acl struct {
	// topic, group, groups, which is a prefix of their names, cluster, transactional id or transaction, which is a prefix
	// of such ids
	kind, name string
	operation  kadm.ACLOperation
}

// leastACLs are all permissions that ebb run needs, as listed in docs/security.md.
func leastACLs(g *group) []acl {
	return []acl{
		{"topic", g.input, kadm.OpRead},
		{"topic", g.alerts, kadm.OpWrite},
		{"topic", g.input + ".dlq", kadm.OpWrite},
		{"topic", g.own()[0], kadm.OpWrite},
		{"topic", g.own()[0], kadm.OpRead},
		{"topic", g.own()[1], kadm.OpWrite},
		{"topic", g.own()[1], kadm.OpRead},
		{"topic", g.own()[2], kadm.OpWrite},
		{"group", g.name, kadm.OpRead},
		{"transaction", "ebb/" + g.name + "/", kadm.OpWrite},
	}
}

// checkACLs are what ebb check needs in addition, to read the topics' settings.
func checkACLs(g *group) []acl {
	return []acl{
		{"topic", g.input, kadm.OpDescribeConfigs},
		{"topic", g.alerts, kadm.OpDescribeConfigs},
		{"topic", g.input + ".dlq", kadm.OpDescribeConfigs},
		{"topic", g.own()[0], kadm.OpDescribeConfigs},
		{"topic", g.own()[1], kadm.OpDescribeConfigs},
		{"topic", g.own()[2], kadm.OpDescribeConfigs},
	}
}

func (a acl) builder(user string) *kadm.ACLBuilder {
	b := kadm.NewACLs().
		Allow("User:" + user).
		AllowHosts().
		Operations(a.operation).
		ResourcePatternType(kadm.ACLPatternLiteral)
	switch a.kind {
	case "topic":
		return b.Topics(a.name)
	case "group":
		return b.Groups(a.name)
	case "groups":
		return b.Groups(a.name).ResourcePatternType(kadm.ACLPatternPrefixed)
	case "cluster":
		return b.Clusters()
	case "transactional id":
		return b.TransactionalIDs(a.name)
	}
	return b.TransactionalIDs(a.name).ResourcePatternType(kadm.ACLPatternPrefixed)
}

// allow gives a user permissions.
func (k *securedKafka) allow(t *testing.T, user string, acls ...acl) {
	t.Helper()
	for _, a := range acls {
		created, err := k.admin(t).CreateACLs(t.Context(), a.builder(user))
		if err == nil && len(created) > 0 {
			err = created[0].Err
		}
		if err != nil {
			t.Fatalf("allow %+v: %v", a, err)
		}
	}
}

// forbid takes permissions back.
func (k *securedKafka) forbid(t *testing.T, user string, acls ...acl) {
	t.Helper()
	for _, a := range acls {
		deleted, err := k.admin(t).DeleteACLs(t.Context(), a.builder(user))
		if err == nil && (len(deleted) != 1 || len(deleted[0].Deleted) != 1) {
			err = fmt.Errorf("deleted %+v", deleted)
		}
		if err != nil {
			t.Fatalf("forbid %+v: %v", a, err)
		}
	}
}

// entry is a way into the secured broker.
type entry struct{ listener, user, mechanism, certificate string }

func entries() map[string]entry {
	return map[string]entry{
		"certificate":   {"CERTIFICATE", "CN=ebb", "", "ebb"},
		"plain":         {"LOGIN", "plain", "plain", ""},
		"scram-sha-256": {"LOGIN", "scram-256", "scram-sha-256", ""},
		"scram-sha-512": {"LOGIN", "scram-512", "scram-sha-512", ""},
	}
}

// keys configures a group for a way in; the password is in a file.
func (k *securedKafka) keys(t *testing.T, e entry, password string) map[string]string {
	t.Helper()
	keys := map[string]string{"kafka.brokers": "[" + k.at(e.listener) + "]"}
	tls := "{enabled: true, ca_file: " + k.Path("ca.pem")
	if e.certificate != "" {
		tls += ", cert_file: " + k.Path(e.certificate+".pem") + ", key_file: " + k.Path(e.certificate+".key")
	}
	keys["kafka.tls"] = tls + "}"
	if e.mechanism != "" {
		keys["kafka.sasl"] = "{mechanism: " + e.mechanism + ", username: " + e.user + ", password_file: " + passwordFile(
			t,
			password,
		) + "}"
	}
	return keys
}

func passwordFile(t *testing.T, password string) string {
	t.Helper()
	file := t.TempDir() + "/password"
	overwrite(t, file, password+"\n")
	return file
}

// noSecrets fails the test where the output of a process holds a password or a key.
func (p *process) noSecrets() {
	p.t.Helper()
	for _, s := range append(secrets(), "PRIVATE KEY") {
		if strings.Contains(p.stdout.String()+p.stderr.String(), s) {
			p.t.Errorf("the output holds the secret %q:\n%s%s", s, p.stdout.String(), p.stderr.String())
		}
	}
}

// check runs ebb check and returns what it prints.
func (g *group) check(changes map[string]string) (exit int, found string) {
	g.t.Helper()
	p := start(g.t, nil, "check", "-c", g.config(changes))
	exit = p.wait().ExitStatus()
	p.noSecrets()
	return exit, p.stdout.String() + p.stderr.String()
}
