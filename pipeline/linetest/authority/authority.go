// Package authority signs certificates for tests of secured connections.
package authority

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
	"slices"
	"testing"
	"time"
)

// Authority is a certificate authority of one test, and the folder of its files: ca.pem, and NAME.pem, NAME.key and
// NAME.both.pem (key and certificate in one file, as Kafka reads them) of each certificate.
type Authority struct {
	Dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority that nothing trusts yet.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Dir: t.TempDir(), key: newKey(t)}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(
			1,
		),
		Subject:               pkix.Name{CommonName: "test authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
	}
	a.cert = a.sign(t, a.cert, a.key, "ca")
	return a
}

// Issue signs a certificate for client and server with the subject's common name NAME, good for 127.0.0.1, localhost
// and NAME.
func (a *Authority) Issue(t testing.TB, name string) {
	t.Helper()
	a.IssueUntil(t, name, name, time.Now().Add(24*time.Hour))
}

// IssueUntil is Issue into files of another name, with an end.
func (a *Authority) IssueUntil(t testing.TB, file, name string, end time.Time) {
	t.Helper()
	a.sign(t, template(name, end, []string{name, "localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}), newKey(t), file)
}

// IssueElsewhere is Issue for another host than the one dialled.
func (a *Authority) IssueElsewhere(t testing.TB, file, host string) {
	t.Helper()
	a.sign(t, template(host, time.Now().Add(24*time.Hour), []string{host}, nil), newKey(t), file)
}

func template(name string, end time.Time, names []string, ips []net.IP) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(
			time.Now().UnixNano(),
		),
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    names,
		IPAddresses: ips,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-47 * time.Hour),
		NotAfter:    end,
	}
}

// Path is a file of the folder.
func (a *Authority) Path(name string) string { return filepath.Join(a.Dir, name) }

// Pair is an issued certificate with its key.
func (a *Authority) Pair(t testing.TB, name string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Path(name+".pem"), a.Path(name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Pool is a pool of certificates with the authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Server is the server's side of TLS with an issued certificate. With ask it requires a client certificate of the
// authority.
func (a *Authority) Server(t testing.TB, name string, ask bool) *tls.Config {
	t.Helper()
	c := &tls.Config{Certificates: []tls.Certificate{a.Pair(t, name)}, MinVersion: tls.VersionTLS12}
	if ask {
		c.ClientCAs, c.ClientAuth = a.Pool(), tls.RequireAndVerifyClientCert
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign writes the files of a certificate.
func (a *Authority) sign(
	t testing.TB,
	template *x509.Certificate,
	key *ecdsa.PrivateKey,
	name string,
) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for file, text := range map[string][]byte{
		name + ".pem":      certPEM,
		name + ".key":      keyPEM,
		name + ".both.pem": append(slices.Clip(keyPEM), certPEM...),
	} {
		if err := os.WriteFile(a.Path(file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
