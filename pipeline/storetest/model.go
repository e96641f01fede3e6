package storetest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
)

// naive is the expected content of a partition, in its simplest form.
type naive struct {
	token    pipeline.Token
	exists   bool
	next     int64
	profiles map[string]string
	due      map[int64]string
	outbox   []string
	held     map[string]string
}

func (m *naive) holdings() pipeline.Holdings {
	return pipeline.Holdings{
		Profiles: int64(len(m.profiles)), Outbox: int64(len(m.outbox)), Held: int64(len(m.held)),
	}
}

// model drives two owners of one partition by random calls and compares every answer with a naive map.
func model(t *testing.T, fresh func(t *testing.T) Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		h := fresh(t)
		m := naive{profiles: map[string]string{}, due: map[int64]string{}, held: map[string]string{}}
		owners := [2]*owner{open(t, h), open(t, h)}
		claimed := [2]bool{}
		n := 0
		pick := func(rt *rapid.T) int { return rapid.IntRange(0, 1).Draw(rt, "owner") }
		rt.Repeat(map[string]func(*rapid.T){
			"claim": func(rt *rapid.T) {
				n++
				i := pick(rt)
				m.claim(rt, owners[i], n)
				claimed[i] = true
			},
			"commit": func(rt *rapid.T) {
				n++
				i := pick(rt)
				may := claimed[i] && owners[i].last == m.token
				claimed[i] = m.commit(rt, owners[i], n, may)
			},
			"load": func(rt *rapid.T) { m.load(rt, owners[pick(rt)]) },
			"cut": func(*rapid.T) {
				h.Cut(t)
				claimed = [2]bool{}
			},
		})
	})
}

func (m *naive) claim(rt *rapid.T, o *owner, n int) {
	m.token, o.last = token(n), token(n)
	s, err := o.Claim(o.t.Context(), m.token)
	if err != nil {
		rt.Fatalf("claim: %v", err)
	}
	var outbox []string
	for _, e := range s.Outbox {
		outbox = append(outbox, string(e))
	}
	held := map[string]string{}
	for _, h := range s.Held {
		held[string(h.Key)] = string(h.Value)
	}
	if !maps.Equal(held, m.held) {
		rt.Fatalf("the claim finds held raises %q, want %q", held, m.held)
	}
	if want := m.holdings(); s.Holds != want {
		rt.Fatalf("the claim finds %+v, want %+v", s.Holds, want)
	}
	if s.Exists != m.exists || s.Meta.Next != m.next || !slices.Equal(outbox, m.outbox) {
		rt.Fatalf("claim found %+v, want exists %v, next %d, outbox %q", s, m.exists, m.next, m.outbox)
	}
}

// commit sends a random commit and reports whether the owner may go on without a claim.
func (m *naive) commit(rt *rapid.T, o *owner, n int, may bool) bool {
	c := m.draw(rt)
	c.Previous, c.Token, c.Meta = o.last, token(n), pipeline.Meta{Version: pipeline.MetaVersion, Next: int64(n)}
	switch err := o.Commit(o.t.Context(), &c); {
	case err == nil && !may:
		rt.Fatalf("committed without being the owner")
	case err == nil:
		o.last = c.Token
		m.apply(&c)
		if want := m.holdings(); c.Holds != want {
			rt.Fatalf("the commit finds %+v, want %+v", c.Holds, want)
		}
		return true
	case may:
		rt.Fatalf("commit: %v", err)
	case !errors.Is(err, pipeline.ErrFenced) && !errors.Is(err, pipeline.ErrUnavailable):
		rt.Fatalf("commit refused with %v", err)
	}
	return false
}

