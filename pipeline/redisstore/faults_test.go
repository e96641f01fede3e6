package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

func TestFaults(t *testing.T) { faults(t, miniredis.RunT(t).Addr()) }

// faults breaks the connection around EXEC and then reads the outcome by a claim.
func faults(t *testing.T, addr string) {
	for _, c := range []struct {
		name     string
		breakage breakage
		want     int64 // next offset that a claim finds: 2 if the commit was applied, else 1
	}{
		{"cut before EXEC", breakage{}, 1},
		{"cut after EXEC, answer lost", breakage{forward: true}, 2},
		{"silent before EXEC", breakage{stall: true}, 1},
		{"silent after EXEC", breakage{forward: true, stall: true}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, group := startProxy(t, addr), newGroup(t, addr)
			client := openWith(t, redisstore.Config{Addresses: []string{p.addr()}, ReadTimeout: time.Second})
			o := claimed(t, client.Partition(group, 0))
			o.commit(t, 1, nil)
			b := p.breakNext(c.breakage)
			o.commit(t, 2, pipeline.ErrUnavailable)
			<-b.reached
			o.commit(t, 3, pipeline.ErrUnavailable) // the connection is not replaced silently
			found := o.claim(t)
			if found.Meta.Next != c.want {
				t.Fatalf("claim found next %d, want %d", found.Meta.Next, c.want)
			}
			o.commit(t, 4, nil)
		})
	}
	t.Run("claim unanswered", func(t *testing.T) {
		p, group := startProxy(t, addr), newGroup(t, addr)
		client := open(t, p.addr())
		o := claimed(t, client.Partition(group, 0))
		o.commit(t, 1, nil)
		second := client.Partition(group, 0)
		b := p.breakNext(breakage{forward: true})
		if _, err := second.Claim(t.Context(), pipeline.Token{0xFF}); !errors.Is(err, pipeline.ErrUnavailable) {
			t.Fatalf("got error %v", err)
		}
		<-b.reached
		o.commit(t, 2, pipeline.ErrFenced) // the claim took effect
		if found := o.claim(t); found.Meta.Next != 1 {
			t.Fatalf("claim found next %d, want 1", found.Meta.Next)
		}
	})
	t.Run("claimed between EXEC and WATCH", func(t *testing.T) {
		p, group := startProxy(t, addr), newGroup(t, addr)
		o := claimed(t, open(t, p.addr()).Partition(group, 0))
		b := p.breakNext(breakage{hold: make(chan struct{})})
		done := make(chan struct{})
		go func() {
			defer close(done)
			<-b.reached // sent; now until it is applied
			direct := open(t, addr)
			for t.Context().Err() == nil {
				if at, err := direct.Inspect(t.Context(), group, 0, nil); err != nil || at.Meta.Next == 1 {
					break
				}
			}
			other := claimed(t, direct.Partition(group, 0))
			if other.found.Meta.Next != 1 {
				t.Errorf("the other owner found next %d, want 1", other.found.Meta.Next)
			}
			close(b.hold)
		}()
		o.commit(t, 1, nil) // applied: the claim came later
		<-done
		o.commit(t, 2, pipeline.ErrFenced)
	})
}

// owner chains commits whose next offset is their number.
type owner struct {
	*redisstore.Partition
	found  pipeline.State
	last   pipeline.Token
	claims byte
}

func claimed(t *testing.T, p *redisstore.Partition) *owner {
	t.Helper()
	o := &owner{Partition: p}
	closeLater(t, o)
	o.claim(t)
	return o
}

func (o *owner) claim(t *testing.T) pipeline.State {
	t.Helper()
	o.claims++
	token := pipeline.Token{1, o.claims}
	s, err := o.Claim(t.Context(), token)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	o.found, o.last = s, token
	return s
}

// commit makes commit n and fails the test unless it returns target, or succeeds where that is nil.
func (o *owner) commit(t *testing.T, n int64, target error) {
	t.Helper()
	c := pipeline.Commit{
		Previous: o.last,
		Token:    pipeline.Token{2, o.claims, byte(n)},
		Meta:     pipeline.Meta{Version: pipeline.MetaVersion, Next: n},
	}
	c.Keys, c.Profiles = [][]byte{[]byte("k")}, [][]byte{[]byte("v")}
	err := o.Commit(t.Context(), &c)
	if !errors.Is(err, target) {
		t.Fatalf("commit %d: got error %v, want %v", n, err, target)
	}
	if err == nil {
		o.last = c.Token
	}
}

