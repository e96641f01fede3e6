//go:build integration

package linetest_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/linetest/oracle"
	"ebb/scoring/scoringtest/golden"
)

// Each kind of login works with the least permissions that docs/security.md lists, and each of them is needed: without
// it, ebb reports that. It also reports every wrong certificate, password or port; testdata/secured_kafka.golden is
// made to be read.
func TestSecuredKafka(t *testing.T) {
	t.Parallel()
	k := startSecuredKafka(t)
	k.Issue(t, "ebb")
	for name, e := range entries() {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, k.at("OPEN"), 1)
			input := w.produce(poisoned(events("shop", 1, shop(5, 150, 400))))
			want := oracle.Fold(input, shopSettings())
			g := w.group(name, redisAddress(), nil).with(k.keys(t, e, rightPassword))
			k.allow(t, e.user, leastACLs(g)...)
			p := g.run(nil, nil, append(shopFlags(), "--until-end", "--leave")...)
			p.finish()
			p.noSecrets()
			alerts := g.published()
			checkOnce(t, alerts)
			checkFold(t, want.Alerts, alerts)
			g.checkQuarantine(want.Quarantined)
			k.allow(t, e.user, checkACLs(g)...)
			_, found := g.check(nil)
			if strings.Contains(found, "permission_missing") || !strings.Contains(found, "ok       brokers") ||
				!strings.Contains(found, "ok       transactions") {
				t.Errorf("check:\n%s", found)
			}
		})
	}
	t.Run("refusals", k.refusals)
	t.Run("permissions", k.permissions)
	t.Run("permissions to replay", k.replayPermissions)
	t.Run("permissions to create", k.createPermissions)
	t.Run("permissions of shadows", k.shadowPermissions)
	t.Run("permissions to deliver", k.deliverPermissions)
	t.Run("renewal", k.renewal)
}

// with changes the group's configuration, addresses included.
func (g *group) with(keys map[string]string) *group {
	maps.Copy(g.keys, keys)
	return g
}

// refusals runs ebb check with everything that can be wrong with a certificate, a login or a port.
func (k *securedKafka) refusals(t *testing.T) {
	other := authority.New(t)
	other.Issue(t, "ebb")
	k.IssueUntil(t, "ebb-expired", "ebb", time.Now().Add(-time.Hour))
	w := newWorldAt(t, k.at("OPEN"), 1)
	all := entries()
	change := func(e entry, changes map[string]string) map[string]string {
		keys := k.keys(t, e, rightPassword)
		for key, v := range changes {
			if v == "" {
				delete(keys, key)
				continue
			}
			keys[key] = v
		}
		return keys
	}
	under := func(listener string) entry { return entry{listener: listener} }
	otherCA := "{enabled: true, ca_file: " + other.Path("ca.pem") + "}"
	foreign := "{enabled: true, ca_file: " + k.Path(
		"ca.pem",
	) + ", cert_file: " + other.Path(
		"ebb.pem",
	) + ", key_file: " + other.Path(
		"ebb.key",
	) + "}"
	g := w.group("refused", redisAddress(), nil)
	var got strings.Builder
	for _, c := range []struct {
		name string
		keys map[string]string
	}{
		{"wrong password, plain", k.keys(t, all["plain"], wrongPassword)},
		{"wrong password, scram-sha-256", k.keys(t, all["scram-sha-256"], wrongPassword)},
		{"wrong password, scram-sha-512", k.keys(t, all["scram-sha-512"], wrongPassword)},
		{"unknown user, plain", k.keys(t, entry{"LOGIN", "nobody", "plain", ""}, rightPassword)},
		{"unknown user, scram-sha-512", k.keys(t, entry{"LOGIN", "nobody", "scram-sha-512", ""}, rightPassword)},
		{"login where none is asked for", k.keys(t, entry{"CERTIFICATE", "plain", "plain", "ebb"}, rightPassword)},
		{"no login where one is asked for", k.keys(t, under("LOGIN"), "")},
		{"expired server certificate", k.keys(t, under("EXPIRED"), "")},
		{"wrong host name", k.keys(t, under("ELSEWHERE"), "")},
		{"wrong authority", change(all["plain"], map[string]string{"kafka.tls": otherCA})},
		{"no client certificate", k.keys(t, under("CERTIFICATE"), "")},
		{"expired client certificate", k.keys(t, entry{"CERTIFICATE", "", "", "ebb-expired"}, "")},
		{"client certificate of another authority", change(under("CERTIFICATE"), map[string]string{"kafka.tls": foreign})},
		{"plain text at the port of TLS", change(under("CERTIFICATE"), map[string]string{"kafka.tls": ""})},
		{"plain text with login at the port of TLS", change(all["plain"], map[string]string{"kafka.tls": ""})},
		{"TLS at the port of plain text", k.keys(t, under("OPEN"), "")},
	} {
		exit, found := g.check(c.keys)
		if exit != 1 {
			t.Errorf("%s: exit status %d\n%s", c.name, exit, found)
		}
		fmt.Fprintf(&got, "## %s\n%s\n", c.name, about("brokers", found, k.Authority, other))
	}
	golden.File(t, "secured_kafka.golden", got.String())
}

