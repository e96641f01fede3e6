package kafkawire

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
)

// Pauses between two attempts. The first is short because a transaction's markers take a millisecond or two.
const (
	firstPause = time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// ask sends req until it is neither refused for a reason that passes (see Error.comeAgain) nor out of time, and returns
// its answer and the code in it as an error. code finds the code in an answer. A lost answer ends it.
func (c *Client) ask(
	ctx context.Context,
	to Route,
	req kmsg.Request,
	code func(kmsg.Response) int16,
) (kmsg.Response, error) {
	return repeat(
		ctx,
		c,
		c.timeout,
		func(ctx context.Context) (kmsg.Response, error) { return c.once(ctx, to, req, code) },
		refused,
	)
}

// askSafe is ask for requests that do no harm when they take effect twice: a lost answer is asked for again.
func (c *Client) askSafe(
	ctx context.Context,
	to Route,
	req kmsg.Request,
	code func(kmsg.Response) int16,
) (kmsg.Response, error) {
	return repeat(
		ctx,
		c,
		c.timeout,
		func(ctx context.Context) (kmsg.Response, error) { return c.once(ctx, to, req, code) },
		refusedOrLost,
	)
}

func (c *Client) once(
	ctx context.Context,
	to Route,
	req kmsg.Request,
	code func(kmsg.Response) int16,
) (kmsg.Response, error) {
	answer, err := c.Request(ctx, to, req)
	if err != nil {
		return nil, err
	}
	if err := asError(code(answer)); err != nil {
		c.forgetIfMoved(to, err)
		return answer, err
	}
	return answer, nil
}

// repeat calls attempt until again says no, with growing pauses, within the time allowed. Where that ends in the middle
// of an attempt, what came of the one before says more than that time was up.
func repeat[T any](
	ctx context.Context,
	c *Client,
	within time.Duration,
	attempt func(context.Context) (T, error),
	again func(error) bool,
) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var lost error // what the latest attempt without an answer came to
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		answer, err := attempt(ctx)
		switch {
		case lost != nil && ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
			err = lost
		case unanswered(err):
			lost = err
		}
		if err == nil || !again(err) || !sleep(ctx, pause) {
			return answer, err
		}
		if misled(err) {
			c.refresh(ctx)
		}
	}
}

// unanswered reports whether err says that no answer came, and nothing that a broker said.
func unanswered(err error) bool {
	_, answered := errors.AsType[Error](err)
	return !answered && errors.Is(err, pipeline.ErrUnavailable)
}

// misled reports whether err may come of an outdated picture of the cluster.
func misled(err error) bool {
	var code Error
	if !errors.As(err, &code) {
		return true // a broken connection
	}
	switch code {
	case UnknownTopicOrPartition, LeaderNotAvailable, NotLeader, BrokerNotAvailable, NotController, FencedLeaderEpoch:
		return true
	default:
		return false
	}
}

// forgetIfMoved drops a coordinator that says it is none.
func (c *Client) forgetIfMoved(to Route, err error) {
	if errors.Is(err, NotCoordinator) || errors.Is(err, CoordinatorNotAvailable) {
		c.forget(to)
	}
}

func refused(err error) bool {
	var code Error
	return errors.As(err, &code) && code.comeAgain()
}

func refusedOrLost(err error) bool { return refused(err) || unanswered(err) && !isDenied(err) }

// sleep waits for d and reports whether the context lived so long.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
