package storetest

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"ebb/pipeline"
)

func chain(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	for i := 2; i <= 20; i++ {
		o.mustCommit(i, put(fmt.Sprint("k", i%3), fmt.Sprint("v", i)))
	}
	wantSame(t, "next", o.claim(21).Meta.Next, int64(20))
	for i := 18; i <= 20; i++ {
		wantSame(t, "profile", o.profile(fmt.Sprint("k", i%3)), fmt.Append(nil, "v", i))
	}
}

func refusedIsInvisible(t *testing.T, h Harness) {
	a, b := open(t, h), open(t, h)
	a.claim(1)
	c := pipeline.Commit{Keys: bytesOf("kept", "changed"), Profiles: bytesOf("1", "1")}
	c.Outbox, c.Due = bytesOf("e1", "e2"), []pipeline.DueEntries{due(1, "d1")}
	a.mustCommit(2, c)
	b.claim(3)
	refused := pipeline.Commit{
		Keys:     bytesOf("kept", "changed", "added"),
		Profiles: [][]byte{nil, []byte("2"), []byte("2")},
	}
	refused.Outbox, refused.Dropped = bytesOf("e3"), 2
	refused.Due, refused.Swept = []pipeline.DueEntries{due(2, "d2")}, []int64{1}
	if err := a.commit(4, refused); err == nil {
		t.Fatal("a fenced owner committed")
	}
	s := b.claim(5)
	wantSame(t, "next", s.Meta.Next, int64(2))
	wantSame(t, "outbox", s.Outbox, bytesOf("e1", "e2"))
	l := pipeline.Load{Keys: bytesOf("kept", "changed", "added"), Buckets: []int64{1, 2}}
	b.load(&l)
	wantSame(t, "profiles", l.Profiles, [][]byte{[]byte("1"), []byte("1"), nil})
	wantSame(t, "due", l.Due, [][]byte{[]byte("d1"), nil})
}

func outboxOrder(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	o.mustCommit(2, pipeline.Commit{Outbox: bytesOf("a", "b", "c")})
	o.mustCommit(3, pipeline.Commit{Dropped: 2, Outbox: bytesOf("d", "", "e")})
	wantSame(t, "outbox", o.claim(4).Outbox, bytesOf("c", "d", "", "e"))
	o.mustCommit(5, pipeline.Commit{Dropped: 4})
	wantSame(t, "outbox", o.claim(6).Outbox, [][]byte{}, equateEmpty())
	var many, want [][]byte
	for i := range 5000 {
		many = append(many, fmt.Append(nil, "entry ", i))
	}
	o.mustCommit(7, pipeline.Commit{Outbox: many})
	want = append(want, many[4321:]...)
	o.mustCommit(8, pipeline.Commit{Dropped: 4321})
	wantSame(t, "outbox", o.claim(9).Outbox, want)
}

func dueBuckets(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	early, late := int64(-3), int64(math.MaxInt64/3_600_000)
	o.mustCommit(2, pipeline.Commit{Due: []pipeline.DueEntries{due(early, "a\x00"), due(10, "b"), due(late, "c")}})
	o.mustCommit(3, pipeline.Commit{Due: []pipeline.DueEntries{due(early, "\x00d"), due(11, "e")}})
	l := pipeline.Load{Buckets: []int64{11, early, 12, late, 10}}
	o.load(&l)
	wantSame(t, "due", l.Due, [][]byte{[]byte("e"), []byte("a\x00\x00d"), nil, []byte("c"), []byte("b")})
	o.mustCommit(4, pipeline.Commit{Swept: []int64{early, 11, 99}, Due: []pipeline.DueEntries{due(10, "f")}})
	o.load(&l)
	wantSame(t, "due after the sweep", l.Due, [][]byte{nil, nil, nil, []byte("c"), []byte("bf")})
	o.mustCommit(
		5,
		pipeline.Commit{Due: []pipeline.DueEntries{due(early, "again"), {Bucket: 10, Entries: []byte("g"), Whole: true}}},
	)
	wantSame(t, "due after it was filled again", o.bucket(early), []byte("again"))
}

func absent(t *testing.T, h Harness) {
	o := open(t, h)
	l := pipeline.Load{Keys: bytesOf("nobody", ""), Buckets: []int64{1}}
	o.load(&l) // also without a claim: Load changes nothing
	wantSame(t, "profiles", l.Profiles, [][]byte{nil, nil})
	wantSame(t, "due", l.Due, [][]byte{nil})
	var none pipeline.Load
	o.load(&none)
	o.claim(1)
	o.mustCommit(2, pipeline.Commit{Keys: bytesOf("empty"), Profiles: [][]byte{{}}})
	l.Keys = bytesOf("nobody", "empty", "nobody")
	o.load(&l)
	wantSame(t, "profiles", l.Profiles, [][]byte{nil, {}, nil})
}

