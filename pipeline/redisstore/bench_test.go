//go:build integration

package redisstore_test

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"ebb/pipeline"
	"ebb/pipeline/redisstore"
)

const benchProfileBytes = 180

// batch is a commit that writes n profiles of 180 bytes under keys of 16.
func batch(n int) *pipeline.Commit {
	c := &pipeline.Commit{Meta: pipeline.Meta{Version: pipeline.MetaVersion}}
	for i := range n {
		c.Keys = append(c.Keys, fmt.Appendf(nil, "customer%08d", i))
		profile := make([]byte, benchProfileBytes)
		rand.Read(profile)
		c.Profiles = append(c.Profiles, profile)
	}
	return c
}

func nextToken(t pipeline.Token) pipeline.Token {
	binary.BigEndian.PutUint64(t[8:], binary.BigEndian.Uint64(t[8:])+1)
	return t
}

// startMeter returns a function that reports time and CPU of this process and of Redis since, per profile. CPU is what
// matters where clients, Redis and Kafka share cores. Redis must serve nobody else meanwhile.
func startMeter(b *testing.B, addr string) (report func(profiles int)) {
	r := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
	closeLater(b, r)
	own, theirs := ownCPU(b), redisCPU(b, r)
	return func(profiles int) {
		n := float64(b.N) * float64(profiles)
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/profile")
		b.ReportMetric((ownCPU(b)-own)/n, "cpu-ns/profile")
		b.ReportMetric((redisCPU(b, r)-theirs)/n, "redis-cpu-ns/profile")
	}
}

func ownCPU(b *testing.B) (nanos float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func redisCPU(b *testing.B, r *redis.Client) (nanos float64) {
	info := must(r.Info(b.Context(), "cpu").Result())(b)
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			nanos += must(strconv.ParseFloat(value, 64))(b) * 1e9
		}
	}
	return nanos
}

// BenchmarkCommit measures a commit of 10,000 existing profiles of 180 bytes, by the store and, as a bound that no
// client can beat, by writing the same bytes raw and discarding the answers.
func BenchmarkCommit(b *testing.B) {
	const profiles = 10_000
	addr := realRedis(b)
	client, group := open(b, addr), newGroup(b, addr)
	b.Run("store", func(b *testing.B) {
		p := client.Partition(group, 0)
		closeLater(b, p)
		c := batch(profiles)
		if _, err := p.Claim(b.Context(), c.Previous); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		spent := startMeter(b, addr)
		for b.Loop() {
			c.Token = nextToken(c.Previous)
			if err := p.Commit(b.Context(), c); err != nil {
				b.Fatal(err)
			}
			c.Previous = c.Token
		}
		spent(profiles)
	})
	b.Run("raw", func(b *testing.B) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		closeLater(b, conn)
		answers := bufio.NewReader(conn)
		request := rawCommit(strings.TrimSuffix(redisstore.MetaKey(group, 1), "meta"), batch(profiles))
		b.ReportAllocs()
		spent := startMeter(b, addr)
		for b.Loop() {
			if _, err := conn.Write(request); err != nil {
				b.Fatal(err)
			}
			for line := ""; line != "END\r\n"; {
				if line, err = answers.ReadString('\n'); err != nil {
					b.Fatal(err)
				}
			}
		}
		spent(profiles)
	})
}

// rawCommit is the bytes of a commit, followed by an echo of END.
func rawCommit(tag string, c *pipeline.Commit) (out []byte) {
	command := func(args ...string) {
		out = fmt.Appendf(out, "*%d\r\n", len(args))
		for _, a := range args {
			out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	command("MULTI")
	args := []string{"HSET", tag + "profiles"}
	for i := range c.Keys {
		args = append(args, string(c.Keys[i]), string(c.Profiles[i]))
		if len(args) > 2000 {
			command(args...)
			args = args[:2]
		}
	}
	command("SET", tag+"meta", string(make([]byte, 500)))
	command("EXEC")
	command("WATCH", tag+"meta")
	command("PING", "END")
	return out
}

// BenchmarkLoad measures a load of 1,000 profiles of 180 bytes.
func BenchmarkLoad(b *testing.B) {
	const profiles = 1000
	addr := realRedis(b)
	client, group := open(b, addr), newGroup(b, addr)
	p := client.Partition(group, 0)
	closeLater(b, p)
	c := batch(profiles)
	c.Token[0] = 1
	if _, err := p.Claim(b.Context(), c.Previous); err != nil {
		b.Fatal(err)
	}
	if err := p.Commit(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	l := pipeline.Load{Keys: c.Keys}
	b.ReportAllocs()
	spent := startMeter(b, addr)
	for b.Loop() {
		if err := p.Load(b.Context(), &l); err != nil {
			b.Fatal(err)
		}
	}
	spent(profiles)
	if len(l.Profiles[profiles-1]) != benchProfileBytes {
		b.Fatalf("loaded %d bytes", len(l.Profiles[profiles-1]))
	}
}
