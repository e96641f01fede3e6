//go:build integration

package linetest_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"

	"ebb/pipeline/linetest/authority"
	"ebb/pipeline/linetest/oracle"
	"ebb/pipeline/linetest/ports"
	"ebb/pipeline/linetest/services"
	"ebb/scoring/scoringtest/golden"
)

// redises are several Redis servers in one container, by what they are for: "open" and "tls" are two ports of one
// server; "primary", "replica" and "sentinel" belong together, and so do "node1" to "node3", a cluster.
type redises struct {
	testcontainers.Container
	*authority.Authority
	t     *testing.T
	ports map[string]int
}

func startRedises(t *testing.T) *redises {
	t.Helper()
	r := &redises{Authority: authority.New(t), t: t, ports: map[string]int{}}
	r.Issue(t, "redis")
	r.IssueUntil(t, "expired", "redis", time.Now().Add(-time.Hour))
	r.IssueElsewhere(t, "elsewhere", "redis.example.org")
	names := []string{"open", "tls", "primary", "replica", "sentinel", "node1", "node2", "node3"}
	free, err := ports.Free(t.Context(), len(names))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		r.ports[name] = free[i]
	}
	const common = " --bind 0.0.0.0 --protected-mode no --save '' --appendonly no --loglevel warning"
	server := func(name, more string) string {
		return fmt.Sprintf(
			"mkdir -p /data/%s; redis-server --port %d --dir /data/%s %s %s &\n",
			name,
			r.ports[name],
			name,
			common,
			more,
		)
	}
	const tls = "--tls-port %d --tls-cert-file /etc/secured/redis.pem --tls-key-file /etc/secured/redis.key " +
		"--tls-ca-cert-file /etc/secured/ca.pem --tls-auth-clients optional"
	script := server("open", fmt.Sprintf(tls, r.ports["tls"])) +
		server("primary", "") + server("replica", fmt.Sprintf("--replicaof 127.0.0.1 %d", r.ports["primary"]))
	for i, name := range []string{"node1", "node2", "node3"} {
		script += server(
			name,
			fmt.Sprintf(
				"--cluster-enabled yes --cluster-port %d --cluster-announce-ip 127.0.0.1 --cluster-node-timeout 5000",
				1001+i,
			),
		)
	}
	script += fmt.Sprintf(
		"printf 'port %d\\nbind 0.0.0.0\\nprotected-mode no\\ndir /data\\nsentinel monitor shop 127.0.0.1 %d 1\\nsentinel "+
			"down-after-milliseconds shop 3000\\nsentinel failover-timeout shop 20000\\n' > /data/sentinel.conf; redis-server "+
			"/data/sentinel.conf --sentinel &\nwait\n",
		r.ports["sentinel"],
		r.ports["primary"],
	)
	var files []testcontainers.ContainerFile
	for _, name := range []string{
		"ca.pem",
		"redis.pem",
		"redis.key",
		"expired.pem",
		"expired.key",
		"elsewhere.pem",
		"elsewhere.key",
	} {
		files = append(
			files,
			testcontainers.ContainerFile{HostFilePath: r.Path(name), ContainerFilePath: "/etc/secured/" + name, FileMode: 0o644},
		)
	}
	r.Container, err = services.StartAt(
		t.Context(),
		services.RedisImage(),
		free,
		testcontainers.WithCmd("bash", "-c", script),
		testcontainers.WithFiles(files...),
	)
	if r.Container != nil {
		testcontainers.CleanupContainer(t, r.Container, testcontainers.StopTimeout(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if name != "tls" && name != "sentinel" {
			if err := services.RedisAnswers(t.Context(), r.at(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r
}

func (r *redises) at(name string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.ports[name]))
}

// client is connected to one of the servers.
func (r *redises) client(t *testing.T, name string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.at(name), Protocol: 2, DisableIdentity: true, MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// do sends a command, given as one line.
func (r *redises) do(t *testing.T, name, command string) {
	t.Helper()
	var args []any
	for a := range strings.FieldsSeq(command) {
		args = append(args, a)
	}
	if err := r.client(t, name).Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%s: %s: %v", name, command, err)
	}
}

// leastRedis are all commands that ebb run, check and rebuild need, as listed in docs/security.md.
func leastRedis() []string {
	return []string{
		"append",
		"client|setname",
		"exec",
		"get",
		"getrange",
		"hdel",
		"hget",
		"hlen",
		"hmget",
		"hscan",
		"hset",
		"info",
		"llen",
		"lrange",
		"ltrim",
		"multi",
		"rpush",
		"scan",
		"set",
		"setrange",
		"unlink",
		"watch",
	}
}

// neverTried are commands that ebb needs for something that no test here causes: the removal of a customer.
func neverTried() []string { return []string{"hdel", "hscan"} }

// allow gives the user these commands on the keys of the group, and nothing else.
func (r *redises) allow(t *testing.T, g *group, commands []string) {
	t.Helper()
	r.allowAt(t, "open", g, commands)
}

func (r *redises) allowAt(t *testing.T, name string, g *group, commands []string) {
	t.Helper()
	rules := "ACL SETUSER ebb reset on >" + rightPassword + " ~ebb:{" + g.name + ":p*"
	for _, c := range commands {
		if c[0] != '&' {
			c = "+" + c
		}
		rules += " " + c
	}
	r.do(t, name, rules)
}

// keys configures a group for the server with TLS.
func (r *redises) keys(t *testing.T, password string) map[string]string {
	t.Helper()
	return map[string]string{
		"redis.addresses": "[" + r.at("tls") + "]", "redis.tls": "{enabled: true, ca_file: " + r.Path("ca.pem") + "}",
		"redis.username": "ebb", "redis.password_file": passwordFile(t, password),
	}
}

// ebb works over TLS as a user with only the permissions that docs/security.md lists, and needs all of them. It reports
// what is wrong with a certificate, a login or a port; testdata/secured_redis.golden is made to be read. Then come the
// same servers as a primary under a Sentinel, and as a cluster.
func TestSecuredRedis(t *testing.T) {
	t.Parallel()
	r := startRedises(t)
	t.Run("least permissions", r.leastPermissions)
	t.Run("shadows", r.shadows)
	t.Run("refusals", r.refusals)
	t.Run("renewal", r.renewal)
	for name, apart := range map[string]func(*testing.T){"sentinel": r.sentinel, "cluster": r.cluster} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // servers of their own
			apart(t)
		})
	}
}

