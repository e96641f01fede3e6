package secure_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/secure"
)

// source is a Kafka whose files are on disk.
func source() secure.Source {
	return secure.Source{
		Server:   "Kafka",
		Keys:     secure.Keys{TLS: "kafka.tls.", Login: "kafka.sasl.", Addresses: "kafka.brokers"},
		ReadFile: os.ReadFile,
	}
}

func open(t *testing.T, src secure.Source) *secure.Credentials {
	t.Helper()
	c, problems := secure.Open(src)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordFollowsItsFile(t *testing.T) {
	file := t.TempDir() + "/password"
	write(t, file, "first\n")
	src := source()
	src.Username, src.PasswordFile = "ann", file
	c := open(t, src)
	var log bytes.Buffer
	c.LogTo(zerolog.New(&log))
	for _, step := range []struct{ file, want string }{
		{
			"first\n",
			"first",
		}, {"second", "second"}, {"", "second"}, {"", "second"}, {"a\nb\n", "second"}, {"third\r\n", "third"},
	} {
		write(t, file, step.file)
		user, password := c.Login()
		if diff := cmp.Diff([]string{"ann", step.want}, []string{user, password}); diff != "" {
			t.Errorf("file %q (-want +got):\n%s", step.file, diff)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, password := c.Login(); password != "third" {
		t.Errorf("without its file the password is %q", password)
	}
	if got := strings.Count(log.String(), "changed file read"); got != 2 {
		t.Errorf("%d changes in the log, want 2:\n%s", got, log.String())
	}
	if got := strings.Count(log.String(), "cannot be used"); got != 3 {
		t.Errorf("%d complaints in the log, want one for each kind (empty, two lines, missing):\n%s", got, log.String())
	}
	for _, secret := range []string{`"first`, `"second`, `"third`} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds the password:\n%s", log.String())
		}
	}
}

func TestProblemsAtTheStart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/text", "no PEM")
	src := source()
	src.TLS, src.CAFile, src.CertFile, src.KeyFile, src.PasswordFile = true, dir+"/text", dir+"/text", dir+"/away", dir+"/away"
	_, problems := secure.Open(src)
	var got []string
	for _, p := range problems {
		got = append(got, p.Key+": "+strings.ReplaceAll(p.Text, dir+"/", ""))
	}
	want := []string{
		"kafka.tls.ca_file: text holds no certificate in PEM form",
		"kafka.tls.cert_file: away, its key, cannot be read: no such file or directory",
		"kafka.sasl.password_file: away cannot be read: no such file or directory",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// tlsServer answers every byte with the same byte, and reports the client certificates.
func tlsServer(t *testing.T, config *tls.Config) (address string, seen <-chan string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	subjects := make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				server := conn.(*tls.Conn)
				if server.Handshake() != nil {
					return
				}
				for _, c := range server.ConnectionState().PeerCertificates {
					subjects <- c.Subject.CommonName
				}
				b := make([]byte, 1)
				for {
					if _, err := conn.Read(b); err != nil {
						return
					}
					if _, err := conn.Write(b); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), subjects
}

// echo sends bytes and fails the test unless some of them come back.
func echo(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write(make([]byte, 64)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 64))
	return err
}

// reach dials once and exchanges a byte.
func reach(t *testing.T, d *secure.Dialer, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := d.Dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	return echo(conn)
}

func TestCertificateFollowsItsFiles(t *testing.T) {
	ca := authority.New(t)
	for _, name := range []string{"server", "old", "new"} {
		ca.Issue(t, name)
	}
	address, seen := tlsServer(t, ca.Server(t, "server", true))
	use := func(name string) {
		for _, kind := range []string{".pem", ".key"} {
			text, err := os.ReadFile(ca.Path(name + kind))
			if err != nil {
				t.Fatal(err)
			}
			write(t, ca.Path("ebb"+kind), string(text))
		}
	}
	use("old")
	src := source()
	src.TLS, src.CAFile, src.CertFile, src.KeyFile = true, ca.Path("ca.pem"), ca.Path("ebb.pem"), ca.Path("ebb.key")
	c := open(t, src)
	var log bytes.Buffer
	c.LogTo(zerolog.New(&log))
	d := secure.NewDialer(c, nil, nil)
	shows := func(want string) {
		t.Helper()
		if err := reach(t, d, address); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != want {
			t.Errorf("showed the certificate of %q, want %q", got, want)
		}
	}
	shows("old")
	write(t, ca.Path("ebb.pem"), "half written")
	shows("old")
	shows("old")
	use("new")
	shows("new")
	complaints, changes := strings.Count(
		log.String(),
		"cannot be used",
	), strings.Count(
		log.String(),
		"changed file read",
	)
	if complaints != 1 || changes != 1 {
		t.Errorf("%d complaints and %d changes, want one of each:\n%s", complaints, changes, log.String())
	}

	other := authority.New(t)
	text, err := os.ReadFile(other.Path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, ca.Path("ca.pem"), string(text))
	if err := reach(t, d, address); !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("with another authority: %v", err)
	}
}

func TestFollowSpeaksByItself(t *testing.T) {
	file := t.TempDir() + "/password"
	write(t, file, "first")
	src := source()
	src.PasswordFile = file
	c := open(t, src)
	said := make(chan string, 10)
	c.LogTo(zerolog.New(writerFunc(func(b []byte) { said <- string(b) })))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Follow(ctx, time.Millisecond)
	}()
	write(t, file, "second")
	for { // a read between the opening and the writing of the file finds it empty
		line := <-said
		if strings.Contains(line, "changed file read") {
			break
		}
	}
	cancel()
	<-done
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
