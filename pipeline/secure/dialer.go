package secure

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"ebb/pipeline"
)

// Dial makes a connection without any security.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Login authenticates a new connection. Its error is a *pipeline.Denied where the server refuses.
type Login func(ctx context.Context, conn net.Conn, address string) error

// Dialer makes connections to the servers of one kind. It may be used by any number of goroutines. All dialers with the
// same credentials share the refusals, so that a new client does not retry any earlier.
type Dialer struct {
	credentials *Credentials
	dial        Dial
	login       Login
}

// NewDialer makes a dialer. dial nil: the system's. login nil: the user of the connection logs in by itself, if at all,
// and calls Refused and Admitted.
func NewDialer(c *Credentials, dial Dial, login Login) *Dialer {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &Dialer{credentials: c, dial: dial, login: login}
}

// Dial connects, encrypts and logs in. While a refusal is fresh, it returns that again without a new attempt. Errors:
// *pipeline.Denied where the server or the client refuses, others unchanged.
func (d *Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	version := d.credentials.refresh()
	if err := d.credentials.gate.pass(version, everywhere, address); err != nil {
		return nil, err
	}
	raw, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn, err := d.enter(ctx, raw, address, version)
	if err != nil {
		_ = raw.Close() // nothing of importance was sent
		d.met(address, err, version)
		return nil, err
	}
	return conn, nil
}

// enter encrypts and logs in.
func (d *Dialer) enter(ctx context.Context, raw net.Conn, address string, version uint64) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conn := raw
	if client := d.credentials.client(host); client != nil {
		encrypted := tls.Client(raw, client)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, d.credentials.explainHandshake(address, err)
		}
		conn = encrypted
	}
	conn = watch(conn, d, address, version)
	if d.login == nil {
		return conn, nil
	}
	if err := d.login(ctx, conn, address); err != nil {
		return nil, err
	}
	d.credentials.gate.open(address)
	return conn, nil
}

// met closes the gate after a refusal of credentials of that version. If they have changed since, it holds nothing
// back.
func (d *Dialer) met(address string, err error, version uint64) {
	var denied *pipeline.Denied
	var rude *Closed
	switch {
	case errors.As(err, &denied):
		d.credentials.gate.refused(address, denied, err, version)
	case errors.As(err, &rude):
		d.credentials.gate.refused(address, rude, err, version)
	}
}

// everywhere stands for all addresses: if one server refuses a login, the others do too.
const everywhere = ""

// Refused reports that a server has refused the login after Dial.
func (d *Dialer) Refused(err *pipeline.Denied) {
	d.credentials.gate.refused(everywhere, err, err, d.credentials.refresh())
}

// Admitted reports that a server has accepted the login.
func (d *Dialer) Admitted() { d.credentials.gate.open(everywhere) }
