//go:build integration

package redisstore_test

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"testing"

	"ebb/pipeline"
)

const benchProfileBytes = 180

// batch is a commit that writes n profiles of 180 bytes under keys of 16.
func batch(n int) *pipeline.Commit {
	c := &pipeline.Commit{Meta: pipeline.Meta{Version: 1}}
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

// BenchmarkCommit measures a commit of 10,000 profiles of 180 bytes over ones that exist, at the store and, as what no
// client can beat, as the same bytes written raw with the answers thrown away.
func BenchmarkCommit(b *testing.B) {
	const profiles = 10_000
	addr := realRedis(b)
	client, group := open(b, addr), newGroup(b, addr)
	perProfile := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/profiles, "ns/profile")
	}
	b.Run("store", func(b *testing.B) {
		p := client.Partition(group, 0)
		defer p.Close()
		c := batch(profiles)
		if _, err := p.Claim(b.Context(), c.Previous); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			c.Token = nextToken(c.Previous)
			if err := p.Commit(b.Context(), c); err != nil {
				b.Fatal(err)
			}
			c.Previous = c.Token
		}
		perProfile(b)
	})
	b.Run("raw", func(b *testing.B) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		answers := bufio.NewReader(conn)
		request := rawCommit(fmt.Sprintf("ebb:{%s:p1}:", group), batch(profiles))
		b.ReportAllocs()
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
		perProfile(b)
	})
}

// rawCommit is a commit as bytes, with an echo of END behind it.
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
	defer p.Close()
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
	for b.Loop() {
		if err := p.Load(b.Context(), &l); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/profiles, "ns/profile")
	if len(l.Profiles[profiles-1]) != benchProfileBytes {
		b.Fatalf("loaded %d bytes", len(l.Profiles[profiles-1]))
	}
}