func anyBytes(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	keys := bytesOf(
		"\x00",
		"\x00\x00",
		"a\r\nb",
		"$-1\r\n",
		"*0\r\n",
		"\xff\xfe",
		"é",
		" ",
		"{x}",
		strings.Repeat("k", 300),
	)
	var profiles [][]byte
	for i, k := range keys {
		profiles = append(profiles, append([]byte{0, byte(i), '\r', '\n'}, k...))
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	o.mustCommit(
		2,
		pipeline.Commit{
			Keys:     keys,
			Profiles: profiles,
			Outbox:   [][]byte{all, {0}},
			Due:      []pipeline.DueEntries{due(5, string(all))},
		},
	)
	l := pipeline.Load{Keys: keys, Buckets: []int64{5}}
	o.load(&l)
	wantSame(t, "profiles", l.Profiles, profiles)
	wantSame(t, "due", l.Due, [][]byte{all})
	wantSame(t, "outbox", o.claim(3).Outbox, [][]byte{all, {0}})
}

func removed(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	o.mustCommit(2, pipeline.Commit{Keys: bytesOf("a", "b", "c"), Profiles: bytesOf("1", "2", "3")})
	o.mustCommit(3, pipeline.Commit{Keys: bytesOf("b", "a", "never"), Profiles: [][]byte{nil, []byte("4"), nil}})
	l := pipeline.Load{Keys: bytesOf("a", "b", "c", "never")}
	o.load(&l)
	wantSame(t, "profiles", l.Profiles, [][]byte{[]byte("4"), nil, []byte("3"), nil})
	o.mustCommit(4, pipeline.Commit{Keys: bytesOf("a", "c"), Profiles: [][]byte{nil, nil}})
	wantSame(t, "next, with nobody left", o.claim(5).Meta.Next, int64(4))
}

func bigCommit(t *testing.T, h Harness) {
	const n = 20_011 // not a multiple of any size at which a store may split it
	o := open(t, h)
	o.claim(1)
	var c pipeline.Commit
	for i := range n {
		c.Keys = append(c.Keys, binary.BigEndian.AppendUint32(nil, uint32(i)))
		c.Profiles = append(c.Profiles, []byte(strings.Repeat("p", i%300)))
	}
	c.Due = []pipeline.DueEntries{due(1, strings.Repeat("due\x00", 3<<18))}
	o.mustCommit(2, c)
	l := pipeline.Load{Keys: c.Keys, Buckets: []int64{1}}
	o.load(&l)
	wantEqual(t, "profiles", l.Profiles, c.Profiles)
	wantEqual(t, "due", l.Due, [][]byte{c.Due[0].Entries})
	for i := range c.Profiles {
		if i%2 == 0 {
			c.Profiles[i] = nil
		}
	}
	c.Due = nil
	o.mustCommit(3, c)
	o.load(&l)
	wantEqual(t, "profiles", l.Profiles, c.Profiles)
}

func metaRoundTrip(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	m := pipeline.Meta{
		Version: pipeline.MetaVersion, Next: math.MaxInt64, Pack: "sha-256 \"quoted\" \u2028 <&>", Partitions: 64,
		Cluster: "MkU3OEVBNTcwNTJENDM2Qg", Topic: "t", WallMillis: -1,
		Clock: pipeline.Clock{
			Started: true, Watermark: math.MinInt64, Fired: pipeline.Due{Minute: -5, Hash: math.MaxUint64},
			Future: []pipeline.FutureEvent{{Customer: math.MaxUint64, Time: 1}, {Customer: 2, Time: math.MaxInt64}},
		},
	}
	fill(&m.Population)
	fill(&m.Poison)
	c := pipeline.Commit{Previous: o.last, Token: token(2), Meta: m}
	if err := o.Commit(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "meta", o.claim(3).Meta, m)
	wantSame(t, "meta, claimed once more", o.claim(4).Meta, m)
}

func slicesNotKept(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	c := pipeline.Commit{Keys: bytesOf("key"), Profiles: bytesOf("profile"), Outbox: bytesOf("entry")}
	c.Due = []pipeline.DueEntries{due(1, "due")}
	o.mustCommit(2, c)
	for _, b := range [][]byte{c.Keys[0], c.Profiles[0], c.Outbox[0], c.Due[0].Entries} {
		clear(b)
	}
	wantSame(t, "profile", o.profile("key"), []byte("profile"))
	wantSame(t, "due", o.bucket(1), []byte("due"))
	wantSame(t, "outbox", o.claim(3).Outbox, bytesOf("entry"))
}

func loadBesideCommit(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	o.mustCommit(2, put("k", "v"))
	done := make(chan error, 1)
	go func() {
		l := pipeline.Load{Keys: bytesOf("k", "absent"), Buckets: []int64{1}}
		for range 50 {
			if err := o.Load(t.Context(), &l); err != nil {
				done <- err
				return
			}
			if string(l.Profiles[0]) != "v" || l.Profiles[1] != nil {
				done <- fmt.Errorf("loaded %q", l.Profiles)
				return
			}
		}
		done <- nil
	}()
	for i := 3; i < 53; i++ {
		o.mustCommit(i, put("other", "w"))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func packsKept(t *testing.T, h Harness) {
	o := open(t, h)
	o.claim(1)
	first, second := pipeline.PackBytes{
		Hash:      "a",
		Canonical: []byte(`{"core":1}`),
	}, pipeline.PackBytes{
		Hash:      "b",
		Canonical: []byte("\x00b"),
	}
	refs := []pipeline.PackRef{{Hash: "a", Name: "x", Version: "1"}, {Hash: "b", Name: "x", Version: "2"}}
	o.mustCommit(
		2,
		pipeline.Commit{
			Meta:  pipeline.Meta{Version: pipeline.MetaVersion, Packs: refs[:1]},
			Packs: []pipeline.PackBytes{first},
		},
	)
	wantSame(t, "packs", o.claim(3).Packs, []pipeline.PackBytes{first})
	restore := h.Copy(t)
	o.mustCommit(
		4,
		pipeline.Commit{Meta: pipeline.Meta{Version: pipeline.MetaVersion, Packs: refs}, Packs: []pipeline.PackBytes{second}},
	)
	s := o.claim(5)
	wantSame(t, "packs", s.Packs, []pipeline.PackBytes{first, second})
	wantSame(t, "generations", s.Meta.Packs, refs)
	restore()
	wantSame(t, "packs", o.claim(6).Packs, []pipeline.PackBytes{first})
}