func TestRefusals(t *testing.T) {
	const generic = "EXECABORT Transaction discarded because of previous errors."
	for _, c := range []struct {
		name    string
		answers map[string]string // command to the error it gets
		code    string            // of the HardStop or the refusal; empty: ErrUnavailable
	}{
		{
			"full",
			map[string]string{"HSET": "OOM command not allowed when used memory > 'maxmemory'.", "EXEC": generic},
			"redis_full",
		},
		{
			"full only at EXEC",
			map[string]string{
				"EXEC": "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
			},
			"redis_full",
		},
		{
			"not allowed",
			map[string]string{"SET": "NOPERM this user has no permissions to run the 'set' command", "EXEC": generic},
			secure.CodePermission,
		},
		{"unknown command", map[string]string{"APPEND": "ERR unknown command 'APPEND'", "EXEC": generic}, "redis_refused"},
		{
			"foreign key",
			map[string]string{"EXEC": "WRONGTYPE Operation against a key holding the wrong kind of value"},
			"redis_damaged",
		},
		{
			"cannot persist",
			map[string]string{
				"HSET": "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
				"EXEC": generic,
			},
			"",
		},
		{"replica", map[string]string{"HSET": "READONLY You can't write against a read only replica.", "EXEC": generic}, ""},
		{"loading", map[string]string{"HSET": "LOADING Redis is loading the dataset in memory", "EXEC": generic}, ""},
		{
			"primary lost",
			map[string]string{
				"HSET": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
				"EXEC": generic,
			},
			"",
		},
		{"cluster down", map[string]string{"HSET": "CLUSTERDOWN Hash slot not served", "EXEC": generic}, ""},
		{"slot moved", map[string]string{"HSET": "MOVED 3999 127.0.0.1:6381", "EXEC": generic}, ""},
		{"too few replicas", map[string]string{"HSET": "NOREPLICAS Not enough good replicas to write.", "EXEC": generic}, ""},
		{"a code of a later version", map[string]string{"HSET": "NEWCODE whatever", "EXEC": generic}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := miniredis.RunT(t)
			o := claimed(t, open(t, m.Addr()).Partition("g", 0))
			o.commit(t, 1, nil)
			m.Server().SetPreHook(func(peer *server.Peer, cmd string, _ ...string) bool {
				if answer, ok := c.answers[cmd]; ok {
					peer.WriteError(answer)
					return true
				}
				return false
			})
			next := pipeline.Commit{Previous: o.last, Keys: [][]byte{[]byte("k")}, Profiles: [][]byte{[]byte("w")}}
			next.Due = []pipeline.DueEntries{{Bucket: 1, Entries: []byte("d")}}
			err := o.Commit(t.Context(), &next)
			wantStop(t, err, c.code)
			m.Server().SetPreHook(nil)
			if found := o.claim(t); found.Meta.Next != 1 {
				t.Fatalf("claim found next %d, want 1", found.Meta.Next)
			}
		})
	}
}

// wantStop fails the test unless err is a HardStop or a Denied of code, or ErrUnavailable where code is empty.
func wantStop(t *testing.T, err error, code string) {
	t.Helper()
	var stop *pipeline.HardStop
	var denied *pipeline.Denied
	switch {
	case code == "" && !errors.Is(err, pipeline.ErrUnavailable):
		t.Fatalf("got error %v, want unavailable", err)
	case errors.As(err, &denied) && denied.Code == code && errors.Is(err, pipeline.ErrUnavailable):
	case code != "" && (!errors.As(err, &stop) || stop.Code != code):
		t.Fatalf("got error %v, want a stop with %s", err, code)
	}
}

// TestLoadOfAnotherCopy: a load reaches a server without the owner's latest commit, through an address that follows the
// primary in a failover while the old one still takes commits. Nothing may be decided on its answer.
func TestLoadOfAnotherCopy(t *testing.T) {
	m := miniredis.RunT(t)
	o := claimed(t, open(t, m.Addr()).Partition("g", 0))
	o.commit(t, 1, nil)
	load := pipeline.Load{Keys: [][]byte{[]byte("k")}}
	if err := o.Load(t.Context(), &load); err != nil || string(load.Profiles[0]) != "v" {
		t.Fatalf("loaded %q: %v", load.Profiles, err)
	}
	older, err := m.Get(redisstore.MetaKey("g", 0))
	if err != nil {
		t.Fatal(err)
	}
	o.commit(t, 2, nil)
	o.commit(t, 3, nil)
	m.Server().SetPreHook(func(peer *server.Peer, cmd string, args ...string) bool {
		if cmd != "GETRANGE" {
			return false
		}
		peer.WriteBulk(older[:16])
		return true
	})
	if err := o.Load(t.Context(), &load); !errors.Is(err, pipeline.ErrFenced) {
		t.Fatalf("loaded from an older copy: %v", err)
	}
}
