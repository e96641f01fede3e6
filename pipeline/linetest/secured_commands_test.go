//go:build integration

package linetest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/scoring/scoringtest/golden"
)

// replayACLs are all permissions that ebb dlq replay needs, as listed in docs/security.md.
func replayACLs(w *world) []acl {
	dlq := w.input + ".dlq"
	return []acl{
		{"topic", dlq, kadm.OpRead},
		{"topic", dlq, kadm.OpWrite},
		{"topic", dlq, kadm.OpDescribeConfigs},
		{"topic", w.input, kadm.OpWrite},
		{"topic", w.input, kadm.OpDescribeConfigs},
		{"transactional id", "ebb-replay/" + dlq, kadm.OpWrite},
	}
}

// createACLs are what ebb check --create needs in addition to those of ebb check.
func createACLs(g *group) []acl {
	return []acl{
		{"topic", g.input, kadm.OpCreate},
		{"topic", g.alerts, kadm.OpCreate},
		{"topic", g.input + ".dlq", kadm.OpCreate},
		{"topic", g.own()[0], kadm.OpCreate},
		{"topic", g.own()[1], kadm.OpCreate},
		{"topic", g.own()[2], kadm.OpCreate},
	}
}

// replayPermissions replays with exactly the needed permissions, and without each of them.
func (k *securedKafka) replayPermissions(t *testing.T) {
	w := newWorldAt(t, k.at("OPEN"), 1)
	const records = 3
	for n := range records {
		w.produce([]record{{key: "ann", value: fmt.Appendf(nil, "poison %d", n), millis: 1_767_322_000_000}})
	}
	e := entries()["scram-sha-256"]
	g := w.group("replay", redisAddress(), map[string]string{"input.poison_breaker": "1"})
	if s := g.run(nil, nil, append(shopFlags(), "--until-end", "--leave")...).finish(); s.Quarantined != records {
		t.Fatalf("%+v", s)
	}
	file := g.config(k.keys(t, e, rightPassword))
	replay := func() *process { return start(t, nil, "dlq", "replay", "-c", file, "--yes") }
	acls := replayACLs(w)
	k.allow(t, e.user, acls...)
	golden.File(t, "secured_replay.golden", k.without(t, e.user, w.input, acls, replay))
	if n := sum(w.ends()); n != records {
		t.Errorf("%d records in the input after refused replays", n)
	}
	p := replay()
	s := p.wait()
	if s.ExitStatus() != 0 || p.stdout.String() != fmt.Sprintf("%d records replayed to %s\n", records, w.input) {
		t.Errorf("exit status %d\n%s%s", s.ExitStatus(), p.stdout.String(), p.stderr.String())
	}
	p.noSecrets()
}

// createPermissions runs ebb check --create with exactly the needed permissions, and without each of them.
func (k *securedKafka) createPermissions(t *testing.T) {
	w := newWorldAt(t, k.at("OPEN"), 1)
	e := entries()["plain"]
	g := w.group("create", redisAddress(), nil).with(k.keys(t, e, rightPassword))
	file := g.config(nil)
	create := func() *process {
		g.removeTopics()
		return start(t, nil, "check", "-c", file, "--create")
	}
	created := func() {
		t.Helper()
		p := create()
		s := p.wait()
		if s.ExitStatus() != 0 || strings.Count(p.stdout.String(), " created with ") != len(createACLs(g)) {
			t.Errorf("exit status %d\n%s%s", s.ExitStatus(), p.stdout.String(), p.stderr.String())
		}
		p.noSecrets()
	}
	others := slices.Concat(leastACLs(g), checkACLs(g))
	k.allow(t, e.user, slices.Concat(others, createACLs(g))...)
	golden.File(t, "secured_create.golden", k.without(t, e.user, w.input, slices.Concat(createACLs(g), others), create))
	created()

	k.forbid(t, e.user, createACLs(g)...)
	cluster := acl{"cluster", "", kadm.OpCreate}
	k.allow(t, e.user, cluster)
	created()
	k.forbid(t, e.user, cluster)
}

// removeTopics leaves the group without any of its topics.
func (g *group) removeTopics() {
	g.t.Helper()
	topics := append([]string{g.input, g.alerts, g.input + ".dlq"}, g.own()...)
	// missing ones are reported one by one
	if _, err := g.admin.DeleteTopics(g.t.Context(), topics...); err != nil {
		g.t.Fatal(err)
	}
	eventually(g.t, "the topics are gone", func() bool {
		listed, err := g.admin.ListTopics(g.t.Context(), topics...)
		return err == nil && !slices.ContainsFunc(topics, listed.Has)
	})
}

// storm is how much longer a command takes that repeats attempts where only one is due: as long as a client repeats a
// request.
const storm = 10 * time.Second

// without runs a command without each of the permissions and returns its messages about them, to be compared with the
// golden file.
func (k *securedKafka) without(t *testing.T, user, input string, acls []acl, command func() *process) string {
	t.Helper()
	var got strings.Builder
	took := map[string]time.Duration{}
	for _, a := range acls {
		k.forbid(t, user, a)
		name := strings.ReplaceAll(fmt.Sprintf("%s on %s %s", a.operation, a.kind, a.name), input, "INPUT")
		p, d := k.refused(t, name, command)
		if d > storm { // a busy broker is slow once, a command that repeats attempts each time
			var again time.Duration
			p, again = k.refused(t, name, command)
			d = min(d, again)
		}
		took[name] = d
		fmt.Fprintf(
			&got,
			"## without %s\n%s",
			name,
			strings.ReplaceAll(refusals(p.stdout.String()+p.stderr.String()), input, "INPUT"),
		)
		k.allow(t, user, a)
	}
	checkStorms(t, took)
	return got.String()
}

// refused runs a command that has to fail, and returns it with the time that it took.
func (k *securedKafka) refused(t *testing.T, name string, command func() *process) (*process, time.Duration) {
	t.Helper()
	p := command()
	began := time.Now()
	if s := p.wait(); s.ExitStatus() != 1 {
		t.Errorf("without %s: exit status %d\n%s%s", name, s.ExitStatus(), p.stdout.String(), p.stderr.String())
	}
	d := time.Since(began)
	if d > storm {
		t.Logf("without %s: it ended after %v\n%s%s", name, d, p.stdout.String(), p.stderr.String())
	}
	p.noSecrets()
	return p, d
}

// checkStorms compares the time of each command with the fastest of them, since a busy machine is slow with all.
func checkStorms(t *testing.T, took map[string]time.Duration) {
	t.Helper()
	fastest := slices.Min(slices.Collect(maps.Values(took)))
	if fastest > storm {
		t.Errorf("each took %v or longer", fastest)
	}
	for name, d := range took {
		if d > fastest+storm {
			t.Errorf("without %s: it ended after %v, another after %v", name, d, fastest)
		}
	}
}

// refusals are the lines about a permission, and what is indented below them.
func refusals(said string) string {
	var b strings.Builder
	mine := false
	for line := range strings.Lines(said) {
		if mine = strings.Contains(line, "permission_missing") || mine && strings.HasPrefix(line, "  "); mine {
			b.WriteString(line)
		}
	}
	return b.String()
}
