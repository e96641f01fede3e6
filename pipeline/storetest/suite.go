package storetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ebb/pipeline"
)

// Harness is one partition, empty at the start, of the store under test.
type Harness struct {
	// Open returns a new handle on it, like that of another process.
	Open func(t *testing.T) pipeline.Store
	// Cut breaks every connection that handles hold.
	Cut func(t *testing.T)
	// Copy takes a copy of the partition; the returned function puts the copy back, like a failover to a replica that
	// lagged.
	Copy func(t *testing.T) (restore func())
}

// Run tests a store against the contract of [pipeline.Store]. fresh returns another empty partition at each call.
func Run(t *testing.T, fresh func(t *testing.T) Harness) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"claim of an empty partition", emptyClaim},
		{"commit before a claim is fenced", unclaimed},
		{"claim without a commit leaves no meta", claimAlone},
		{"claim fences the earlier owner", claimFences},
		{"fenced once, fenced until the next claim", fencedForGood},
		{"chain of commits", chain},
		{"a commit must follow the last one", wrongPrevious},
		{"a refused commit changes nothing", refusedIsInvisible},
		{"an offset that comes round again does not open the fence", tokenABA},
		{"two owners in turn", interleaved},
		{"outbox is dropped from the front, then appended to", outboxOrder},
		{"due buckets are appended to and swept", dueBuckets},
		{"what is absent loads as nil", absent},
		{"keys and values of any bytes", anyBytes},
		{"removed profiles", removed},
		{"packs are kept for good", packsKept},
		{"a big commit", bigCommit},
		{"meta comes back exactly", metaRoundTrip},
		{"slices of a commit are not kept", slicesNotKept},
		{"closed and opened again", reopened},
		{"connection lost between commits", connectionLost},
		{"rolled back to an older copy", rolledBack},
		{"load beside a commit", loadBesideCommit},
		{"owners that compete at the same time", competing},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, fresh(t)) })
	}
	t.Run("model", func(t *testing.T) { model(t, fresh) })
}

// owner is a handle together with the token its next commit must follow.
type owner struct {
	pipeline.Store
	t    *testing.T
	last pipeline.Token
}

// token returns a token that no other call in this test returns for another n.
func token(n int) (tok pipeline.Token) {
	binary.BigEndian.PutUint64(tok[8:], uint64(n))
	tok[0] = 0xA5
	return tok
}

func open(t *testing.T, h Harness) *owner {
	t.Helper()
	s := h.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &owner{Store: s, t: t}
}

// claim takes the partition over with token n.
func (o *owner) claim(n int) pipeline.State {
	o.t.Helper()
	s, err := o.Claim(o.t.Context(), token(n))
	if err != nil {
		o.t.Fatalf("claim %d: %v", n, err)
	}
	o.last = token(n)
	return s
}

// commit sends c on top of the owner's last token, as token n with next offset n.
func (o *owner) commit(n int, c pipeline.Commit) error {
	c.Previous, c.Token = o.last, token(n)
	c.Meta.Version, c.Meta.Next = pipeline.MetaVersion, int64(n)
	err := o.Commit(o.t.Context(), &c)
	if err == nil {
		o.last = c.Token
	}
	return err
}

func (o *owner) mustCommit(n int, c pipeline.Commit) {
	o.t.Helper()
	if err := o.commit(n, c); err != nil {
		o.t.Fatalf("commit %d: %v", n, err)
	}
}

// wantErr tries an otherwise harmless commit and fails the test unless it returns target.
func (o *owner) wantErr(n int, target error) {
	o.t.Helper()
	if err := o.commit(n, put("intruder", "x")); !errors.Is(err, target) {
		o.t.Fatalf("commit %d: got error %v, want %v", n, err, target)
	}
}

// profile loads one profile; nil: there is none.
func (o *owner) profile(key string) []byte {
	o.t.Helper()
	l := pipeline.Load{Keys: [][]byte{[]byte(key)}}
	o.load(&l)
	return l.Profiles[0]
}

// bucket loads one due bucket; nil: there is none.
func (o *owner) bucket(n int64) []byte {
	o.t.Helper()
	l := pipeline.Load{Buckets: []int64{n}}
	o.load(&l)
	return l.Due[0]
}

func (o *owner) load(l *pipeline.Load) {
	o.t.Helper()
	if err := o.Load(o.t.Context(), l); err != nil {
		o.t.Fatalf("load: %v", err)
	}
	if len(l.Profiles) != len(l.Keys) || len(l.Due) != len(l.Buckets) {
		o.t.Fatalf("load of %d keys and %d buckets answered %d and %d",
			len(l.Keys), len(l.Buckets), len(l.Profiles), len(l.Due))
	}
}

// put is a commit that writes one profile.
func put(key, profile string) pipeline.Commit {
	return pipeline.Commit{Keys: bytesOf(key), Profiles: bytesOf(profile)}
}

// due is a commit's addition to one bucket.
func due(bucket int64, entries string) pipeline.DueEntries {
	return pipeline.DueEntries{Bucket: bucket, Entries: []byte(entries)}
}

func bytesOf(values ...string) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = []byte(v)
	}
	return out
}

// wantSame compares bytes; nil and empty differ.
func wantSame(t *testing.T, what string, got, want any, options ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, options...); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// wantEqual is wantSame for values that are too large to print.
func wantEqual(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	same := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("%s: got %d values, want %d others", what, len(got), len(want))
	}
}

// equateEmpty makes an outbox without entries equal to none.
func equateEmpty() cmp.Option { return cmpopts.EquateEmpty() }
