package worker

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"ebb/pipeline"
)

// outbound is what a worker keeps of publishing from one ownership to the next. A takeover alone proves nothing: the
// publication that follows may fail each time.
type outbound struct {
	pace    pace
	emptyAt time.Time               // since when something may have waited in the outbox
	failing atomic.Pointer[failing] // nil: the latest publication succeeded
}

// failing is a publication that failed, and has not succeeded since.
type failing struct {
	since time.Time // when the first one began
	err   error     // the latest one
}

// found notes what a takeover found in the outbox. Where all is published, a publication that seemed to fail did not, and
// none follows that would show it.
func (o *outbound) found(now time.Time, s *pipeline.Standing) {
	if len(s.Outbox) == 0 && !s.Lagging() {
		o.failing.Store(nil)
	}
	switch {
	case len(s.Outbox) == 0:
		o.emptyAt = now
	case o.emptyAt.IsZero() && s.Mark.Wall > 0:
		o.emptyAt = time.UnixMilli(s.Mark.Wall)
	case o.emptyAt.IsZero():
		o.emptyAt = now
	}
}

// emptied notes that all that was in the outbox at an instant is published. While alerts come all the time the outbox is
// never seen empty.
func (o *outbound) emptied(at time.Time) {
	if at.After(o.emptyAt) {
		o.emptyAt = at
	}
}

// age is for how long something has waited in the outbox.
func (o *outbound) age(now time.Time, unpublished int) time.Duration {
	if unpublished == 0 || o.emptyAt.IsZero() {
		o.emptyAt = now
	}
	return now.Sub(o.emptyAt)
}

// published notes how a publication of so much ended.
func (o *outbound) published(now time.Time, v pipeline.Volume, took time.Duration, err error) {
	switch {
	case err == nil:
		o.pace.succeeded(v, took)
		o.failing.Store(nil)
	case errors.Is(err, pipeline.ErrFenced) && took < slowly:
		// of an owner that was replaced, which says nothing of the brokers; they fence a producer also where its transaction
		// took longer than its timeout
	default:
		o.pace.failed(v)
		f := &failing{since: now.Add(-took), err: err}
		if before := o.failing.Load(); before != nil {
			f.since = before.since
		}
		o.failing.Store(f)
	}
}

// reason says for how long nothing could be published, and why, with what to do; empty: something was, or has not
// failed for as long as a broker takes to come back.
func (o *outbound) reason(now time.Time) (found, do string) {
	f := o.failing.Load()
	if f == nil || now.Sub(f.since) < requestTimeout {
		return "", ""
	}
	found, do = pipeline.Remedy(f.err)
	return fmt.Sprintf("for %v, nothing could be published: %s", now.Sub(f.since).Round(time.Second), found), do
}
