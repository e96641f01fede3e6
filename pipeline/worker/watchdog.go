package worker

import (
	"context"
	"fmt"
	"time"
)

// stallAfter is how long a partition may neither move nor show that there is nothing to do. The timeouts of all
// requests are shorter, so that waiting for a service does not count as a stall.
const stallAfter = 30 * time.Second

// Progress is how far a running worker is, as of At.
type Progress struct {
	At          time.Time // refreshed several times a second: if it is older than seconds, the worker's loop does not turn
	Proof       time.Time // when it last moved, or found nothing to do
	Next        int64     // offset of the next record to fold
	End, Stable int64     // of the log, as of the latest answer; records between lie in open transactions
	Told        bool      // of End and Stable; false: no fetch has been answered yet
	Throttled   bool      // the latest fetch brought nothing but a delay
	Unpublished int       // outbox entries
	Published   int64     // offset of the published position
	Committed   bool      // the store holds a commit of the partition, or it lost it

	Stalled []string       // names of the sources of events that are stalled; an empty one is of events that name none
	Held    map[string]int // raises that are held, by reason

	Silences []string // ids of those in force

	Waiting    time.Duration // how long the oldest outbox entry has waited at most
	Publishing time.Duration // how long the latest publication took, or the next one has taken by now
}

// Lag is the number of records in the log that have not been folded; 0 where nothing is known of the log's end.
func (p *Progress) Lag() int64 { return max(0, p.End-p.Next) }

// Progress is how far the worker is; the zero value before its first run.
func (w *Worker) Progress() Progress {
	if p := w.progress.Load(); p != nil {
		return *p
	}
	return Progress{}
}

// Hung is for how long the loop of a worker at work has not turned. It is 0 where no loop has to turn: during a takeover,
// while a service does not answer, whatever is stalled by that, and at the end.
func (w *Worker) Hung(now time.Time) time.Duration {
	if w.status.Load().Phase != Running {
		return 0
	}
	return now.Sub(w.Progress().At)
}

// tooSlow is how long one publication takes if a quota lets next to nothing through. Under a larger quota publications
// shrink until they take half of that; see pace.
const tooSlow = requestTimeout / 2

// raise is what ends a stall by a quota, which is set for a user or a client id.
const raise = "raise it (kafka-configs.sh --entity-type clients --entity-name ebb, or users): ebb goes on by itself"

// stalled is what keeps a running worker from moving, and what to do; empty while it moves, or has nothing to do.
func (w *Worker) stalled(now time.Time) (found, do string) {
	p := w.Progress()
	since := now.Sub(p.Proof).Round(time.Second)
	switch {
	case p.Unpublished > 0 && p.Waiting >= stallAfter && p.Publishing >= tooSlow:
		return fmt.Sprintf(
			"for %v, %d alerts and other entries of the outbox have waited: a quota of the brokers (producer_byte_rate) lets "+
				"a few through in %v",
			p.Waiting.Round(time.Second), p.Unpublished, p.Publishing.Round(time.Second),
		), raise
	case p.Proof.IsZero() || now.Sub(p.Proof) < stallAfter:
		return "", ""
	case now.Sub(p.At) >= stallAfter:
		return fmt.Sprintf("its loop has not turned for %v", now.Sub(p.At).Round(time.Second)), ""
	case p.Throttled:
		return fmt.Sprintf(
			"for %v, a quota of the brokers (consumer_byte_rate, request_percentage) has let nothing through from offset %d of %d",
			since,
			p.Next,
			p.End,
		), raise
	case p.Stable < p.End && p.Next >= p.Stable:
		return fmt.Sprintf(
			"for %v, records from %d to %d of the input have been held up by a producer's open transaction",
			since,
			p.Stable,
			p.End,
		), ""
	}
	return fmt.Sprintf(
		"for %v, nothing has moved at offset %d of %d, %d outbox entries unpublished",
		since,
		p.Next,
		p.End,
		p.Unpublished,
	), ""
}

// watch logs when the partition stalls, and when it moves again, until ctx ends.
func (w *Worker) watch(ctx context.Context) {
	tick := time.NewTicker(stallAfter / 10)
	defer tick.Stop()
	was := Running
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.cfg.Metrics.stall(w.cfg.Line.Identity.Partition, false)
			return
		}
		s := w.Status()
		switch {
		case s.Phase == Stalled && was != Stalled:
			line := w.cfg.Logger.Warn().Str("found", s.Reason)
			if s.Do != "" {
				line.Str("do", s.Do)
			}
			line.Msg("partition stalled")
		case s.Phase == Running && was == Stalled:
			w.cfg.Logger.Info().Msg("partition moves again")
		}
		w.cfg.Metrics.stall(w.cfg.Line.Identity.Partition, s.Phase == Stalled)
		was = s.Phase
	}
}
