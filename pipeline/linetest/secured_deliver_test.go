//go:build integration

package linetest_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// deliverACLs are all permissions that ebb deliver needs, as listed in docs/security.md.
func deliverACLs(g *group) []acl {
	return []acl{
		{"topic", g.alerts, kadm.OpRead},
		{"topic", g.alerts + ".dlq", kadm.OpWrite},
		{"group", g.name + ".deliver", kadm.OpRead},
		{"transaction", "ebb/" + g.name + ".deliver/", kadm.OpWrite},
	}
}

// deliverPermissions delivers with exactly the needed permissions, and without each of them says what is missing.
func (k *securedKafka) deliverPermissions(t *testing.T) {
	w := newWorldAt(t, k.at("OPEN"), 1)
	h := startHook(t, "0")
	signs := t.TempDir() + "/secrets"
	overwrite(t, signs, hookSecret+"\n")
	user := entries()["scram-sha-512"]
	g := w.group("hook", redisAddress(), map[string]string{
		"deliver.url": "http://" + h.address + "/", "deliver.secrets_file": signs, "deliver.listen": `""`,
		"deliver.max_pause": "100ms",
	}).with(k.keys(t, user, rightPassword))
	w.create(1, g.alerts+".dlq")
	file := g.config(nil)
	run := func() *process { return start(t, nil, "deliver", "-c", file) }
	k.allow(t, user.user, deliverACLs(g)...)
	expired := w.post(g.alerts, 1, time.Millisecond)
	all := append(expired, w.post(g.alerts, 3, time.Hour)...)
	p := run()
	p.until("all are delivered or given up", func() bool {
		return len(h.effects()) == 3 && w.givenUp(g.alerts+".dlq", all)[expired[0].id]
	})
	leave(p)
	for _, a := range deliverACLs(g) {
		k.forbid(t, user.user, a)
		p := run()
		p.says("permission_missing")
		leave(p)
		p.noSecrets()
		k.allow(t, user.user, a)
	}
	all = append(all, w.post(g.alerts, 2, time.Hour)...)
	p = run()
	p.until("the rest is delivered", func() bool { return len(h.effects()) == 5 })
	leave(p)
	judgeEffects(t, h.effects(), all, map[string]bool{expired[0].id: true})
}
