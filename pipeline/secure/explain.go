package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"ebb/pipeline"
)

// Codes of refusals. They are stable, and docs/security.md explains each.
const (
	CodeUntrusted  = "certificate_untrusted"  // the server's
	CodeWrongName  = "certificate_wrong_name" // the server's
	CodeExpired    = "certificate_expired"    // the server's
	CodeRefused    = "certificate_refused"    // the client's, or there is none
	CodeMismatch   = "tls_mismatch"           // one side uses TLS, the other does not
	CodeLogin      = "login_refused"
	CodeMechanism  = "login_mechanism"
	CodePermission = "permission_missing"
)

// Closed is a server that closes a connection at its beginning without a reason. It may be starting or stopping. Like a
// refusal it does not unwrap: clients look for errors that they recognise, and would show only those.
type Closed struct{ text string }

func (e *Closed) Error() string { return e.text }

func closed(format string, args ...any) error { return &Closed{fmt.Sprintf(format, args...)} }

// explainHandshake words why there is no TLS.
func (c *Credentials) explainHandshake(address string, err error) error {
	explained := c.explain(address, err)
	if denied := (*pipeline.Denied)(nil); errors.As(explained, &denied) {
		return explained
	}
	return closed(
		"%s at %s did not answer the TLS handshake; if it speaks plain text there, use the port of its TLS listener, or "+
			"set %senabled: false: %v",
		c.src.Server,
		address,
		c.src.Keys.TLS,
		err,
	)
}

// explain words why a server refuses the client. It returns any other error unchanged.
func (c *Credentials) explain(address string, err error) error {
	denied := func(code, do, format string, args ...any) error {
		return &pipeline.Denied{
			Code:   code,
			Detail: fmt.Sprintf("%s at %s ", c.src.Server, address) + fmt.Sprintf(format, args...),
			Do:     do,
		}
	}
	var (
		untrusted x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		header    tls.RecordHeaderError
		alert     *net.OpError
	)
	switch {
	case errors.As(err, &untrusted):
		return denied(
			CodeUntrusted,
			c.trust(),
			"shows a certificate of an authority that is not trusted%s",
			issuer(untrusted.Cert),
		)
	case errors.As(err, &name):
		return denied(
			CodeWrongName,
			c.naming(),
			"shows a certificate for %s and not for %s",
			names(name.Certificate),
			name.Host,
		)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return denied(
			CodeExpired,
			"renew the server's certificate, or mend this machine's clock; ebb goes on by itself",
			"shows a certificate that %s (subject %q)",
			validity(invalid.Cert),
			invalid.Cert.Subject,
		)
	case errors.As(err, &invalid):
		return denied(CodeUntrusted, c.trust(), "shows a certificate that is not valid: %s", invalid)
	case errors.As(err, &header):
		return denied(
			CodeMismatch,
			fmt.Sprintf("use the port of its TLS listener, or set %senabled: false", c.src.Keys.TLS),
			"does not speak TLS at this port",
		)
	case errors.As(err, &alert) && alert.Op == "remote error":
		return c.explainAlert(denied, strings.TrimPrefix(alert.Err.Error(), "tls: "))
	}
	return err
}

// explainAlert words what a server finds wrong with the client.
func (c *Credentials) explainAlert(denied func(code, do, format string, args ...any) error, alert string) error {
	own := c.certificate()
	cert, key := c.src.Keys.TLS+"cert_file", c.src.Keys.TLS+"key_file"
	switch {
	case own == nil && alert == "handshake failure": // TLS 1.2 sends this for a missing certificate, among other faults
		return denied(
			CodeRefused,
			"set "+cert+" and "+key+" if it asks for a client certificate; else compare the server's TLS versions and ciphers",
			"ended the TLS handshake, and no client certificate is configured (%s)",
			alert,
		)
	case !strings.Contains(alert, "certificate"):
		return denied(
			CodeMismatch,
			"compare the TLS versions and ciphers of the server (ebb supports TLS 1.2 and 1.3)",
			"ended the TLS handshake: %s",
			alert,
		)
	case own == nil:
		return denied(
			CodeRefused,
			"set "+cert+" and "+key,
			"asks for a client certificate, and none is configured (%s)",
			alert,
		)
	case time.Now().After(own.NotAfter):
		return denied(
			CodeRefused,
			fmt.Sprintf("renew %s and %s; they are read again without a restart", c.src.CertFile, c.src.KeyFile),
			"refuses ebb's certificate, which %s (%s)",
			validity(own),
			alert,
		)
	}
	return denied(
		CodeRefused,
		fmt.Sprintf(
			"put a certificate into %s whose authority the server trusts; it is read again without a restart",
			c.src.CertFile,
		),
		"refuses ebb's certificate (%s; subject %q, issuer %q)",
		alert,
		own.Subject,
		own.Issuer,
	)
}

func (c *Credentials) needsTLS(address string) error {
	return &pipeline.Denied{
		Code: CodeMismatch, Detail: fmt.Sprintf("%s at %s speaks TLS at this port, and ebb does not", c.src.Server, address),
		Do: fmt.Sprintf("set %senabled: true, or use the port of its plain listener", c.src.Keys.TLS),
	}
}

// hint is what to check where a server sends no reason.
func (c *Credentials) hint() string {
	if c.src.TLS {
		return fmt.Sprintf(
			"if it asks for a client certificate or a login, see %s* and %s*",
			c.src.Keys.TLS,
			c.src.Keys.Login,
		)
	}
	return fmt.Sprintf("if it wants TLS or a login, see %s* and %s*", c.src.Keys.TLS, c.src.Keys.Login)
}

func (c *Credentials) trust() string {
	if c.src.CAFile == "" {
		return fmt.Sprintf("name the file of the authority that signed it in %sca_file", c.src.Keys.TLS)
	}
	return fmt.Sprintf("put the authority that signed it into %s; it is read again without a restart", c.src.CAFile)
}

func (c *Credentials) naming() string {
	return fmt.Sprintf(
		"dial it by a name of its certificate (%s, and what the server announces), or set %sserver_name to one",
		c.src.Keys.Addresses,
		c.src.Keys.TLS,
	)
}

func issuer(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	return fmt.Sprintf(" (issuer %q)", cert.Issuer)
}

// names are the names in a certificate.
func names(cert *x509.Certificate) string {
	all := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no name at all"
	}
	return strings.Join(all, ", ")
}

// validity words since when a certificate is no longer valid, or from when on it is.
func validity(cert *x509.Certificate) string {
	if time.Now().Before(cert.NotBefore) {
		return "is valid only from " + cert.NotBefore.UTC().Format(time.RFC3339) + " on"
	}
	return "expired at " + cert.NotAfter.UTC().Format(time.RFC3339)
}
