package webhook_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ebb/pipeline/secure"
	"ebb/sinks/delivery"
	"ebb/sinks/webhook"
)

// secret is that of the standard's own examples.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// secretOf is another one.
func secretOf(fill string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32)))
}

func write(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func secrets(t testing.TB, lines ...string) *webhook.Secrets {
	t.Helper()
	s, err := webhook.OpenSecrets(write(t, "secrets", strings.Join(lines, "\n")), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, cfg webhook.Config) *webhook.Endpoint {
	t.Helper()
	if cfg.Secrets == nil {
		cfg.Secrets = secrets(t, secret)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	cfg.Agent = "ebb/test"
	e, err := webhook.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func sample() *delivery.Alert {
	return &delivery.Alert{
		ID:   "560ec4ef88c6f5c92c8cdb8287e05925",
		Body: []byte(`{"id":"560ec4ef88c6f5c92c8cdb8287e05925"}`),
	}
}

// failure is the failure that Send has to return.
func failure(t *testing.T, err error) *delivery.Failure {
	t.Helper()
	f, ok := errors.AsType[*delivery.Failure](err)
	if !ok {
		t.Fatalf("%v is no failure", err)
	}
	return f
}

// TestRequestIsSigned: the reference library accepts what is sent, under each of the secrets, and nothing else.
func TestRequestIsSigned(t *testing.T) {
	other := secretOf("b")
	var bodies [][]byte
	var sent []http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies, sent = append(bodies, body), append(sent, r.Header)
	}))
	defer server.Close()
	headers, err := webhook.OpenHeaders(
		write(t, "headers", "# for the gateway\nAuthorization: Bearer x\n\nx-shop:  acme \n"),
		zerolog.Nop(),
	)
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, webhook.Config{URL: server.URL, Secrets: secrets(t, "# new", other, "", secret), Headers: headers})
	for range 2 {
		if err := e.Send(t.Context(), sample()); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range sent {
		for name, want := range map[string]string{
			"webhook-id": sample().ID, "content-type": "application/json", "user-agent": "ebb/test",
			"authorization": "Bearer x", "x-shop": "acme",
		} {
			if got := h.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("request %d: %s is %q, want %q", i, name, got, want)
			}
		}
		if string(bodies[i]) != string(sample().Body) {
			t.Errorf("request %d has the body %s", i, bodies[i])
		}
		for s, want := range map[string]bool{secret: true, other: true, secretOf("c"): false} {
			verifier, err := standardwebhooks.NewWebhook(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify(bodies[i], h); (err == nil) != want {
				t.Errorf("request %d verified with %s: %v", i, s, err)
			}
		}
	}
}

// TestPublishedVector: a signature that the standard publishes.
func TestPublishedVector(t *testing.T) {
	got, err := secrets(t, secret).Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0),
		[]byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("signature %s, %v, want %s", got, err, want)
	}
}

// TestAnswers: 2xx is success, all else a failure of some class; Retry-After is read in both of its forms.
func TestAnswers(t *testing.T) {
	var status int
	var after string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hook" {
			t.Errorf("%s is asked", r.URL)
		}
		w.Header().Set("Location", "/elsewhere")
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	e := open(t, webhook.Config{URL: server.URL + "/hook"})
	for _, c := range []struct {
		status int
		after  string
		class  string
		wait   time.Duration
	}{
		{200, "", "", 0},
		{204, "9", "", 0},
		{299, "", "", 0},
		{301, "", webhook.ClassRedirect, 0},
		{307, "", webhook.ClassRedirect, 0},
		{400, "", webhook.ClassRefused, 0},
		{404, "", webhook.ClassRefused, 0},
		{410, "", webhook.ClassRefused, 0},
		{429, "17", webhook.ClassThrottled, 17 * time.Second},
		{500, "", webhook.ClassServer, 0},
		{503, "120", webhook.ClassServer, 2 * time.Minute},
		{503, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), webhook.ClassServer, time.Hour},
		{503, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), webhook.ClassServer, 0},
		{503, "-3", webhook.ClassServer, 0},
		{503, "soon", webhook.ClassServer, 0},
		{503, "99999999999999999999", webhook.ClassServer, 0},
	} {
		status, after = c.status, c.after
		err := e.Send(t.Context(), sample())
		if c.class == "" {
			if err != nil {
				t.Errorf("%d: %v", c.status, err)
			}
			continue
		}
		f := failure(t, err)
		if f.Class != c.class || (f.After-c.wait).Abs() > 2*time.Second {
			t.Errorf("%d, Retry-After %q: class %s, after %v; want %s, %v", c.status, c.after, f.Class, f.After, c.class, c.wait)
		}
	}
}

