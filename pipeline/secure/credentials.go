package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Source is where the parts of the credentials are. ReadFile reads the files.
type Source struct {
	Server string // Kafka or Redis, for messages
	Keys   Keys

	TLS        bool   // encrypt; without it the files below are not read
	CAFile     string // PEM; "": the system's authorities
	CertFile   string // PEM, with KeyFile: the client's certificate; "": none
	KeyFile    string
	ServerName string // "": the name dialled

	Username     string
	Password     string
	PasswordFile string // in place of Password; a line end after the password is not part of it

	ReadFile func(name string) ([]byte, error)
}

// Keys are the configuration's keys for the parts, for messages.
type Keys struct {
	TLS       string // prefix: kafka.tls.
	Login     string // prefix: kafka.sasl.
	Addresses string // kafka.brokers
}

// Problem is a part that cannot be used.
type Problem struct {
	Key  string // of the configuration
	Text string
}

// Credentials are the latest usable state of a Source. They may be used by any number of goroutines.
type Credentials struct {
	src   Source
	parts []*part
	gate  gate

	mu       sync.Mutex
	log      zerolog.Logger
	roots    *x509.CertPool   // nil: the system's
	own      *tls.Certificate // nil: none
	password string
	version  uint64 // counts the changes
}

// Open reads everything once. The credentials are usable except for the parts with a problem.
func Open(src Source) (*Credentials, []Problem) {
	c := &Credentials{src: src, log: zerolog.Nop(), password: src.Password}
	if src.TLS && src.CAFile != "" {
		c.parts = append(c.parts, &part{key: src.Keys.TLS + "ca_file", files: []string{src.CAFile}, use: c.useRoots})
	}
	if src.TLS && src.CertFile != "" && src.KeyFile != "" {
		c.parts = append(
			c.parts,
			&part{key: src.Keys.TLS + "cert_file", files: []string{src.CertFile, src.KeyFile}, use: c.useCertificate},
		)
	}
	if src.PasswordFile != "" && src.Password == "" {
		c.parts = append(
			c.parts,
			&part{key: src.Keys.Login + "password_file", files: []string{src.PasswordFile}, use: c.usePassword},
		)
	}
	var problems []Problem
	for _, p := range c.parts {
		if _, err := p.read(src.ReadFile); err != nil {
			problems = append(problems, Problem{Key: p.key, Text: err.Error()})
		}
	}
	return c, problems
}

// LogTo makes changes of the files be logged in log from now on.
func (c *Credentials) LogTo(log zerolog.Logger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = log.With().Str("server", c.src.Server).Logger()
}

// Follow checks the files at every interval until ctx ends, so that a change is logged when it is made, and not only at
// the next connection.
func (c *Credentials) Follow(ctx context.Context, every time.Duration) {
	if len(c.parts) == 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.refresh()
		case <-ctx.Done():
			return
		}
	}
}

// refresh reads the files again and returns how often the credentials have changed. A part that cannot be used stays as
// it was, and is logged once.
func (c *Credentials) refresh() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		changed, err := p.read(c.src.ReadFile)
		switch {
		case err != nil && err.Error() != p.said:
			p.said = err.Error()
			c.log.Error().Str("key", p.key).Err(err).Msg("changed file cannot be used, going on with what was read before")
		case err == nil && changed:
			c.version++
			c.log.Info().Str("key", p.key).Strs("files", p.files).Msg("changed file read, new connections use it")
		}
		if err == nil {
			p.said = ""
		}
	}
	return c.version
}

// Login returns the user and password to log in with. An empty user with a password is the server's default user.
func (c *Credentials) Login() (username, password string) {
	c.refresh()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Username, c.password
}

// TLS is the client's side of TLS with a host, for callers that connect by themselves; nil: plain text.
func (c *Credentials) TLS(host string) *tls.Config {
	c.refresh()
	return c.client(host)
}

// client is the client's side of TLS with a host; nil: plain text. The client's certificate is sent whatever
// authorities the server names, so that the server can report what is wrong with it.
func (c *Credentials) client(host string) *tls.Config {
	if !c.src.TLS {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.src.ServerName, RootCAs: c.roots}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	if own := c.own; own != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	}
	return cfg
}

// certificate is the client's own; nil: none.
func (c *Credentials) certificate() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		return nil
	}
	return c.own.Leaf
}

func (c *Credentials) useRoots(texts [][]byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(texts[0]) {
		return errors.New(c.src.CAFile + " holds no certificate in PEM form")
	}
	c.roots = pool
	return nil
}

func (c *Credentials) useCertificate(texts [][]byte) error {
	pair, err := tls.X509KeyPair(texts[0], texts[1])
	if err != nil {
		return errors.New("certificate and key do not fit together: " + err.Error())
	}
	c.own = &pair
	return nil
}
