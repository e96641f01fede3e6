package line

import (
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/scoring/alert"
)

// A customer is erased where its record stands in the log (ADR 37). What was due by then is decided before, whoever fires
// it, and published before the record that says so. Then the profile, what is held and all armed deadlines are removed in
// one commit. A salted hash stays in the partition's meta, with a time up to which events of the customer count for
// nothing. A replay erases it at the same place.

// erase removes all that is kept of an event's customer.
func (l *Line) erase(e *pipeline.Event, r *pipeline.Record, c *customer) {
	erasure := pipeline.Erasure{Hash: l.identity.ErasedHash(e.Key), Until: l.eraseUntil(e)}
	if before, again := l.meta.Erased.Until(erasure.Hash); again && erasure.Until <= before {
		l.staged.Tally.Forgotten++
		return
	}
	l.place = place{offset: e.Offset}
	minute := l.meta.Clock.Minute()
	l.fire(c, minute)
	l.empty(c, pipeline.EndErased, minute)
	if c.erased = true; c.stored {
		l.touch(c)
	}
	l.meta.Erased = l.meta.Erased.With(erasure)
	l.erased[string(e.Key)] = struct{}{}
	l.unarmStaged(e.Key)
	l.staged.Tally.Erased++
	l.tellErased(e, pipeline.NewErased(l.identity, e, r, erasure.Until))
}

// eraseUntil is up to when events of a customer count for nothing whom e erases. An erasure moves no watermark, so nobody
// vouches for its clock: it counts up to the broker's, or where it is more than a day ahead, up to the newest event.
func (l *Line) eraseUntil(e *pipeline.Event) int64 {
	newest := l.meta.Clock.Watermark + l.settings.LatenessMillis
	switch {
	case e.AppendTime:
		return min(e.Time, e.Timestamp)
	case l.meta.Clock.Started && e.Time > newest+pipeline.DayMillis:
		return newest
	}
	return e.Time
}

// tellErased publishes that a customer is erased, to consumers, and without its id as a control record, unless both were
// published before the state was rolled back.
func (l *Line) tellErased(e *pipeline.Event, erased pipeline.Erased) {
	told := pipeline.Entry{
		Kind: pipeline.EntryErased, Offset: e.Offset, Due: l.meta.Clock.Fired, Key: e.Key,
		Alert: alert.Alert{Tenant: e.Tenant, Customer: e.Customer, Cause: l.cause(e)},
	}
	told.Alert.At = erased.Until.UnixMilli()
	if l.mark.Covers(&told) {
		l.staged.Tally.withhold(Repeated)
		if l.repeated != nil {
			l.repeated(&told, l.scorer.Pack)
		}
		return
	}
	l.staged.append(&told, nil)
	l.staged.append(&pipeline.Entry{
		Kind: pipeline.EntryControl, Offset: e.Offset, Due: l.meta.Clock.Fired,
		Change: pipeline.Change{Kind: pipeline.ControlErased, Erased: erased},
	}, nil)
}

// wasErased reports whether a customer was erased once.
func (l *Line) wasErased(key []byte) bool {
	if len(l.meta.Erased) == 0 {
		return false
	}
	_, erased := l.meta.Erased.Until(l.identity.ErasedHash(key))
	return erased
}

// forgotten reports, and counts, an event of an erased customer, of up to then.
func (l *Line) forgotten(e *pipeline.Event) bool {
	until, _ := l.meta.Erased.Until(l.identity.ErasedHash(e.Key))
	if e.Time > until {
		return false
	}
	l.staged.Tally.Forgotten++
	return true
}

// wantAll adds to what is loaded the due buckets that are not. An armed minute is a lower bound, and the profile knows only
// the latest, so entries of a customer may lie in any of them.
func (l *Line) wantAll() {
	for _, bucket := range l.meta.Buckets.All() {
		if !slices.Contains(l.want.Buckets[:l.queued], bucket) {
			l.want.Buckets = append(l.want.Buckets, bucket)
		}
	}
}

// soundDue refuses a bucket that is loaded for an erasure, and not by the queue of the sweeps.
func (l *Line) soundDue(i int) error {
	for _, part := range l.stored(i) {
		all := func([]byte) bool { return true }
		if _, _, ok := pipeline.WithoutDue(nil, part, l.want.Buckets[i], all); !ok {
			return fmt.Errorf("due bucket %d is damaged", l.want.Buckets[i])
		}
	}
	return nil
}

// stored is what the store holds of the i-th loaded bucket once the commit before is applied. What that one appended may
// not have been there yet when the bucket was read.
func (l *Line) stored(i int) [][]byte {
	bucket := l.want.Buckets[i]
	if l.other.whole[bucket] {
		return [][]byte{l.other.due[bucket]}
	}
	return [][]byte{l.want.Due[i], l.other.due[bucket]}
}

// unarmStaged removes what the batch has armed so far of a customer.
func (l *Line) unarmStaged(key []byte) {
	for bucket, entries := range l.staged.due {
		rest, found, _ := pipeline.WithoutDue(entries[:0], entries, bucket, func(k []byte) bool {
			return string(k) == string(key)
		})
		if l.staged.due[bucket] = rest; found > 0 && len(rest) == 0 {
			delete(l.staged.due, bucket)
		}
	}
}

// unarm removes what the store holds of deadlines of the customers whom the batch has erased: all of it was armed before.
func (l *Line) unarm() {
	if len(l.erased) == 0 {
		return
	}
	gone := func(key []byte) bool { _, is := l.erased[string(key)]; return is }
	for i, bucket := range l.want.Buckets {
		if slices.Contains(l.staged.Commit.Swept, bucket) {
			continue
		}
		var rest []byte
		found := 0
		for _, part := range l.stored(i) {
			var n int
			var ok bool
			if rest, n, ok = pipeline.WithoutDue(rest, part, bucket, gone); !ok {
				panic(fmt.Sprintf("BUG: due bucket %d was not checked", bucket))
			}
			found += n
		}
		if found > 0 {
			l.staged.replace(bucket, rest)
		}
	}
	clear(l.erased)
}