// draw makes a commit over few keys and buckets, so that they coincide often.
func (m *naive) draw(rt *rapid.T) (c pipeline.Commit) {
	some := rapid.SliceOfN(rapid.Byte(), 0, 40)
	for _, k := range rapid.SliceOfDistinct(rapid.IntRange(0, 9), rapid.ID).Draw(rt, "keys") {
		c.Keys = append(c.Keys, key(k))
		var p []byte
		if rapid.IntRange(0, 3).Draw(rt, "keep") > 0 {
			p = clone(some.Draw(rt, "profile"))
		}
		c.Profiles = append(c.Profiles, p)
	}
	for _, k := range rapid.SliceOfDistinct(rapid.IntRange(0, 9), rapid.ID).Draw(rt, "held") {
		h := pipeline.HeldEntry{Key: key(k)}
		if rapid.Bool().Draw(rt, "hold") {
			h.Value = clone(some.Draw(rt, "raise"))
		}
		c.Held = append(c.Held, h)
	}
	for _, b := range rapid.SliceOfDistinct(rapid.Int64Range(-2, 5), rapid.ID).Draw(rt, "buckets") {
		if rapid.Bool().Draw(rt, "sweep") {
			c.Swept = append(c.Swept, b)
		} else {
			c.Due = append(c.Due, pipeline.DueEntries{
				Bucket: b, Entries: append([]byte{1}, some.Draw(rt, "due")...), Whole: rapid.IntRange(0, 3).Draw(rt, "whole") == 0,
			})
		}
	}
	c.Outbox = rapid.SliceOfN(some, 0, 4).Draw(rt, "outbox")
	c.Dropped = rapid.IntRange(0, len(m.outbox)).Draw(rt, "dropped")
	return c
}

func (m *naive) apply(c *pipeline.Commit) {
	for i, k := range c.Keys {
		delete(m.profiles, string(k))
		if c.Profiles[i] != nil {
			m.profiles[string(k)] = string(c.Profiles[i])
		}
	}
	for _, h := range c.Held {
		delete(m.held, string(h.Key))
		if h.Value != nil {
			m.held[string(h.Key)] = string(h.Value)
		}
	}
	for _, d := range c.Due {
		if d.Whole {
			delete(m.due, d.Bucket)
		}
		m.due[d.Bucket] += string(d.Entries)
	}
	for _, b := range c.Swept {
		delete(m.due, b)
	}
	m.outbox = m.outbox[c.Dropped:]
	for _, e := range c.Outbox {
		m.outbox = append(m.outbox, string(e))
	}
	m.token, m.exists, m.next = c.Token, true, c.Meta.Next
}

func (m *naive) load(rt *rapid.T, o *owner) {
	var l pipeline.Load
	for i := range 10 {
		l.Keys = append(l.Keys, key(i))
	}
	for b := int64(-2); b <= 5; b++ {
		l.Buckets = append(l.Buckets, b)
	}
	switch err := o.Load(o.t.Context(), &l); {
	case errors.Is(err, pipeline.ErrFenced) && o.last != m.token:
		return // a store may report this to a former owner
	case err != nil:
		rt.Fatalf("load: %v", err)
	}
	for i, k := range l.Keys {
		want, ok := m.profiles[string(k)]
		if string(l.Profiles[i]) != want || (l.Profiles[i] != nil) != ok {
			rt.Fatalf("profile %q: %s", k, cmp.Diff(want, string(l.Profiles[i])))
		}
	}
	for i, b := range l.Buckets {
		want, ok := m.due[b]
		if string(l.Due[i]) != want || (l.Due[i] != nil) != ok {
			rt.Fatalf("bucket %d: %s", b, cmp.Diff(want, string(l.Due[i])))
		}
	}
}

func key(i int) []byte { return fmt.Appendf(nil, "customer\x00%d", i) }

// fill sets every number of a value to one that a careless encoding would lose.
func fill(v any) { fillValue(reflect.ValueOf(v).Elem(), new(int)) }

func fillValue(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fillValue(field, n)
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			fillValue(v.Index(i), n)
		}
	case reflect.Float64:
		v.SetFloat([]float64{1.0 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -1e-7, 1 - 1.0/(1<<53)}[*n%6])
	case reflect.Int64, reflect.Int, reflect.Int32:
		v.SetInt(int64(*n))
	case reflect.Uint64, reflect.Uint32, reflect.Uint:
		v.SetUint(uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("BUG: population holds a " + v.Kind().String())
	}
}
