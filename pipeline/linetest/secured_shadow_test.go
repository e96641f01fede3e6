//go:build integration

package linetest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"ebb/scoring/scoringtest/golden"
)

// shadowACLs are what ebb run needs in addition for all of its shadows, and ebb check, as listed in docs/security.md.
func shadowACLs(g *group) []acl {
	return []acl{
		{"topic", g.shadowTopic(), kadm.OpWrite},
		{"groups", g.name + ".shadow.", kadm.OpRead},
		{"transaction", "ebb/" + g.name + ".shadow.", kadm.OpWrite},
		{"topic", g.shadowTopic(), kadm.OpDescribeConfigs},
	}
}

// shadowPermissions runs a shadow, compares it and forgets it, each with exactly the needed permissions, and without
// each of them. The main processor needs none of these.
func (k *securedKafka) shadowPermissions(t *testing.T) {
	w := newWorldAt(t, k.at("OPEN"), 1)
	w.produce(events("shop", 1, shop(5, 20, 200)))
	runs, reads := entries()["plain"], entries()["scram-sha-256"]
	g := w.group("shade", redisAddress(), map[string]string{"shadows": "{same: any}"}).with(k.keys(t, runs, rightPassword))
	g.keys["kafka.shadow"] = g.shadowTopic()
	w.create(1, g.shadowTopic())
	t.Cleanup(func() { g.shadowOf("same").wipe() })
	others := slices.Concat(leastACLs(g), checkACLs(g))
	k.allow(t, runs.user, others...)
	p := g.run(nil, nil, "--until-end", "--leave")
	if s := p.finish(); s.Events == 0 || !strings.Contains(p.stdout.String(), `"error":`) {
		t.Errorf("without any of the shadow's:\n%s", p.stdout.String())
	}
	k.allow(t, runs.user, shadowACLs(g)...)
	file := g.config(nil)
	check := func() *process { return start(t, nil, "check", "-c", file) }
	found := k.without(t, runs.user, w.input, shadowACLs(g), check)
	p = g.run(nil, nil, "--until-end", "--leave")
	if p.finish(); strings.Contains(p.stdout.String(), `"error":`) ||
		!strings.Contains(p.stdout.String(), `"name":"same"`) {
		t.Errorf("the shadow:\n%s", p.stdout.String())
	}

	file = g.config(k.keys(t, reads, rightPassword))
	for _, c := range []struct {
		acls []acl
		args []string
	}{
		{
			[]acl{{"topic", g.alerts, kadm.OpRead}, {"topic", g.shadowTopic(), kadm.OpRead}, {"topic", g.input, kadm.OpRead}},
			nil,
		},
		{
			[]acl{{"topic", g.input, kadm.OpRead}, {"group", g.name + ".shadow.same", kadm.OpDelete}},
			[]string{"--forget", "same", "--yes"},
		},
	} {
		command := func() *process { return start(t, nil, append([]string{"packs", "shadow", "-c", file}, c.args...)...) }
		k.allow(t, reads.user, c.acls...)
		found += k.without(t, reads.user, w.input, c.acls, command)
		if p := command(); p.wait().ExitStatus() != 0 {
			t.Errorf("%s\n%s", p.stdout.String(), p.stderr.String())
		}
		k.forbid(t, reads.user, c.acls...)
	}
	golden.File(t, "secured_shadow.golden", found)
}

// shadows runs a shadow and compares it with exactly the permissions at Redis that docs/security.md lists, and with
// less. The main processor needs none of these.
func (r *redises) shadows(t *testing.T) {
	w := newWorld(t, 1)
	w.produce(events("shop", 1, shop(5, 20, 200)))
	g := w.group("shade", r.at("open"), map[string]string{"shadows": "{same: any}"}).with(r.keys(t, rightPassword))
	g.keys["kafka.shadow"] = g.shadowTopic()
	w.create(1, g.shadowTopic())
	r.allow(t, g, leastRedis())
	run := func() string {
		t.Helper()
		p := g.run(nil, nil, "--until-end", "--leave")
		p.finish()
		p.noSecrets()
		return p.stdout.String()
	}
	compare := func() (exit int, said string) {
		t.Helper()
		p := start(t, nil, "packs", "shadow", "-c", g.config(nil))
		exit = p.wait().ExitStatus()
		p.noSecrets()
		return exit, p.stdout.String() + p.stderr.String()
	}
	if said := run(); !strings.Contains(said, `"error":"`) || !strings.Contains(said, "permission") {
		t.Errorf("without the shadow's keys: %s", said)
	}
	_, found := g.check(nil)
	if strings.Count(found, "permission_missing") != 1 || !strings.Contains(found, "shadow same: redis: ") {
		t.Errorf("check without the shadow's keys:\n%s", found)
	}
	keys := "~ebb:{" + g.name + ".shadow.*"
	if exit, said := compare(); exit != 1 || !strings.Contains(said, "NOPERM") {
		t.Errorf("without %s: exit status %d\n%s", keys, exit, said)
	}
	r.do(t, "open", "ACL SETUSER ebb "+keys)
	if said := run(); strings.Contains(said, `"error":`) || !strings.Contains(said, `"name":"same"`) {
		t.Errorf("with the shadow's keys: %s", said)
	}
	if exit, said := compare(); exit != 0 || !strings.Contains(said, "Both stand at the same record") {
		t.Errorf("with %s: exit status %d\n%s", keys, exit, said)
	}
	if rule := strings.ReplaceAll(keys, g.name, "ebb"); !strings.Contains(text(t, "docs/security.md"), "`"+rule+"`") {
		t.Errorf("docs/security.md does not list %s", rule)
	}
}
