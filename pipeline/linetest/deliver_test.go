//go:build integration

package linetest_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// posted is an alert that the test publishes.
type posted struct {
	id, customer, body string
	expires            time.Time
}

// TestDeliverUnderFailures: a receiver that fails 70 % of the requests is killed again and again, and so are two
// deliverers. The pauses are 750 times shorter than by default, so that five seconds are an hour of them. Each alert
// takes effect once, in order for each customer; nothing is missing, nothing that was aborted comes, and nothing is
// given up before it has expired.
func TestDeliverUnderFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	topic := w.input + ".posted"
	w.create(8, topic, topic+".dlq")
	h := startHook(t, "0.7")
	secrets := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(secrets, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := w.group("run", redisAddress(), map[string]string{
		"deliver.url": "http://" + h.address + "/", "deliver.secrets_file": secrets,
		"deliver.timeout": "400ms", "deliver.max_pause": "400ms", "deliver.listen": `""`, "kafka.session_timeout": "6s",
	})
	g.keys["kafka.alerts"] = topic
	run := func(instance string) *process {
		return start(t, nil, "deliver", "-c", g.config(map[string]string{"kafka.instance_id": instance}))
	}
	deliverers := map[string]*process{"one": run("one"), "two": run("two")}
	var all []posted
	kills := 0
	for began := time.Now(); time.Since(began) < 60*time.Second; kills++ {
		all = append(all, w.post(topic, 8, time.Hour)...)
		all = append(all, w.post(topic, 2, 5*time.Second)...)
		all = append(all, w.post(topic, 2, 0)...)
		<-time.After(time.Duration(1000+mathrand.IntN(2000)) * time.Millisecond)
		switch kills % 3 {
		case 0:
			h.kill()
			<-time.After(500 * time.Millisecond)
			h.start()
		default:
			name := []string{"one", "two"}[kills%2]
			deliverers[name].signal([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[mathrand.IntN(2)])
			deliverers[name].wait()
			deliverers[name] = run(name)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("of %d alerts these have not taken effect: %v", len(all), missing(h.effects(), all))
		}
	})
	deliverers["one"].until("everything has taken effect or is given up", func() bool {
		missing := missing(h.effects(), all)
		if slices.ContainsFunc(missing, func(p posted) bool { return p.expires.IsZero() || time.Until(p.expires) > 0 }) {
			return false
		}
		given := w.givenUp(topic+".dlq", all)
		return !slices.ContainsFunc(missing, func(p posted) bool { return !given[p.id] })
	})
	given := w.givenUp(topic+".dlq", all)
	judgeEffects(t, h.effects(), all, given)
	t.Logf("%d alerts, %d given up, %d rounds of kills", len(all), len(given), kills)
	for name, p := range deliverers {
		p.signal(syscall.SIGTERM)
		if s := p.wait(); s.ExitStatus() != 0 {
			t.Errorf("%s ended with %d", name, s.ExitStatus())
		}
	}
}

// missing are the alerts that have not taken effect.
func missing(effects []effect, all []posted) []posted {
	return slices.DeleteFunc(slices.Clone(all), func(p posted) bool {
		return slices.ContainsFunc(effects, func(e effect) bool { return e.id == p.id })
	})
}

// post publishes an alert of each of so many of 40 customers in a transaction, and aborts as many others. They expire within
// that time; 0: they end episodes.
func (w *world) post(topic string, customers int, within time.Duration) (all []posted) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka), kgo.TransactionalID(topic))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := client.BeginTransaction(); err != nil {
			w.t.Fatal(err)
		}
		all = nil
		for _, c := range mathrand.Perm(40)[:customers] {
			p := posted{id: strings.ToLower(rand.Text()), customer: fmt.Sprintf("customer-%d", c)}
			p.body = fmt.Sprintf(`{"id":%q,"customer":%q}`, p.id, p.customer)
			if within > 0 {
				p.expires = time.Now().Add(within)
				p.body = fmt.Sprintf(`{"id":%q,"customer":%q,"expires_at":%q}`, p.id, p.customer,
					p.expires.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
			record := &kgo.Record{Topic: topic, Key: []byte(p.customer), Value: []byte(p.body)}
			if err := client.ProduceSync(w.t.Context(), record).FirstErr(); err != nil {
				w.t.Fatal(err)
			}
			all = append(all, p)
		}
		if err := client.EndTransaction(w.t.Context(), end); err != nil {
			w.t.Fatal(err)
		}
	}
	return all
}

// givenUp are the ids of the dead letters. Each has to be one of the alerts, byte for byte, once, and expired.
func (w *world) givenUp(topic string, all []posted) map[string]bool {
	w.t.Helper()
	given := map[string]bool{}
	for _, r := range w.read(topic) {
		var said struct{ ID string }
		if err := json.Unmarshal(r.Value, &said); err != nil {
			w.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(p posted) bool { return p.id == said.ID })
		switch {
		case i < 0 || all[i].body != string(r.Value):
			w.t.Errorf("dead letter %s was not published", r.Value)
		case given[said.ID]:
			w.t.Errorf("%s is given up twice", said.ID)
		case all[i].expires.IsZero() || time.Until(all[i].expires) > 0 || header(r, "ebb.error.code") != "expired":
			w.t.Errorf("%s is given up before its time", r.Value)
		}
		given[said.ID] = true
	}
	return given
}

// judgeEffects compares what took effect with what was published. What was given up may have taken effect before.
func judgeEffects(t *testing.T, effects []effect, all []posted, given map[string]bool) {
	t.Helper()
	byCustomer := func(ids []posted) map[string][]string {
		out := map[string][]string{}
		for _, p := range ids {
			if !given[p.id] {
				out[p.customer] = append(out[p.customer], p.id+p.body)
			}
		}
		return out
	}
	seen := map[string]bool{}
	var got []posted
	for _, e := range effects {
		i := slices.IndexFunc(all, func(p posted) bool { return p.id == e.id })
		if i < 0 {
			t.Errorf("%s took effect, and was not published", e.body)
			continue
		}
		if seen[e.id] {
			t.Errorf("%s took effect twice", e.id)
		}
		seen[e.id] = true
		got = append(got, posted{id: e.id, customer: all[i].customer, body: e.body})
	}
	want, have := byCustomer(all), byCustomer(got)
	for customer, ids := range want {
		if !slices.Equal(ids, have[customer]) {
			t.Errorf("%s: published %d, took effect %d, or in another order:\n%v\n%v", customer, len(ids), len(have[customer]),
				ids, have[customer])
		}
	}
}
