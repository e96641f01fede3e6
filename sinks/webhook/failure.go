package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"ebb/pipeline"
	"ebb/sinks/delivery"
)

// Classes of failures, for metrics.
const (
	ClassTimeout    = "timeout"                // no answer within the time for one attempt
	ClassConnection = delivery.ClassConnection // refused, reset, unknown host
	ClassTLS        = "tls"                    // the handshake failed
	ClassRedirect   = "status_3xx"             // which is not followed
	ClassRefused    = "status_4xx"             // all others of 400 to 499
	ClassThrottled  = "status_429"
	ClassServer     = "status_5xx"
	ClassOther      = "status_other"
)

// Classes are all of them.
func Classes() []string {
	return []string{
		ClassTimeout, ClassConnection, ClassTLS, ClassRedirect, ClassRefused, ClassThrottled, ClassServer, ClassOther,
	}
}

// classOf is the class of a request without an answer.
func classOf(err error) string {
	var timeout net.Error
	var denied *pipeline.Denied
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ClassTimeout
	case errors.As(err, &denied), errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return ClassTLS
	}
	return ClassConnection
}

func classOfStatus(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return ClassThrottled
	case status/100 == 3:
		return ClassRedirect
	case status/100 == 4:
		return ClassRefused
	case status/100 == 5:
		return ClassServer
	}
	return ClassOther
}

// retryAfter is how long an answer asks to wait, in seconds or until a time; 0: it does not, or in the past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
