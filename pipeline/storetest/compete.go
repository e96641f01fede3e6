package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"ebb/pipeline"
)

// competing lets several owners take the partition from each other without pause. With every commit each of them adds
// one to a counter and one entry to the outbox, based on what it loaded after its claim. In the end the counter must
// equal the number of commits that were reported as applied.
func competing(t *testing.T, h Harness) {
	const owners, commits = 4, 200
	var applied, tokens atomic.Int64
	var running sync.WaitGroup
	for range owners {
		s := h.Open(t)
		running.Go(func() {
			for applied.Load() < commits {
				if err := count(t, s, &applied, &tokens); err != nil {
					t.Error(err)
					break
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	o := open(t, h)
	state := o.claim(int(tokens.Add(1)))
	want := applied.Load()
	wantSame(t, "counter", string(o.profile("counter")), strconv.FormatInt(want, 10))
	wantSame(t, "next", state.Meta.Next, want)
	wantSame(t, "outbox entries", int64(len(state.Outbox)), want)
}

// count claims and commits until another owner comes, at most five times.
func count(t *testing.T, s pipeline.Store, applied, tokens *atomic.Int64) error {
	ctx := t.Context()
	last := token(int(tokens.Add(1)))
	if _, err := s.Claim(ctx, last); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	l := pipeline.Load{Keys: bytesOf("counter")}
	switch err := s.Load(ctx, &l); {
	case errors.Is(err, pipeline.ErrFenced):
		return nil
	case err != nil:
		return fmt.Errorf("load: %w", err)
	}
	n := 0
	if l.Profiles[0] != nil {
		var err error
		if n, err = strconv.Atoi(string(l.Profiles[0])); err != nil {
			return err
		}
	}
	for range 5 {
		n++
		c := put("counter", strconv.Itoa(n))
		c.Previous, c.Token, c.Outbox = last, token(int(tokens.Add(1))), bytesOf("entry")
		c.Meta.Version, c.Meta.Next = pipeline.MetaVersion, int64(n)
		switch err := s.Commit(ctx, &c); {
		case errors.Is(err, pipeline.ErrFenced):
			return nil
		case err != nil:
			return fmt.Errorf("commit: %w", err)
		}
		applied.Add(1)
		last = c.Token
	}
	return nil
}