func (r *redises) leastPermissions(t *testing.T) {
	for _, acl := range [][]string{leastRedis(), clusterACL(), sentinelACL()[:5]} {
		if rules := "+" + strings.Join(acl, " +"); !strings.Contains(text(t, "docs/security.md"), rules) {
			t.Errorf("docs/security.md does not list %s", rules)
		}
	}
	w := newWorld(t, 1)
	input := w.produce(events("shop", 1, shop(5, 150, 400)))
	g := w.group("least", r.at("open"), nil).with(r.keys(t, rightPassword))
	r.allow(t, g, leastRedis())
	r.do(t, "open", "CONFIG RESETSTAT")
	run := func() {
		t.Helper()
		p := g.run(map[string]string{"state.cache": "1000"}, nil, append(shopFlags(), "--until-end", "--leave")...)
		p.finish()
		p.noSecrets()
	}
	run()
	want := oracle.Fold(input, shopSettings())
	checkFold(t, want.Alerts, g.published())
	_, found := g.check(nil)
	if !strings.Contains(found, "redis: "+r.at("tls")) || strings.Contains(found, "permission_missing") {
		t.Errorf("check:\n%s", found)
	}
	p := start(t, nil, append([]string{"rebuild", "-c", g.config(nil), "--from", "earliest", "--yes"}, shopFlags()...)...)
	if s := p.wait(); s.ExitStatus() != 0 {
		t.Fatalf("rebuild: exit status %d", s.ExitStatus())
	}
	run()
	checkFold(t, want.Alerts, g.published())

	used := map[string]bool{}
	for line := range strings.Lines(r.client(t, "open").Info(t.Context(), "commandstats").Val()) {
		if name, ok := strings.CutPrefix(line, "cmdstat_"); ok {
			name, _, _ = strings.Cut(name, ":")
			used[name] = true
		}
	}
	// always allowed, or the test's own
	for _, mine := range []string{"hello", "auth", "config|resetstat", "dump", "del"} {
		delete(used, mine)
	}
	for _, name := range neverTried() {
		used[name] = true
	}
	if diff := gocmp.Diff(leastRedis(), slices.Sorted(maps.Keys(used))); diff != "" {
		t.Errorf("commands (-allowed +used):\n%s", diff)
	}
}