// TestNoAnswer: what keeps an answer from coming has its class, and the URL, which may hold a token, is not told.
func TestNoAnswer(t *testing.T) {
	hangs := make(chan bool)
	mute := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }))
	defer mute.Close()
	defer close(hangs)
	rude := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}))
	defer rude.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for url, class := range map[string]string{
		mute.URL:                           webhook.ClassTimeout,
		rude.URL:                           webhook.ClassConnection,
		"http://" + closed.Addr().String(): webhook.ClassConnection,
		untrusted.URL:                      webhook.ClassTLS,
		"https://" + rude.Listener.Addr().String(): webhook.ClassConnection,
	} {
		within := 5 * time.Second
		if class == webhook.ClassTimeout {
			within = 200 * time.Millisecond
		}
		e := open(t, webhook.Config{URL: url + "/?token=hush", Timeout: within})
		err := e.Send(t.Context(), sample())
		if f := failure(t, err); f.Class != class || strings.Contains(f.Error(), "hush") {
			t.Errorf("%s: %v, want %s", url, f, class)
		}
	}
}

// TestTLSOfFiles: the authority and our own certificate are those of the files.
func TestTLSOfFiles(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	credentials, problems := secure.Open(secure.Source{
		TLS: true, CAFile: write(t, "ca.pem", string(authority)), ReadFile: os.ReadFile,
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	e := open(t, webhook.Config{URL: server.URL, TLS: credentials})
	if err := e.Send(t.Context(), sample()); err != nil {
		t.Error(err)
	}
}

// TestConnectionsAreReused, whatever the endpoint answers.
func TestConnectionsAreReused(t *testing.T) {
	var made, asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(make([]byte, 20_000))
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	e := open(t, webhook.Config{URL: server.URL})
	for range 20 {
		_ = e.Send(t.Context(), sample())
	}
	if made.Load() != 1 || asked.Load() != 20 {
		t.Errorf("%d connections for %d requests", made.Load(), asked.Load())
	}
}

// TestSendEndsWithItsContext: a partition that is lost sends nothing more.
func TestSendEndsWithItsContext(t *testing.T) {
	asked, hangs := make(chan bool), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- true
		<-hangs
	}))
	defer server.Close()
	defer close(hangs)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if err := open(t, webhook.Config{URL: server.URL}).Send(ctx, sample()); !errors.Is(err, context.Canceled) {
		t.Errorf("send: %v", err)
	}
}

// TestSecretsAndHeadersAreChecked: what cannot be used is refused, without a word of it.
func TestSecretsAndHeadersAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "no secret",
		"# nothing":                        "no secret",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "line 1",
		secret + "\nwhsec_!!":              "line 2",
		"whsec_aHVzaA==":                   "line 1", // 4 bytes
		secretOf("abc"):                    "line 1", // 96 bytes
		strings.Repeat(secret+"\n", 11):    "at most 10",
	} {
		_, err := webhook.OpenSecrets(write(t, "secrets", text), zerolog.Nop())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "aHVz") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"webhook-id: 7":        "is set by ebb",
		"Host: other":          "is set by ebb",
		"Authorization":        "one header a line",
		"A: hush\x00":          "one header a line",
		"Author ization: hush": "one header a line",
	} {
		_, err := webhook.OpenHeaders(write(t, "headers", text), zerolog.Nop())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := webhook.OpenSecrets(filepath.Join(t.TempDir(), "none"), zerolog.Nop()); err == nil {
		t.Error("a missing file is accepted")
	}
}

// TestSecretsRotate: a changed file is used by the next requests; one that cannot be used changes nothing, and is said
// once.
func TestSecretsRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := write(t, "secrets", secret)
		var said strings.Builder
		s, err := webhook.OpenSecrets(path, zerolog.New(&said))
		if err != nil {
			t.Fatal(err)
		}
		sign := func() string {
			<-time.After(6 * time.Second)
			signature, err := s.Sign("a", time.Unix(0, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			return signature
		}
		before := sign()
		for text, want := range map[string]bool{secretOf("b") + "\n" + secret: true, "whsec_": false} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			after := sign()
			if sign() != after {
				t.Error("the same secrets sign differently")
			}
			if want && (strings.Count(after, "v1,") != 2 || !strings.HasSuffix(after, " "+before)) {
				t.Errorf("after the change the signature is %s", after)
			}
		}
		if n := strings.Count(said.String(), "cannot be used"); n != 1 {
			t.Errorf("told %d times:\n%s", n, said.String())
		}
	})
}
