package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"
)

// authority is a certificate authority of the test, and files of certificates that it signed.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.cert, a.key = template, newKey(t)
	a.cert = a.sign(t, template, a.key, "ca")
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign writes name.pem and name.key.
func (a *authority) sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey, name string) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{a.path(name + ".pem"): {Type: "CERTIFICATE", Bytes: der}, a.path(name + ".key"): {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// issue signs a certificate for 127.0.0.1 and the name.
func (a *authority) issue(t testing.TB, name string) {
	t.Helper()
	a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, newKey(t), name)
}

// server is the server side of a connection that asks for a certificate of the authority.
func (a *authority) server(t testing.TB) *tls.Config {
	t.Helper()
	a.issue(t, "server")
	pair, err := tls.LoadX509KeyPair(a.path("server.pem"), a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
}

// TestSecuredConnections has check log in at servers that ask for certificates and passwords, in the right way and in wrong ones.
func TestSecuredConnections(t *testing.T) {
	ca := newAuthority(t)
	other := newAuthority(t)
	ca.issue(t, "ebb")
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events", "events.dlq", "ebb.alerts"), kfake.TLS(ca.server(t)),
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "plain-user", "right"), kfake.Superuser("SCRAM-SHA-256", "scram-256-user", "right"), kfake.Superuser("SCRAM-SHA-512", "scram-512-user", "right"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	redis, err := miniredis.RunTLS(ca.server(t))
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
		secure := "\n  tls:\n    enabled: true\n    ca_file: " + ca.path("ca.pem") + "\n    cert_file: " + ca.path("ebb.pem") + "\n    key_file: " + ca.path("ebb.key") + "\n"
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
		{name: "unknown users", yaml: strings.Replace(yaml("scram-sha-512", "nobody"), "username: ebb", "username: stranger", 1), want: []string{"problem  brokers: no answer", "problem  redis: connect to"}},
		{name: "unknown authority", yaml: strings.ReplaceAll(yaml("plain", "plain-user"), ca.path("ca.pem"), other.path("ca.pem")), want: []string{"problem  brokers: no answer", "problem  redis: ", "certificate signed by unknown authority"}},
		{name: "name not in the certificate", yaml: strings.ReplaceAll(yaml("plain", "plain-user"), "    enabled: true\n", "    enabled: true\n    server_name: elsewhere\n"), want: []string{"problem  brokers: no answer", "problem  redis: ", "not elsewhere"}},
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
			if len(test.want) == 0 && (!strings.Contains(got.stdout, "ok       brokers") || !strings.Contains(got.stdout, "ok       group")) {
				t.Errorf("not let in:\n%s", got.stdout)
			}
		})
	}
}
