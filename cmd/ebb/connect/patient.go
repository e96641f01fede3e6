package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/secure"
)

// Patiently repeats connect while a service does not answer, as a running process does, so that no supervisor has to
// restart it. waits gets the reason each time, and the log once per change: that of a refusal is the same at every
// address. Errors: those of connect but pipeline.ErrUnavailable, and the context's cause.
func Patiently(
	ctx context.Context,
	log zerolog.Logger,
	connect func(context.Context) error,
	waits func(reason string),
) error {
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(100*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	for said := ""; ; {
		err := connect(ctx)
		if err == nil || !errors.Is(err, pipeline.ErrUnavailable) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		waits(err.Error())
		kind := err.Error()
		if code, _, _, ok := pipeline.Refused(err); ok {
			kind = code
		}
		if kind != said {
			said = kind
			log.Warn().Err(err).EmbedObject(pipeline.Refusal{Err: err}).Msg("cannot start yet, trying again")
		}
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// filesEvery is how often certificates and passwords on disk are looked at, besides before each new connection.
const filesEvery = 10 * time.Second

// FollowFiles logs what becomes of certificates and passwords that change on disk, until ctx ends. A configuration that
// was not loaded has no credentials: nil.
func FollowFiles(ctx context.Context, following *sync.WaitGroup, log zerolog.Logger, all ...*secure.Credentials) {
	for _, c := range all {
		if c == nil {
			continue
		}
		c.LogTo(log)
		following.Go(func() { c.Follow(ctx, filesEvery) })
	}
}