func (r *redises) refusals(t *testing.T) {
	other := authority.New(t)
	other.Issue(t, "ebb")
	r.IssueUntil(t, "ebb-expired", "ebb", time.Now().Add(-time.Hour))
	w := newWorld(t, 1)
	g := w.group("refused", r.at("open"), nil).with(r.keys(t, rightPassword))
	r.allow(t, g, leastRedis())
	certificate := func(file string) { r.present(t, file) }
	tls := func(more string) map[string]string {
		return map[string]string{"redis.tls": "{enabled: true, ca_file: " + r.Path("ca.pem") + more + "}"}
	}
	none := func() {}
	var got strings.Builder
	for _, c := range []struct {
		name         string
		into, out    func()
		changes      map[string]string
		withoutLogin bool
	}{
		{"wrong password", none, none, map[string]string{"redis.password_file": passwordFile(t, wrongPassword)}, false},
		{"unknown user", none, none, map[string]string{"redis.username": "nobody"}, false},
		{
			"no password",
			func() { r.do(t, "open", "ACL SETUSER default resetpass >"+rightPassword) },
			func() { r.open(t).Do(t.Context(), "ACL", "SETUSER", "default", "nopass") },
			nil,
			true,
		},
		{
			"missing permission",
			func() { r.do(t, "open", "ACL SETUSER ebb -get") },
			func() { r.allow(t, g, leastRedis()) },
			nil,
			false,
		},
		{
			"keys of another group",
			func() { r.do(t, "open", "ACL SETUSER ebb resetkeys ~ebb:{other:p*") },
			func() { r.allow(t, g, leastRedis()) },
			nil,
			false,
		},
		{
			"wrong authority",
			none,
			none,
			map[string]string{"redis.tls": "{enabled: true, ca_file: " + other.Path("ca.pem") + "}"},
			false,
		},
		{"wrong host name", func() { certificate("elsewhere") }, func() { certificate("redis") }, nil, false},
		{"expired server certificate", func() { certificate("expired") }, func() { certificate("redis") }, nil, false},
		{"no client certificate", func() { r.do(t, "open", "CONFIG SET tls-auth-clients yes") }, none, nil, false},
		{
			"expired client certificate",
			none,
			none,
			tls(", cert_file: " + r.Path("ebb-expired.pem") + ", key_file: " + r.Path("ebb-expired.key")),
			false,
		},
		{
			"client certificate of another authority",
			none,
			func() { r.do(t, "open", "CONFIG SET tls-auth-clients optional") },
			tls(", cert_file: " + other.Path("ebb.pem") + ", key_file: " + other.Path("ebb.key")),
			false,
		},
		{"plain text at the port of TLS", none, none, map[string]string{"redis.tls": "{enabled: false}"}, false},
		{"TLS at the port of plain text", none, none, map[string]string{"redis.addresses": "[" + r.at("open") + "]"}, false},
	} {
		c.into()
		keep := maps.Clone(g.keys)
		if c.withoutLogin {
			delete(g.keys, "redis.username")
			delete(g.keys, "redis.password_file")
		}
		exit, found := g.check(c.changes)
		g.keys = keep
		c.out()
		if exit != 1 {
			t.Errorf("%s: exit status %d\n%s", c.name, exit, found)
		}
		fmt.Fprintf(
			&got,
			"## %s\n%s\n",
			c.name,
			strings.ReplaceAll(about("redis", found, r.Authority, other), w.input, "INPUT"),
		)
	}
	golden.File(t, "secured_redis.golden", got.String())
}

// open is a client that may do everything, whatever password the default user has.
func (r *redises) open(t *testing.T) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.at("open"), Password: rightPassword, Protocol: 2, MaxRetries: -1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// present makes the server show another certificate to new connections.
func (r *redises) present(t *testing.T, file string) {
	t.Helper()
	r.do(t, "open", "CONFIG SET tls-cert-file /etc/secured/"+file+".pem tls-key-file /etc/secured/"+file+".key")
}

// renewal runs the program while the server's certificate has expired, the password is wrong and a permission is
// missing, one after the other, and mends each.
func (r *redises) renewal(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(events("shop", 1, shop(5, 20, 200)))
	address := freeAddress(t)
	g := w.group("renewal", r.at("open"), nil).
		with(r.keys(t, wrongPassword)).
		with(map[string]string{"http.listen": address})
	without := slices.DeleteFunc(leastRedis(), func(c string) bool { return c == "hset" })
	r.allow(t, g, without)
	r.present(t, "expired")
	r.do(t, "open", "ACL LOG RESET")
	p := g.run(nil, nil, shopFlags()...)
	p.says("cannot start yet, trying again", "expired at")
	r.present(t, "redis")
	p.says("cannot start yet, trying again", "WRONGPASS")
	began := time.Now()
	p.until("it has had time for a storm", func() bool { return time.Since(began) > 4*time.Second })
	if n, err := r.refused(t.Context(), t); err != nil || n > 12 { // each attempt is HELLO and AUTH
		t.Errorf("%d refused logins in four seconds (%v)", n, err)
	}
	if live, ready := status(address, "livez"), status(address, "readyz"); live != 200 || ready != 503 {
		t.Errorf("livez %d, readyz %d", live, ready)
	}
	overwrite(t, g.keys["redis.password_file"], rightPassword)
	p.says("partition interrupted", "NOPERM")
	r.allow(t, g, leastRedis())
	p.until("the input is processed", func() bool { return slices.Equal(g.committed(), w.ends()) })
	if n := strings.Count(p.stderr.String(), "cannot start yet"); n != 2 {
		t.Errorf("it says %d times why it cannot start:\n%s", n, p.stderr.String())
	}
	p.signal(syscall.SIGTERM)
	p.wait()
	p.noSecrets()
}

// refused counts the logins that the server has refused, as far as its log reaches back.
func (r *redises) refused(ctx context.Context, t *testing.T) (n int64, err error) {
	t.Helper()
	entries, err := r.client(t, "open").ACLLog(ctx, 128).Result()
	for _, e := range entries {
		if e.Reason == "auth" {
			n += e.Count
		}
	}
	return n, err
}
