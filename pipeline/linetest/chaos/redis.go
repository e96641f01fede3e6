package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline/linetest/ports"
)

// redisPair is a primary with an append-only file, and a replica of it. The members' links lead to whichever is
// primary.
type redisPair struct {
	nodes   [2]*redisNode
	primary atomic.Int32
	sync    *link   // through which the replica reads the primary
	links   []*link // of the members
}

// redisNode is one Redis as a plain process. It keeps every write in its append-only file, which is never rewritten, so
// that a copy of its folder is the state as of a commit.
type redisNode struct {
	dir     string
	port    string
	address string
	client  *redis.Client
	cmd     *exec.Cmd
}

func newRedisPair(ctx context.Context, n *network, dir string) (*redisPair, error) {
	p := &redisPair{}
	free, err := ports.Free(ctx, len(p.nodes))
	if err != nil {
		return nil, err
	}
	for i := range p.nodes {
		node := &redisNode{dir: filepath.Join(dir, fmt.Sprintf("redis-%d", i)), port: strconv.Itoa(free[i])}
		node.address = ports.On(free[i])
		node.client = redis.NewClient(
			&redis.Options{Addr: node.address, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: 10 * time.Second},
		)
		p.nodes[i] = node
		if err := os.MkdirAll(node.dir, 0o700); err != nil {
			return p, err
		}
		if err := node.start(ctx); err != nil {
			return p, err
		}
	}
	if p.sync, err = n.link(ctx, "replication", p.nodes[0].address); err != nil {
		return p, err
	}
	return p, p.follow(ctx)
}

// address is the primary's own, without the links.
func (p *redisPair) address() string       { return p.now().address }
func (p *redisPair) client() *redis.Client { return p.now().client }
func (p *redisPair) now() *redisNode       { return p.nodes[p.primary.Load()] }
func (p *redisPair) other() *redisNode     { return p.nodes[1-p.primary.Load()] }

// follow makes the other node a replica of the primary.
func (p *redisPair) follow(ctx context.Context) error {
	host, port, _ := strings.Cut(p.sync.address, ":")
	return p.other().client.Do(ctx, "replicaof", host, port).Err()
}

// synced reports whether the replica follows the primary.
func (p *redisPair) synced(ctx context.Context) error {
	info, err := p.other().client.Info(ctx, "replication").Result()
	if err == nil && (!strings.Contains(info, "role:slave") || !strings.Contains(info, "master_link_status:up")) {
		err = errors.New("the replica does not follow")
	}
	return errors.Join(err, p.other().settled(ctx), p.now().settled(ctx))
}

// settled reports whether the node's file is whole: a replica rewrites it after it has read all of its primary's data.
func (n *redisNode) settled(ctx context.Context) error {
	info, err := n.client.Info(ctx, "persistence").Result()
	if err == nil &&
		(!strings.Contains(info, "aof_rewrite_in_progress:0") || !strings.Contains(info, "aof_rewrite_scheduled:0")) {
		err = errors.New("the append-only file is being rewritten")
	}
	return err
}

// failOver kills the primary, makes the replica the primary with the data it has, and the old primary its replica.
func (p *redisPair) failOver(ctx context.Context) error {
	old, heir := p.now(), p.other()
	if err := old.kill(); err != nil {
		return err
	}
	if err := heir.client.Do(ctx, "replicaof", "no", "one").Err(); err != nil {
		return err
	}
	p.primary.Store(1 - p.primary.Load())
	for _, l := range append(p.links, p.sync) {
		if err := l.lead(heir.address); err != nil {
			return err
		}
	}
	p.sync.set(weather{}, weather{})
	if err := old.start(ctx); err != nil {
		return err
	}
	return p.follow(ctx)
}

// keep copies the primary's append-only file in its present state.
func (p *redisPair) keep() error {
	dir := p.now().dir
	if err := os.RemoveAll(filepath.Join(dir, "older")); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "older"), os.DirFS(filepath.Join(dir, "appendonlydir")))
}

// putBack kills the primary and starts it on the copy.
func (p *redisPair) putBack(ctx context.Context, rest func()) error {
	n := p.now()
	if err := n.kill(); err != nil {
		return err
	}
	current := filepath.Join(n.dir, "appendonlydir")
	if err := os.RemoveAll(current); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(n.dir, "older"), current); err != nil {
		return err
	}
	rest()
	return n.start(ctx)
}

func (p *redisPair) stop() (err error) {
	for _, n := range p.nodes {
		if n != nil {
			err = errors.Join(err, n.kill(), n.client.Close())
		}
	}
	return err
}

// start starts the node on its stored data, and waits until it has loaded them.
func (n *redisNode) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(n.dir, "redis.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the process has its own copy
	cmd := exec.CommandContext(
		context.WithoutCancel(ctx),
		"redis-server",
		"--port",
		n.port,
		"--bind",
		"127.0.0.1",
		"--dir",
		n.dir,
		"--save",
		"",
		"--appendonly",
		"yes",
		"--appendfsync",
		"everysec",
		"--auto-aof-rewrite-percentage",
		"0",
		"--repl-diskless-sync-delay",
		"0",
		"--repl-backlog-size",
		"64mb",
		"--client-output-buffer-limit",
		"replica",
		"0",
		"0",
		"0",
	)
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	n.cmd = cmd
	return until(ctx, time.Minute, "Redis answers", func(ctx context.Context) error { return n.client.Ping(ctx).Err() })
}

// kill ends the node as kill -9 does.
func (n *redisNode) kill() error {
	if n.cmd == nil {
		return nil
	}
	if err := n.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill Redis: %w", err)
	}
	_ = n.cmd.Wait() // it was killed
	n.cmd = nil
	return nil
}
