package redisstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

// reasons are what a server answers that does not do what is asked, and the code of each.
func reasons() []struct{ answer, code string } {
	return []struct{ answer, code string }{
		{"NOAUTH Authentication required.", secure.CodeLogin},
		{"DENIED Redis is running in protected mode because protected mode is enabled. Set a password.", secure.CodeLogin},
		{"NOPERM this user has no permissions to run the 'x' command", secure.CodePermission},
		{"CLUSTERDOWN Hash slot not served", "redis_cluster_down"},
		{"LOADING Redis is loading the dataset in memory", "redis_loading"},
		{"MISCONF Redis is configured to save RDB snapshots, but", "redis_cannot_persist"},
		{"READONLY You can't write against a read only replica.", "redis_readonly"},
		{"OOM command not allowed when used memory > 'maxmemory'.", "redis_full"},
		{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "redis_primary_lost"},
		{"NOREPLICAS Not enough good replicas to write.", "redis_too_few_replicas"},
		{"BUSY Redis is busy running a script.", "redis_busy"},
		{"ERR max number of clients reached", "redis_clients_full"},
	}
}

// requests are what the store does, each a pipeline or a transaction of several commands.
func requests(t *testing.T, client *redisstore.Client, o *owner) map[string]func() error {
	return map[string]func() error{
		"claim": func() error { // what arms the next commit is part of it
			_, err := o.Claim(t.Context(), pipeline.Token{9})
			if o.last = (pipeline.Token{9}); err != nil {
				return err
			}
			return commitAgain(t, o)
		},
		"commit": func() error { return errors.Join(commitAgain(t, o), commitAgain(t, o)) },
		"load": func() error {
			return client.Partition("g", 0).Load(t.Context(), &pipeline.Load{Keys: [][]byte{[]byte("k")}, Buckets: []int64{1}})
		},
		"inspect":  func() error { _, err := client.Inspect(t.Context(), "g", 0, []byte("k")); return err },
		"held":     func() error { _, err := client.Held(t.Context(), "g", 0); return err },
		"empty":    func() error { _, err := client.Empty(t.Context(), "g", 1); return err },
		"holders":  func() error { _, err := client.Holders(t.Context(), "g", 1, []byte("k")); return err },
		"allowed":  func() error { _, err := client.Allowed(t.Context(), "g"); return err },
		"policies": func() error { _, err := client.Policies(t.Context()); return err },
	}
}

// commitAgain makes a commit that writes everything.
func commitAgain(t *testing.T, o *owner) error {
	o.claims++
	c := pipeline.Commit{Previous: o.last, Token: pipeline.Token{3, o.claims}}
	c.Keys, c.Profiles = [][]byte{[]byte("k")}, [][]byte{[]byte("w")}
	c.Due, c.Outbox = []pipeline.DueEntries{{Bucket: 1, Entries: []byte("d")}}, [][]byte{[]byte("e")}
	o.last = c.Token
	return o.Commit(t.Context(), &c)
}

// TestReasonIsSaid refuses the commands of each request, one after the other, with each reason: whichever it was, the
// first refusal is what is reported, and neither what EXEC answers to it nor what comes later.
func TestReasonIsSaid(t *testing.T) {
	for _, reason := range reasons() {
		code, _, _ := strings.Cut(reason.answer, " ")
		t.Run(code, func(t *testing.T) {
			for name := range requests(t, nil, nil) {
				for nth := 1; refuseNth(t, name, nth, reason.answer, reason.code); nth++ {
				}
			}
		})
	}
}

// refuseNth refuses the nth command of a request, and reports whether there was one.
func refuseNth(t *testing.T, name string, nth int, answer, code string) (refused bool) {
	t.Helper()
	m := miniredis.RunT(t)
	client := open(t, m.Addr())
	o := claimed(t, client.Partition("g", 0))
	o.commit(t, 1, nil)
	request := requests(t, client, o)[name]
	seen, inside, failed, command := 0, false, false, ""
	m.Server().SetPreHook(func(peer *server.Peer, cmd string, _ ...string) bool {
		switch cmd {
		case "HELLO", "CLIENT", "AUTH", "PING", "SELECT": // of the connection
			return false
		case "MULTI":
			inside = true
		case "EXEC":
			inside = false
			if failed {
				peer.WriteError("EXECABORT Transaction discarded because of previous errors.")
				return true
			}
		}
		seen++
		if seen != nth {
			return false
		}
		refused, command, failed = true, cmd, inside
		peer.WriteError(answer)
		return true
	})
	err := request()
	if !refused {
		return false
	}
	if tolerated := name == "policies" || name == "allowed" && code == secure.CodePermission; tolerated && err == nil {
		return true // it is part of the answer
	}
	if err == nil && (name == "claim" || name == "commit") {
		err = commitAgain(t, o) // what arms a commit fails that one, since the write before it was applied
	}
	got, _, _, ok := pipeline.Refused(err)
	if stop := (*pipeline.HardStop)(nil); errors.As(err, &stop) {
		got, ok = stop.Code, true
	}
	if !ok || got != code {
		t.Errorf("%s: %s, its command %d, is refused with %q: said %v", name, command, nth, answer, err)
	}
	return true
}