// about is the findings of check about one subject, without what differs from run to run.
func about(check, found string, authorities ...*authority.Authority) string {
	var b strings.Builder
	mine := false
	for line := range strings.Lines(found) {
		switch {
		case strings.HasPrefix(line, "  "):
		default:
			mine = strings.Contains(line, " "+check+": ")
		}
		if mine {
			b.WriteString(line)
		}
	}
	text := b.String()
	for _, a := range authorities {
		text = strings.ReplaceAll(text, a.Dir+"/", "")
	}
	for pattern, with := range map[string]string{
		`\d+\.\d+\.\d+\.\d+:\d+->\d+\.\d+\.\d+\.\d+:\d+`: "A->B", `\d+\.\d+\.\d+\.\d+:\d+`: "HOST:PORT", `\d{4}-\d\d-\d\dT\S+Z`: "TIME",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

// permissions removes one permission after the other.
func (k *securedKafka) permissions(t *testing.T) {
	w := newWorldAt(t, k.at("OPEN"), 1)
	w.produce(events("shop", 1, shop(5, 20, 200)))
	e := entries()["scram-sha-512"]
	g := w.group("short", redisAddress(), nil).with(k.keys(t, e, rightPassword))
	k.allow(t, e.user, slices.Concat(leastACLs(g), checkACLs(g))...)
	file := g.config(nil)
	check := func() *process { return start(t, nil, "check", "-c", file) }
	golden.File(
		t,
		"secured_permissions.golden",
		k.without(t, e.user, w.input, slices.Concat(leastACLs(g), checkACLs(g)), check),
	)

	k.forbid(t, e.user, leastACLs(g)[0])
	p := g.run(nil, nil, shopFlags()...)
	p.says("permission_missing", "allow ebb's user to READ the input topic")
	p.signal(syscall.SIGTERM)
	p.wait()
	k.allow(t, e.user, leastACLs(g)[0])

	// The commands besides run need little.
	for command, c := range map[string]struct {
		entry
		acls []acl
		args []string
	}{
		"produce": {
			entries()["scram-sha-256"],
			[]acl{{"topic", g.input, kadm.OpWrite}, {"topic", g.input, kadm.OpDescribeConfigs}},
			[]string{eventFile(t)},
		},
		"rebuild": {e, nil, []string{"--from", "earliest", "--yes"}},
		"dlq":     {entries()["plain"], []acl{{"topic", g.input + ".dlq", kadm.OpRead}}, []string{"list"}},
		"alerts": {
			entries()["plain"],
			[]acl{{"topic", g.alerts, kadm.OpRead}},
			[]string{"--from-start", "--until-end", "--json"},
		},
	} {
		k.allow(t, c.user, c.acls...)
		p := start(t, nil, append([]string{command, "-c", g.config(k.keys(t, c.entry, rightPassword))}, c.args...)...)
		if s := p.wait(); s.ExitStatus() != 0 {
			t.Errorf("%s: exit status %d\n%s", command, s.ExitStatus(), p.stderr.String())
		}
		p.noSecrets()
	}
}

// eventFile is a log of one event.
func eventFile(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/one.ndjson"
	overwrite(t, file, `{"id":"1","customer":"c","type":"visit","time":"2024-01-01T00:00:00Z"}`+"\n")
	return file
}

// renewal starts the program with credentials that the broker refuses, and mends them on disk.
func (k *securedKafka) renewal(t *testing.T) {
	for name, c := range map[string]struct {
		entry
		password string
		says     string
		mend     func(file string)
	}{
		"certificate": {
			entry{"CERTIFICATE", "CN=ebb", "", "renewed"},
			"",
			"which expired at",
			func(string) { k.IssueUntil(t, "renewed", "ebb", time.Now().Add(time.Hour)) },
		},
		"password": {
			entries()["scram-sha-512"],
			wrongPassword,
			"refuses the login",
			func(file string) { overwrite(t, file, rightPassword) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			k.IssueUntil(t, "renewed", "ebb", time.Now().Add(-time.Hour)) // each leaves it damaged
			w := newWorldAt(t, k.at("OPEN"), 1)
			w.produce(events("shop", 1, shop(5, 20, 200)))
			keys := k.keys(t, c.entry, c.password)
			proxy := startCounter(t, k.at(c.listener))
			keys["kafka.brokers"] = "[" + proxy.address + "]"
			address := freeAddress(t)
			keys["http.listen"] = address
			g := w.group(name, redisAddress(), nil).with(keys)
			k.allow(t, c.user, leastACLs(g)...)
			p := g.run(nil, nil, shopFlags()...)
			p.says("cannot start yet, trying again", c.says)
			began := time.Now()
			p.until("it has had time for a storm", func() bool { return time.Since(began) > 4*time.Second })
			if n := proxy.connections.Load(); n > 6 {
				t.Errorf("%d connections in four seconds of being refused", n)
			}
			if live, ready := status(address, "livez"), status(address, "readyz"); live != 200 || ready != 503 {
				t.Errorf("livez %d, readyz %d", live, ready)
			}
			_, file, _ := strings.Cut(keys["kafka.sasl"], "password_file: ")
			c.mend(strings.TrimSuffix(file, "}"))
			p.says("changed file read, new connections use it")
			p.until("the input is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
			for _, file := range []string{k.Path("renewed.pem"), strings.TrimSuffix(file, "}")} {
				if file != "" {
					overwrite(t, file, "\n")
				}
			}
			p.says("changed file cannot be used, going on with what was read before")
			if n := strings.Count(p.stderr.String(), "cannot start yet"); n != 1 {
				t.Errorf("it says %d times why it cannot start:\n%s", n, p.stderr.String())
			}
			p.signal(syscall.SIGTERM)
			p.wait()
			p.noSecrets()
		})
	}
}

// counter forwards connections and counts them.
type counter struct {
	address     string
	connections atomic.Int64
}

func startCounter(t *testing.T, to string) *counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &counter{address: l.Addr().String()}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			c.connections.Add(1)
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go forward(far, near)
			go forward(near, far)
		}
	}()
	return c
}

func forward(to, from net.Conn) {
	_, _ = io.Copy(to, from) // until either end closes
	_ = to.Close()
}

func overwrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
