//go:build !integration

package kafkawire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kfake"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// certificate makes one for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestClientOverTLSWithLogin writes and reads through TLS after logging in, and says what is wrong with a login that fails.
func TestClientOverTLSWithLogin(t *testing.T) {
	cert, pool := certificate(t)
	cluster := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "ann", "secret"), kfake.Superuser("SCRAM-SHA-256", "bob", "secret"), kfake.SeedTopics(1, "in", "out"))
	scrambled, err := scram.Mechanism(scram.SHA256, "bob", "secret")
	if err != nil {
		t.Fatal(err)
	}
	use := func(login sasl.Mechanism) error {
		c, err := kafkawire.Open(kafkawire.Config{
			Brokers: cluster.ListenAddrs(), Topics: []string{"in", "out"}, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
			SASL: login, RequestTimeout: 2 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p, err := c.NewProducer(kafkawire.ProducerConfig{TransactionalID: "txn"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Init(t.Context()); err != nil {
			return err
		}
		if err := p.Commit(t.Context(), unfenced("group", "in", 1, text("out", "v"))); err != nil {
			return err
		}
		if got := read(t, fetcher(t, c, "out"), 0, 1); got[0] != "v" {
			t.Errorf("read %q", got)
		}
		return nil
	}
	if err := use(plain.Mechanism{Username: "ann", Password: "secret"}); err != nil {
		t.Errorf("plain: %v", err)
	}
	if err := use(scrambled); err != nil {
		t.Errorf("scram: %v", err)
	}
	if err := use(plain.Mechanism{Username: "ann", Password: "wrong"}); !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("wrong password: %v", err)
	}
}
