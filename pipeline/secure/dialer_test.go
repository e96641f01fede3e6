package secure_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/secure"
	"ebb/scoring/scoringtest/golden"
)

// TestWordsOfARefusal covers each way in which certificates do not fit, and shows the messages:
// testdata/refusals.golden is made to be read.
func TestWordsOfARefusal(t *testing.T) {
	ca, other := authority.New(t), authority.New(t)
	for _, name := range []string{"server", "ebb"} {
		ca.Issue(t, name)
	}
	other.Issue(t, "ebb")
	expired := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if expired.After(time.Now()) {
		expired = time.Now().Add(-time.Hour)
	}
	ca.IssueUntil(t, "expired", "server", expired)
	ca.IssueUntil(t, "ebb-expired", "ebb", expired)
	ca.IssueElsewhere(t, "elsewhere", "kafka.example.org")

	trusting := func(change func(*secure.Source)) secure.Source {
		src := source()
		src.TLS, src.CAFile = true, ca.Path("ca.pem")
		if change != nil {
			change(&src)
		}
		return src
	}
	showing := func(a *authority.Authority, file string) secure.Source {
		return trusting(func(s *secure.Source) { s.CertFile, s.KeyFile = a.Path(file+".pem"), a.Path(file+".key") })
	}
	plainText := func(t *testing.T) string { return answering(t, "+no TLS here\r\n") }
	under := func(file string, ask bool, most uint16) func(*testing.T) string {
		return func(t *testing.T) string {
			config := ca.Server(t, file, ask)
			config.MaxVersion = most
			address, _ := tlsServer(t, config)
			return address
		}
	}
	var got strings.Builder
	for _, c := range []struct {
		name   string
		server func(*testing.T) string
		src    secure.Source
		code   string // "": not a refusal
	}{
		{
			"unknown authority",
			under("server", false, 0),
			trusting(func(s *secure.Source) { s.CAFile = other.Path("ca.pem") }),
			secure.CodeUntrusted,
		},
		{
			"authority not named",
			under("server", false, 0),
			trusting(func(s *secure.Source) { s.CAFile = "" }),
			secure.CodeUntrusted,
		},
		{"wrong host name", under("elsewhere", false, 0), trusting(nil), secure.CodeWrongName},
		{
			"wrong server name",
			under("server", false, 0),
			trusting(func(s *secure.Source) { s.ServerName = "b-1.example.org" }),
			secure.CodeWrongName,
		},
		{"expired", under("expired", false, 0), trusting(nil), secure.CodeExpired},
		{"no client certificate", under("server", true, 0), trusting(nil), secure.CodeRefused},
		{"no client certificate, TLS 1.2", under("server", true, tls.VersionTLS12), trusting(nil), secure.CodeRefused},
		{"client certificate of another authority", under("server", true, 0), showing(other, "ebb"), secure.CodeRefused},
		{"expired client certificate", under("server", true, 0), showing(ca, "ebb-expired"), secure.CodeRefused},
		{
			"expired client certificate, TLS 1.2",
			under("server", true, tls.VersionTLS12),
			showing(ca, "ebb-expired"),
			secure.CodeRefused,
		},
		{"plain text at this port", plainText, trusting(nil), secure.CodeMismatch},
		{
			"TLS at this port",
			func(t *testing.T) string { return answering(t, "\x15\x03\x03\x00\x02\x02\x46") },
			source(),
			secure.CodeMismatch,
		},
		{"closed in the handshake", func(t *testing.T) string { return answering(t, "") }, trusting(nil), ""},
		{"closed at the first request", func(t *testing.T) string { return answering(t, "") }, source(), ""},
		{"as it should be", under("server", true, 0), showing(ca, "ebb"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := c.server(t)
			err := reach(t, secure.NewDialer(open(t, c.src), nil, nil), address)
			var denied *pipeline.Denied
			if errors.As(err, &denied) != (c.code != "") ||
				denied != nil && (denied.Code != c.code || !errors.Is(err, pipeline.ErrUnavailable)) {
				t.Errorf("got %v, want code %q", err, c.code)
			}
			said := "let in"
			if err != nil {
				said = err.Error()
			}
			said = strings.NewReplacer(address, "HOST:PORT", ca.Dir+"/", "", other.Dir+"/", "").Replace(said)
			said = regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+Z`).ReplaceAllString(said, "TIME")
			said = regexp.MustCompile(`127\.0\.0\.1:\d+->127\.0\.0\.1:\d+`).ReplaceAllString(said, "A->B")
			fmt.Fprintf(&got, "## %s\n%s\n\n", c.name, said)
		})
	}
	golden.File(t, "refusals.golden", got.String())
}

// answering serves connections that get one answer to any request, and are closed.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 64<<10))
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// silent dials a server that sends nothing unless it gets a request.
func silent(context.Context, string, string) (net.Conn, error) {
	near, _ := net.Pipe()
	return near, nil
}

// sourceOf is a source with a password file, whose content is the present value of password.
func sourceOf(password *string) secure.Source {
	src := source()
	src.PasswordFile = "password"
	src.ReadFile = func(string) ([]byte, error) { return []byte(*password), nil }
	return src
}

// TestRefusalsAreNotStormed dials every 10 ms for an hour and is refused, and counts what reaches the server.
func TestRefusalsAreNotStormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password := "wrong"
		src := sourceOf(&password)
		refusal := &pipeline.Denied{Code: secure.CodeLogin, Detail: "no", Do: "yes"}
		attempts := 0
		d := secure.NewDialer(open(t, src), silent, func(context.Context, net.Conn, string) error {
			attempts++
			if password == "right" {
				return nil
			}
			return refusal
		})
		const hour = 360_000
		for range hour {
			_, err := d.Dial(t.Context(), "tcp", "kafka:9092")
			if !errors.Is(err, refusal) {
				t.Fatalf("got %v", err)
			}
			time.Sleep(10 * time.Millisecond) //nolint:forbidigo // the bubble's clock
		}
		if attempts < 100 || attempts > 300 {
			t.Errorf("%d attempts in an hour, want one every 15 to 45 s", attempts)
		}
		password, attempts = "right", 0
		conn, err := d.Dial(t.Context(), "tcp", "kafka:9092")
		if err != nil || attempts != 1 {
			t.Fatalf("with a changed password: %v after %d attempts", err, attempts)
		}
		_ = conn.Close()
	})
}

// TestRefusedLoginIsNotStormed is the same with a server that answers before it refuses, like Kafka, also one that
// closed connections in the handshake before.
func TestRefusedLoginIsNotStormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := &pipeline.Denied{Code: secure.CodeLogin, Detail: "no", Do: "yes"}
		rude, welcome, attempts := true, false, 0
		d := secure.NewDialer(open(t, source()), func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				if rude {
					_ = far.Close()
					return
				}
				_, _ = far.Write([]byte("which mechanism?"))
			}()
			return near, nil
		}, func(_ context.Context, conn net.Conn, _ string) error {
			attempts++
			if _, err := conn.Read(make([]byte, 64)); err != nil {
				return err
			}
			if welcome {
				return nil
			}
			return refusal
		})
		try := func(times int) (last error) {
			for range times {
				conn, err := d.Dial(t.Context(), "tcp", "kafka:9092")
				if err == nil {
					_ = conn.Close()
				}
				last = err
				time.Sleep(10 * time.Millisecond) //nolint:forbidigo // the bubble's clock
			}
			return last
		}
		if err := try(1); err == nil {
			t.Fatal("let in")
		}
		rude = false
		const minute, hour = 6_000, 360_000
		if err := try(minute); !errors.Is(err, refusal) {
			t.Fatalf("got %v", err)
		}
		attempts = 0
		if err := try(hour); !errors.Is(err, refusal) || attempts < 80 || attempts > 300 {
			t.Errorf("%d attempts in an hour, want one every 15 to 45 s; %v", attempts, err)
		}
		welcome = true
		if err := try(minute); err != nil {
			t.Fatalf("a minute after it lets us in: %v", err)
		}
		attempts = 0
		if err := try(10); err != nil || attempts != 10 {
			t.Errorf("%d of 10 attempts reach a server that lets us in: %v", attempts, err)
		}
	})
}

// TestTwoRefusalsWaitTogether: a client that is refused everywhere, and also at an address, may try again when both
// pauses are over. If each attempt that one of them holds back used up the other's turn, it would hardly ever get
// through.
func TestTwoRefusalsWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := &pipeline.Denied{Code: secure.CodeLogin}
		attempts := 0
		d := secure.NewDialer(open(t, source()), silent, func(context.Context, net.Conn, string) error {
			attempts++
			return refusal
		})
		d.Refused(refusal)
		const hour = 360_000
		for range hour {
			if _, err := d.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, refusal) {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) //nolint:forbidigo // the bubble's clock
		}
		if attempts < 60 || attempts > 300 {
			t.Errorf("%d attempts in an hour", attempts)
		}
	})
}

// TestChangeDuringARefusal: a password that changes while the old one is being refused is tried at once.
func TestChangeDuringARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password := "wrong"
		src := sourceOf(&password)
		refusal := &pipeline.Denied{Code: secure.CodeLogin}
		c := open(t, src)
		d := secure.NewDialer(c, silent, func(context.Context, net.Conn, string) error {
			if _, said := c.Login(); said == "right" {
				return nil
			}
			password = "right"
			return refusal
		})
		if _, err := d.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, refusal) {
			t.Fatal(err)
		}
		if _, err := d.Dial(t.Context(), "tcp", "a:1"); err != nil {
			t.Errorf("held back with the new password: %v", err)
		}
	})
}

// TestRefusalReportedAfterwards holds back all addresses, as the store does when a login is refused.
func TestRefusalReportedAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dialled := 0
		d := secure.NewDialer(open(t, source()), func(context.Context, string, string) (net.Conn, error) {
			dialled++
			near, _ := net.Pipe()
			return near, nil
		}, nil)
		refusal := &pipeline.Denied{Code: secure.CodeLogin}
		for range 100 {
			if _, err := d.Dial(t.Context(), "tcp", "a:1"); err == nil {
				d.Refused(refusal)
			} else if !errors.Is(err, refusal) {
				t.Fatal(err)
			}
			if _, err := d.Dial(t.Context(), "tcp", "b:1"); !errors.Is(err, refusal) {
				t.Fatalf("another address: %v", err)
			}
		}
		if dialled != 1 {
			t.Errorf("dialled %d times", dialled)
		}
		d.Admitted()
		if _, err := d.Dial(t.Context(), "tcp", "b:1"); err != nil {
			t.Errorf("after it was let in: %v", err)
		}
	})
}
