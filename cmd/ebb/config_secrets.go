package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// readSecrets reads the files that the configuration names, so that a missing one is found with everything else.
func (l *configLoader) readSecrets(c *Config, readFile func(string) ([]byte, error)) {
	l.readPassword("kafka.sasl.password_file", c.Kafka.SASL.PasswordFile, &c.Kafka.SASL.Password, readFile)
	l.readPassword("redis.password_file", c.Redis.PasswordFile, &c.Redis.Password, readFile)
	l.readTLS("kafka.tls.", &c.Kafka.TLS, readFile)
	l.readTLS("redis.tls.", &c.Redis.TLS, readFile)
}

func (l *configLoader) readPassword(path, file string, password *string, readFile func(string) ([]byte, error)) {
	if file == "" || *password != "" {
		return
	}
	text, err := readFile(file)
	if err != nil {
		l.problem(path, "%s cannot be read: %s", file, plainFileError(err))
		return
	}
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) == 0:
		l.problem(path, "%s is empty", file)
	case bytes.ContainsAny(text, "\r\n"):
		l.problem(path, "%s has more than one line", file)
	}
	*password = string(text)
}

func (l *configLoader) readTLS(prefix string, t *TLSConfig, readFile func(string) ([]byte, error)) {
	if !t.Enabled {
		return
	}
	t.client = &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := readFile(t.CAFile)
		t.client.RootCAs = x509.NewCertPool()
		switch {
		case err != nil:
			l.problem(prefix+"ca_file", "%s cannot be read: %s", t.CAFile, plainFileError(err))
		case !t.client.RootCAs.AppendCertsFromPEM(pem):
			l.problem(prefix+"ca_file", "%s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile != "" && t.KeyFile != "" {
		cert, err := readCertificate(t, readFile)
		if err != nil {
			l.problem(prefix+"cert_file", "%s", err)
		}
		t.client.Certificates = []tls.Certificate{cert}
	}
}

func readCertificate(t *TLSConfig, readFile func(string) ([]byte, error)) (tls.Certificate, error) {
	cert, certErr := readFile(t.CertFile)
	key, keyErr := readFile(t.KeyFile)
	switch {
	case certErr != nil:
		return tls.Certificate{}, fmt.Errorf("%s cannot be read: %s", t.CertFile, plainFileError(certErr))
	case keyErr != nil:
		return tls.Certificate{}, fmt.Errorf("%s, its key, cannot be read: %s", t.KeyFile, plainFileError(keyErr))
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, errors.New("certificate and key do not fit together: " + err.Error())
	}
	return pair, nil
}

// Client is the client side of the connection, or nil where it is not encrypted. Each call returns a copy.
func (t *TLSConfig) Client() *tls.Config {
	if !t.Enabled {
		return nil
	}
	return t.client.Clone()
}
