//go:build integration

package redisstore_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
	"ebb/pipeline/secure"
)

// TestRealReasons puts a server into each of the states in which it refuses, and asks for everything: what is refused
// is refused with the server's own reason, and never with that of a transaction that it gave up for it.
func TestRealReasons(t *testing.T) {
	for _, c := range []struct {
		name, code string
		args       []string
		into       func(t *testing.T, s *process)
		refuses    []string // requests
	}{
		{"NOPERM", secure.CodePermission, nil, func(t *testing.T, s *process) {
			s.do(t, "ACL SETUSER default -llen -hget -unlink -getrange")
		}, []string{"claim", "commit", "inspect", "held", "load", "empty"}},
		{"CLUSTERDOWN", "redis_cluster_down", []string{"--cluster-enabled", "yes"}, func(t *testing.T, s *process) {
			s.do(t, "CLUSTER DELSLOTSRANGE 0 16383")
		}, []string{"claim", "load", "inspect", "held", "holders"}},
		{"MISCONF", "redis_cannot_persist", []string{"--save", "3600 1"}, func(t *testing.T, s *process) {
			s.do(t, "SET x y")
			s.breakDisk(t)
		}, []string{"claim", "commit", "empty"}},
		{"READONLY", "redis_readonly", nil, func(t *testing.T, s *process) {
			s.do(t, "REPLICAOF 127.0.0.1 1")
		}, []string{"claim", "commit", "empty"}},
		{"OOM", "redis_full", nil, func(t *testing.T, s *process) {
			s.do(t, "CONFIG SET maxmemory 1")
		}, []string{"claim", "commit"}},
		{"MASTERDOWN", "redis_primary_lost", []string{"--replica-serve-stale-data", "no"}, func(t *testing.T, s *process) {
			s.do(t, "REPLICAOF 127.0.0.1 1")
		}, []string{"load", "inspect", "held", "holders"}},
		{"NOREPLICAS", "redis_too_few_replicas", nil, func(t *testing.T, s *process) {
			s.do(t, "CONFIG SET min-replicas-to-write 1")
		}, []string{"claim", "commit", "empty"}},
		{"LOADING", "redis_loading", []string{"--save", ""}, func(t *testing.T, s *process) {
			s.do(t, "DEBUG POPULATE 4000 key 200") // it loads for longer than this test takes
			s.do(t, "SAVE")
			s.do(t, "CONFIG SET key-load-delay 40000 loading-process-events-interval-bytes 1024")
			go s.admin.Do(t.Context(), "DEBUG", "RELOAD", "NOSAVE")
			until(t, "it loads", func() bool {
				return strings.Contains(s.other.Info(t.Context(), "persistence").Val(), "loading:1")
			})
		}, []string{"inspect", "claim"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startProcess(t, c.args...)
			client := open(t, s.addr)
			o := claimed(t, client.Partition("g", 0))
			o.commit(t, 1, nil)
			for i := range 200 {
				s.do(t, fmt.Sprintf("SET {x}%d %s", i, strings.Repeat("v", 200)))
			}
			c.into(t, s)
			all := requests(t, client, o)
			for _, name := range c.refuses {
				said(t, name, all[name](), c.name, c.code)
			}
		})
	}
}

// TestRealPasswordSet sets a password while a client has a connection: the next one is refused, whatever is asked.
func TestRealPasswordSet(t *testing.T) {
	s := startProcess(t)
	client := open(t, s.addr)
	o := claimed(t, client.Partition("g", 0))
	o.commit(t, 1, nil)
	s.do(t, "ACL SETUSER default resetpass >secret")
	s.do(t, "CLIENT KILL TYPE normal SKIPME yes")
	for name, request := range requests(t, client, o) {
		if name == "claim" || name == "inspect" || name == "held" || name == "holders" {
			said(t, name, request(), "NOAUTH", secure.CodeLogin)
		}
	}
	_, err := redisstore.Open(t.Context(), redisstore.Config{Addresses: []string{s.addr}})
	said(t, "open", err, "NOAUTH", secure.CodeLogin)
}

// said fails the test unless err has the code, and the server's own word.
func said(t *testing.T, what string, err error, word, code string) {
	t.Helper()
	got, _, _, ok := pipeline.Refused(err)
	if stop := (*pipeline.HardStop)(nil); errors.As(err, &stop) {
		got, ok = stop.Code, true
	}
	if !ok || got != code || word != "OOM" && !strings.Contains(err.Error(), word) {
		t.Errorf("%s in the state %s: said %v", what, word, err)
	}
}

// process is a Redis of this test alone.
type process struct {
	addr, dir    string
	admin, other *redis.Client
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = l.Close()
	s := &process{addr: addr, dir: filepath.Join(t.TempDir(), "data")}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	base := []string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--enable-debug-command", "yes"}
	cmd := exec.CommandContext(t.Context(), "redis-server", append(base, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	s.admin = redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, ReadTimeout: -1})
	s.other = redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(t, s.admin)
	closeLater(t, s.other)
	until(t, "redis answers", func() bool { return s.other.Ping(t.Context()).Err() == nil })
	if strings.Contains(strings.Join(args, " "), "cluster-enabled") {
		s.do(t, "CLUSTER ADDSLOTSRANGE 0 16383")
		until(t, "the cluster is up", func() bool {
			return strings.Contains(s.other.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
		})
	}
	return s
}

func (s *process) do(t *testing.T, command string) {
	t.Helper()
	var args []any
	for a := range strings.FieldsSeq(command) {
		args = append(args, a)
	}
	if err := s.admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}

// breakDisk takes the server's directory away, and waits until a save has failed for it.
func (s *process) breakDisk(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	s.do(t, "BGSAVE")
	until(t, "a save fails", func() bool {
		return strings.Contains(s.other.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
	})
}
