package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ebb/pipeline/secure"
	"ebb/sinks/delivery"
)

// Config says where alerts are posted, and how. URL, Secrets and Timeout are required.
type Config struct {
	URL     string
	Timeout time.Duration // of one attempt, from the connection to the end of the answer
	Secrets *Secrets
	Headers *Headers            // sent along; nil: none
	TLS     *secure.Credentials // nil: the system's authorities, no certificate of our own
	Agent   string              // User-Agent
}

// Endpoint posts alerts: it implements delivery.Destination.
type Endpoint struct {
	cfg    Config
	client *http.Client
}

var _ delivery.Destination = (*Endpoint)(nil)

// mostLanes is how many connections stay open at most; a lane has one at a time.
const mostLanes = 1000

// idleTimeout closes connections that nothing came through for so long.
const idleTimeout = 90 * time.Second

// Open makes an endpoint. It does not dial.
func Open(cfg Config) (*Endpoint, error) {
	if cfg.URL == "" || cfg.Secrets == nil || cfg.Timeout <= 0 {
		return nil, errors.New("open webhook: url, secrets and timeout are required")
	}
	to, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("open webhook: %w", err)
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		IdleConnTimeout:     idleTimeout,
		MaxIdleConnsPerHost: mostLanes,
	}
	if cfg.TLS != nil {
		transport.TLSClientConfig = cfg.TLS.TLS(to.Hostname()) // through a proxy
		transport.DialTLSContext = dialTLS(cfg.TLS)
	}
	return &Endpoint{cfg: cfg, client: &http.Client{
		Transport: transport,
		// a redirect would send the alert, and the headers with it, to another place than the configured one
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// dialTLS connects with the certificates that the files hold by now.
func dialTLS(c *secure.Credentials) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		d := tls.Dialer{Config: c.TLS(host)}
		return d.DialContext(ctx, network, address)
	}
}

// Send implements delivery.Destination: 2xx is success, all else a failure.
func (e *Endpoint) Send(ctx context.Context, a *delivery.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	req, err := e.request(ctx, a, time.Now())
	if err != nil {
		return &delivery.Failure{Class: ClassConnection, Err: err}
	}
	res, err := e.client.Do(req)
	if err != nil {
		return &delivery.Failure{Class: classOf(err), Err: withoutURL(err)}
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, res.Body, longestAnswer) // so that the connection can be used again
		_ = res.Body.Close()
	}()
	if res.StatusCode/100 == 2 {
		return nil
	}
	return &delivery.Failure{
		Class: classOfStatus(res.StatusCode), After: retryAfter(res.Header, time.Now()),
		Err: fmt.Errorf("the endpoint answers %s", res.Status),
	}
}

// withoutURL is why a request failed. Its URL, which may hold a token, stays out of logs.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// longestAnswer is how much of an answer's body is read: nothing in it matters.
const longestAnswer = 64 << 10

// request is one attempt, signed as of now with every secret.
func (e *Endpoint) request(ctx context.Context, a *delivery.Alert, now time.Time) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.URL, bytes.NewReader(a.Body))
	if err != nil {
		return nil, err
	}
	if e.cfg.Headers != nil {
		req.Header = e.cfg.Headers.current()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", e.cfg.Agent)
	signature, err := e.cfg.Secrets.sign(a.ID, now, a.Body)
	if err != nil {
		return nil, err
	}
	req.Header.Set(standardwebhooks.HeaderWebhookID, a.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return req, nil
}

// Close closes the idle connections.
func (e *Endpoint) Close() { e.client.CloseIdleConnections() }
