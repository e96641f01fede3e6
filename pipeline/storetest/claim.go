package storetest

import (
	"testing"

	"ebb/pipeline"
)

func emptyClaim(t *testing.T, h Harness) {
	wantSame(t, "state", open(t, h).claim(1), pipeline.State{}, equateEmpty())
}

func unclaimed(t *testing.T, h Harness) {
	o := open(t, h)
	o.wantErr(1, pipeline.ErrFenced)
	wantSame(t, "state", o.claim(2), pipeline.State{}, equateEmpty())
}

func claimAlone(t *testing.T, h Harness) {
	open(t, h).claim(1)
	wantSame(t, "state", open(t, h).claim(2), pipeline.State{}, equateEmpty())
}

func claimFences(t *testing.T, h Harness) {
	a, b := open(t, h), open(t, h)
	a.claim(1)
	b.claim(2) // no meta yet: the claim alone has to fence
	a.wantErr(3, pipeline.ErrFenced)
	b.mustCommit(4, put("k", "b"))
	a.claim(5)
	b.wantErr(6, pipeline.ErrFenced)
	a.mustCommit(7, put("k", "a"))
	wantSame(t, "profile", a.profile("k"), []byte("a"))
	wantSame(t, "profile of the fenced", a.profile("intruder"), []byte(nil))
}

func fencedForGood(t *testing.T, h Harness) {
	a, b := open(t, h), open(t, h)
	a.claim(1)
	b.claim(2)
	a.wantErr(3, pipeline.ErrFenced)
	a.wantErr(4, pipeline.ErrFenced)
	a.last = token(2) // not even with the right token
	a.wantErr(5, pipeline.ErrFenced)
	b.mustCommit(6, put("k", "b"))
}

func wrongPrevious(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	o.mustCommit(2, put("k", "v"))
	o.last = token(1)
	o.wantErr(3, pipeline.ErrFenced)
	wantSame(t, "next", o.claim(4).Meta.Next, int64(2))
}

func tokenABA(t *testing.T, h Harness) {
	a, b := open(t, h), open(t, h)
	a.claim(1)
	a.mustCommit(2, put("k", "a"))
	b.claim(3)
	c := put("k", "b")
	c.Previous, c.Token, c.Meta = b.last, token(4), pipeline.Meta{Version: pipeline.MetaVersion, Next: 2}
	if err := b.Commit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	a.wantErr(5, pipeline.ErrFenced) // meta is as a left it, except for the token
	wantSame(t, "profile", open(t, h).profile("k"), []byte("b"))
}

func interleaved(t *testing.T, h Harness) {
	owners := [2]*owner{open(t, h), open(t, h)}
	next := int64(0)
	for i := 1; i <= 10; i++ {
		me, other := owners[i%2], owners[(i+1)%2]
		wantSame(t, "next", me.claim(3*i).Meta.Next, next)
		other.wantErr(3*i+1, pipeline.ErrFenced)
		next = int64(3*i + 2)
		me.mustCommit(3*i+2, put("k", "v"))
	}
}

func reopened(t *testing.T, h Harness) {
	first := h.Open(t)
	a := &owner{Store: first, t: t}
	a.claim(1)
	c := put("k", "v")
	c.Outbox, c.Due = bytesOf("entry"), []pipeline.DueEntries{due(7, "due")}
	a.mustCommit(2, c)
	if err := first.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	a.wantErr(3, pipeline.ErrFenced)

	b := open(t, h)
	s := b.claim(4)
	wantSame(t, "exists", s.Exists, true)
	wantSame(t, "next", s.Meta.Next, int64(2))
	wantSame(t, "outbox", s.Outbox, bytesOf("entry"))
	wantSame(t, "profile", b.profile("k"), []byte("v"))
	wantSame(t, "due", b.bucket(7), []byte("due"))
}

func connectionLost(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	o.mustCommit(2, put("k", "v"))
	h.Cut(t)
	o.wantErr(3, pipeline.ErrUnavailable)
	o.wantErr(4, pipeline.ErrUnavailable) // only Claim connects again
	s := o.claim(5)
	wantSame(t, "next", s.Meta.Next, int64(2))
	o.mustCommit(6, put("k", "w"))
	wantSame(t, "profile", o.profile("k"), []byte("w"))
}

func rolledBack(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	c := put("k", "old")
	c.Outbox, c.Due = bytesOf("first"), []pipeline.DueEntries{due(7, "1")}
	o.mustCommit(2, c)
	restore := h.Copy(t)
	c = put("k", "new")
	c.Outbox, c.Dropped, c.Swept = bytesOf("second"), 1, []int64{7}
	o.mustCommit(3, c)
	restore()
	if err := o.commit(4, put("k", "newer")); err == nil {
		t.Fatal("committed on top of a commit that the store has lost")
	}
	s := o.claim(5)
	wantSame(t, "next", s.Meta.Next, int64(2))
	wantSame(t, "outbox", s.Outbox, bytesOf("first"))
	wantSame(t, "profile", o.profile("k"), []byte("old"))
	wantSame(t, "due", o.bucket(7), []byte("1"))
	o.mustCommit(6, put("k", "newer"))
}
