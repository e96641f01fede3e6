package kafkawire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/secure"
)

// Ways to log in.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// login is one dialogue by which a new connection proves who we are. It is ours rather than kafka-go's because that one
// keeps to itself who refused what, and so would be tried again several times a second.
type login struct {
	conn     net.Conn
	address  string
	username string
	format   *kmsg.RequestFormatter
	serial   int32
}

const adviceLogin = "check kafka.sasl.username, kafka.sasl.mechanism and the password (kafka.sasl.password_file is " +
	"read again without a restart)"

// maxLogin bounds an answer, in bytes.
const maxLogin = 1 << 20

// newLogin makes what the dialer logs in by; nil: no login.
func newLogin(mechanism string, credentials *secure.Credentials, format *kmsg.RequestFormatter) (secure.Login, error) {
	if mechanism == "" {
		return nil, nil //nolint:nilnil // none
	}
	if _, err := saslOf(mechanism, "u", "p"); err != nil {
		return nil, err
	}
	return func(ctx context.Context, conn net.Conn, address string) error {
		username, password := credentials.Login()
		m, err := saslOf(mechanism, username, password)
		if err != nil {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok {
			_ = conn.SetDeadline(deadline)      // shows at the next use
			defer conn.SetDeadline(time.Time{}) //nolint:errcheck // as above
		}
		l := &login{conn: conn, address: address, username: username, format: format}
		return l.run(ctx, m)
	}, nil
}

// saslOf makes the library's half of the dialogue.
func saslOf(mechanism, username, password string) (sasl.Mechanism, error) {
	switch mechanism {
	case Plain:
		return plain.Mechanism{Username: username, Password: password}, nil
	case ScramSHA256:
		return scram.Mechanism(scram.SHA256, username, password)
	case ScramSHA512:
		return scram.Mechanism(scram.SHA512, username, password)
	}
	return nil, fmt.Errorf("sasl mechanism %q: want %s, %s or %s", mechanism, Plain, ScramSHA256, ScramSHA512)
}

func (l *login) run(ctx context.Context, m sasl.Mechanism) error {
	if err := l.choose(m.Name()); err != nil {
		return err
	}
	session, message, err := m.Start(ctx)
	for done := false; err == nil && !done; {
		var challenge []byte
		if challenge, err = l.say(message); err != nil {
			return err
		}
		done, message, err = session.Next(ctx, challenge)
	}
	if err != nil {
		return l.denied(
			secure.CodeLogin,
			"see that it knows the password of this user: compare kafka.sasl.username and kafka.sasl.password_file",
			"does not prove that it knows the password of user %q: %v",
			l.username,
			err,
		)
	}
	return nil
}

// choose names the mechanism.
func (l *login) choose(name string) error {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version, req.Mechanism = 1, name
	res := kmsg.NewPtrSASLHandshakeResponse()
	if err := l.exchange(req, res); err != nil {
		return err
	}
	switch code := Error(res.ErrorCode); code {
	case 0:
		return nil
	case UnsupportedMechanism:
		return l.denied(
			secure.CodeMechanism,
			"set kafka.sasl.mechanism to one of these",
			"does not know %s; it knows %s",
			name,
			strings.Join(res.SupportedMechanisms, ", "),
		)
	case IllegalSASLState:
		return l.denied(
			secure.CodeMechanism,
			"use the port of its SASL listener, or take kafka.sasl away",
			"asks for no login at this port",
		)
	default:
		return fmt.Errorf("log in at %s: %w", l.address, code)
	}
}

// say sends one message of the dialogue and returns the answer.
func (l *login) say(message []byte) ([]byte, error) {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = 1, message
	res := kmsg.NewPtrSASLAuthenticateResponse()
	closed := (*secure.Closed)(nil)
	switch err := l.exchange(req, res); {
	case errors.Is(err, io.EOF) || errors.As(err, &closed): // as some servers say no
		return nil, l.denied(secure.CodeLogin, adviceLogin, "closed the connection at the login of user %q", l.username)
	case err != nil:
		return nil, err
	}
	switch code := Error(res.ErrorCode); {
	case code == 0:
		return res.SASLAuthBytes, nil
	case code == AuthenticationFailed:
		why := ""
		if res.ErrorMessage != nil && *res.ErrorMessage != "" {
			why = ": " + *res.ErrorMessage
		}
		return nil, l.denied(secure.CodeLogin, adviceLogin, "refuses the login of user %q%s", l.username, why)
	default:
		return nil, fmt.Errorf("log in at %s: %w", l.address, code)
	}
}

// exchange sends a request and reads its answer.
func (l *login) exchange(req kmsg.Request, res kmsg.Response) error {
	l.serial++
	if _, err := l.conn.Write(l.format.AppendRequest(nil, req, l.serial)); err != nil {
		return fmt.Errorf("log in at %s: %w", l.address, err)
	}
	var head [8]byte
	if _, err := io.ReadFull(l.conn, head[:]); err != nil {
		return fmt.Errorf("log in at %s: %w", l.address, err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 4 || n > maxLogin {
		return kafkabatch.Malformed("answer of %d bytes to a login", n)
	}
	body := make([]byte, n-4)
	if _, err := io.ReadFull(l.conn, body); err != nil {
		return fmt.Errorf("log in at %s: %w", l.address, err)
	}
	res.SetVersion(req.GetVersion())
	if err := res.ReadFrom(body); err != nil {
		return kafkabatch.Malformed("answer to a login: %v", err)
	}
	return nil
}

func (l *login) denied(code, do, format string, args ...any) error {
	return &pipeline.Denied{
		Code:   code,
		Detail: fmt.Sprintf("Kafka at %s ", l.address) + fmt.Sprintf(format, args...),
		Do:     do,
	}
}

// isDenied reports whether asking again at once is of no use.
func isDenied(err error) bool {
	var denied *pipeline.Denied
	return errors.As(err, &denied)
}
