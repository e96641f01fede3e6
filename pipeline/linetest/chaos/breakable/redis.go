package breakable

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

// RedisPair is a primary with an append-only file, and a replica of it. The members' links lead to whichever is
// primary.
type RedisPair struct {
	nodes   [2]*RedisNode
	primary atomic.Int32
	Sync    *Link   // through which the replica reads the primary
	Links   []*Link // of the members
}

// RedisNode is one Redis as a plain process. It keeps every write in its append-only file, which is never rewritten, so
// that a copy of its folder is the state as of a commit.
type RedisNode struct {
	dir     string
	port    string
	address string
	client  *redis.Client
	cmd     *exec.Cmd
}

func NewRedisPair(ctx context.Context, n *Network, dir string) (*RedisPair, error) {
	p := &RedisPair{}
	free, err := ports.Free(ctx, len(p.nodes))
	if err != nil {
		return nil, err
	}
	for i := range p.nodes {
		node := &RedisNode{dir: filepath.Join(dir, fmt.Sprintf("redis-%d", i)), port: strconv.Itoa(free[i])}
		node.address = ports.On(free[i])
		node.client = redis.NewClient(
			&redis.Options{Addr: node.address, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: 10 * time.Second},
		)
		p.nodes[i] = node
		if err := os.MkdirAll(node.dir, 0o700); err != nil {
			return p, err
		}
		if err := node.Start(ctx); err != nil {
			return p, err
		}
	}
	if p.Sync, err = n.Link(ctx, "replication", p.nodes[0].address); err != nil {
		return p, err
	}
	return p, p.follow(ctx)
}

// Address is the primary's own, without the links.
func (p *RedisPair) Address() string       { return p.Now().address }
func (p *RedisPair) Client() *redis.Client { return p.Now().client }
func (p *RedisPair) Now() *RedisNode       { return p.nodes[p.primary.Load()] }
func (p *RedisPair) other() *RedisNode     { return p.nodes[1-p.primary.Load()] }

// follow makes the other node a replica of the primary.
func (p *RedisPair) follow(ctx context.Context) error {
	host, port, _ := strings.Cut(p.Sync.Address, ":")
	return p.other().client.Do(ctx, "replicaof", host, port).Err()
}

// Synced reports whether the replica follows the primary.
func (p *RedisPair) Synced(ctx context.Context) error {
	info, err := p.other().client.Info(ctx, "replication").Result()
	if err == nil && (!strings.Contains(info, "role:slave") || !strings.Contains(info, "master_link_status:up")) {
		err = errors.New("the replica does not follow")
	}
	return errors.Join(err, p.other().Settled(ctx), p.Now().Settled(ctx))
}

// Settled reports whether the node's file is whole: a replica rewrites it after it has read all of its primary's data.
func (n *RedisNode) Settled(ctx context.Context) error {
	info, err := n.client.Info(ctx, "persistence").Result()
	if err == nil &&
		(!strings.Contains(info, "aof_rewrite_in_progress:0") || !strings.Contains(info, "aof_rewrite_scheduled:0")) {
		err = errors.New("the append-only file is being rewritten")
	}
	return err
}

// FailOver kills the primary, makes the replica the primary with the data it has, and the old primary its replica.
func (p *RedisPair) FailOver(ctx context.Context) error {
	old, heir := p.Now(), p.other()
	if err := old.Kill(); err != nil {
		return err
	}
	if err := heir.client.Do(ctx, "replicaof", "no", "one").Err(); err != nil {
		return err
	}
	p.primary.Store(1 - p.primary.Load())
	for _, l := range append(p.Links, p.Sync) {
		if err := l.lead(heir.address); err != nil {
			return err
		}
	}
	p.Sync.set(weather{}, weather{})
	if err := old.Start(ctx); err != nil {
		return err
	}
	return p.follow(ctx)
}

// Keep copies the primary's append-only file in its present state.
func (p *RedisPair) Keep() error {
	dir := p.Now().dir
	if err := os.RemoveAll(filepath.Join(dir, "older")); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "older"), os.DirFS(filepath.Join(dir, "appendonlydir")))
}

// PutBack kills the primary and starts it on the copy.
func (p *RedisPair) PutBack(ctx context.Context, rest func()) error {
	n := p.Now()
	if err := n.Kill(); err != nil {
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
	return n.Start(ctx)
}

func (p *RedisPair) Stop() (err error) {
	for _, n := range p.nodes {
		if n != nil {
			err = errors.Join(err, n.Kill(), n.client.Close())
		}
	}
	return err
}

// Start starts the node on its stored data, and waits until it has loaded them.
func (n *RedisNode) Start(ctx context.Context) error {
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
	Detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	n.cmd = cmd
	return Until(ctx, time.Minute, "Redis answers", func(ctx context.Context) error { return n.client.Ping(ctx).Err() })
}

// Kill ends the node as kill -9 does.
func (n *RedisNode) Kill() error {
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
