//go:build integration

package linetest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consumer is a program of docs/consuming.md that reads the alerts of a group, and is killed now and then.
type consumer struct {
	t      *testing.T
	argv   []string
	env    []string
	state  string // its file
	cmd    *exec.Cmd
	stderr output
	read   func() effects // what it has decided
}

// effects are what a consumer has decided on alerts: start, cancel or nothing, an entry each time.
type effects map[string][]string // by the alert's id

func (c *consumer) start() {
	c.t.Helper()
	c.cmd = exec.Command(c.argv[0], c.argv[1:]...)
	c.cmd.Env = append(append(os.Environ(), "STATE_FILE="+c.state), c.env...)
	c.cmd.Stderr = &c.stderr
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *consumer) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGKILL)
	_ = c.cmd.Wait()
}

// goConsumer builds docs/consuming/go.
func (g *group) goConsumer() *consumer {
	g.t.Helper()
	dir := g.t.TempDir()
	c := &consumer{t: g.t, argv: []string{filepath.Join(dir, "consumer")}, state: filepath.Join(dir, "state")}
	if out, err := exec.Command("go", "build", "-o", c.argv[0], "ebb/docs/consuming/go").CombinedOutput(); err != nil {
		g.t.Fatalf("%v\n%s", err, out)
	}
	c.read = func() effects {
		text, err := os.ReadFile(c.state)
		if err != nil && !os.IsNotExist(err) {
			g.t.Fatal(err)
		}
		all := effects{}
		for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
			var said struct{ ID, Do string }
			if err := json.Unmarshal(line, &said); err != nil {
				g.t.Fatalf("%v: %q", err, line)
			}
			all[said.ID] = append(all[said.ID], said.Do)
		}
		return all
	}
	return g.consuming(c, "go")
}

// readSQLite prints the effects in the database of docs/consuming/python, an id and what was done a line.
const readSQLite = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for row in db.execute("SELECT a.id, coalesce(t.do, 'nothing') FROM alert a LEFT JOIN todo t ON t.id = a.id"):
    print(*row)
`

// pythonConsumer installs what docs/consuming/python needs.
func (g *group) pythonConsumer() *consumer {
	g.t.Helper()
	folder := filepath.Join(top, "docs", "consuming", "python")
	c := &consumer{
		t: g.t, argv: []string{"python3", filepath.Join(folder, "consumer.py")}, state: filepath.Join(g.t.TempDir(), "state"),
		env: []string{"PYTHONPATH=" + libraries(g.t, filepath.Join(folder, "requirements.txt")), "PYTHONDONTWRITEBYTECODE=1"},
	}
	c.read = func() effects {
		out, err := exec.Command("python3", "-c", readSQLite, c.state).CombinedOutput()
		if err != nil {
			g.t.Fatalf("%v\n%s", err, out)
		}
		all := effects{}
		for line := range strings.Lines(string(out)) {
			id, do, _ := strings.Cut(strings.TrimSpace(line), " ")
			all[id] = append(all[id], do)
		}
		return all
	}
	return g.consuming(c, "python")
}

// consuming starts a consumer on the group's alerts.
func (g *group) consuming(c *consumer, name string) *consumer {
	g.t.Helper()
	c.env = append(c.env, "KAFKA_BROKERS="+g.kafka, "ALERTS_TOPIC="+g.alerts, "CONSUMER_GROUP="+g.name+"."+name)
	c.start()
	g.t.Cleanup(func() {
		c.kill()
		if g.t.Failed() {
			g.t.Logf("the %s consumer: %s", name, tail(c.stderr.String(), 20))
		}
	})
	return c
}

// TestConsumersUnderKills runs both programs of docs/consuming.md beside ebb run, and kills them while alerts flow,
// among them some that are never published. In the end each alert was decided on once and rightly, and the open actions
// are those of the open episodes. What ebb published is as the schemas say.
func TestConsumersUnderKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	g := w.group("run", redisAddress(), map[string]string{"pack": "retail"})
	g.keys["pack.name"], g.keys["pack.horizon"] = "retail", "30d"
	delete(g.keys, "pack")
	run := g.run(nil, nil)
	consumers := []*consumer{g.goConsumer(), g.pythonConsumer()}
	begin, sent, kills := time.Now().Truncate(time.Hour), 0, 0
	for day := range 160 {
		records := purchases(begin, day)
		sent += len(records)
		w.produce(records)
		if day%20 == 10 {
			g.abortAlert()
		}
		if day%8 == 7 {
			c := consumers[kills%2]
			c.kill()
			<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
			c.start()
			kills++
		}
		<-time.After(250 * time.Millisecond)
	}
	g.past(run, int64(sent)-1)
	run.signal(syscall.SIGTERM)
	run.wait()
	published := g.published()
	want, open := rightly(published)
	for i := range published {
		a := &published[i]
		ends := slices.Contains([]string{"recovered", "converted", "corrected", "expired"}, a.Transition)
		begins := slices.Contains([]string{"raised", "escalated", "deescalated"}, a.Transition)
		if ends && !a.Expires.IsZero() || begins && a.Expires.IsZero() {
			t.Errorf("alert %s, %s, expires %v", a.ID, a.Transition, a.Expires)
		}
	}
	t.Logf("%d events, %d kills, %d alerts, %d open episodes", sent, kills, len(published), len(open))
	if kinds := transitions(published); len(published) < 100 || len(open) < 5 || len(kinds) < 4 {
		t.Errorf("too little happened: %v", kinds)
	}
	for _, c := range consumers {
		eventually(t, "all alerts are decided on", func() bool { return len(c.read()) >= len(want) })
		c.kill()
		if diff := gocmp.Diff(want, c.read()); diff != "" {
			t.Errorf("%v has decided otherwise (-want +got):\n%s", c.argv, diff)
		}
		if got := stillOpen(published, c.read()); !maps.Equal(open, got) {
			t.Errorf("%v: actions of episodes %v are open, want %v", c.argv, got, open)
		}
	}
	g.checkSchema("alert", g.alerts)
	g.checkSchema("control", g.own()[0])
}

// purchases are the events of a day: sixty customers who each buy in a rhythm of one to three days for 35 days, and
// then nothing for 45. Some say that they leave and stay after all, some orders become known late.
func purchases(begin time.Time, day int) (all []record) {
	event := func(customer, day int, kind string) {
		at := begin.AddDate(0, 0, day).Add(time.Duration(customer) * time.Minute)
		all = append(all, record{
			key: fmt.Sprintf("c-%d", customer), millis: time.Now().UnixMilli(), value: fmt.Appendf(
				nil,
				`{"customer":"c-%d","type":%q,"time":%q,"value":"12.90","currency":"EUR"}`,
				customer,
				kind,
				at.UTC().Format(time.RFC3339),
			),
		})
	}
	for c := range 60 {
		phase := (day + 7*c) % 80
		switch {
		case phase < 35 && phase%(1+c%3) == 0:
			event(c, day, "Order Completed")
		case phase == 36 && c%5 == 0:
			event(c, day, "Cancellation Requested")
		case phase == 40 && c%10 == 0:
			event(c, day, "Cancellation Withdrawn")
		case phase == 75 && c%4 == 3:
			event(c, day-25, "Order Completed")
		}
	}
	return all
}

// abortAlert writes an alert that is not published.
func (g *group) abortAlert() {
	g.t.Helper()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(g.kafka),
		kgo.TransactionalID(g.alerts),
		kgo.DefaultProduceTopic(g.alerts),
	)
	if err != nil {
		g.t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		g.t.Fatal(err)
	}
	value := `{"id":"aborted","episode_id":"aborted","customer":"c-0","transition":"raised",` +
		`"expires_at":"2199-01-01T00:00:00Z"}`
	if err := client.ProduceSync(g.t.Context(), kgo.KeySliceRecord([]byte("c-0"), []byte(value))).FirstErr(); err != nil {
		g.t.Fatal(err)
	}
	if err := client.EndTransaction(g.t.Context(), kgo.TryAbort); err != nil {
		g.t.Fatal(err)
	}
}

// rightly is what is to be done on each alert, and the episodes that are open in the end.
func rightly(published []alert) (want effects, open map[string]bool) {
	want, open = effects{}, map[string]bool{}
	for i := range published {
		a := &published[i]
		do := "nothing"
		switch {
		case a.Transition == "raised" || a.Transition == "escalated":
			do, open[a.EpisodeID] = "start", true
		case a.Expires.IsZero():
			if open[a.EpisodeID] { // converted may come behind recovered
				do = "cancel"
			}
			delete(open, a.EpisodeID)
		}
		want[a.ID] = []string{do}
	}
	return want, open
}

// stillOpen are the episodes whose actions have not been cancelled.
func stillOpen(published []alert, done effects) map[string]bool {
	open := map[string]bool{}
	for i := range published {
		for _, do := range done[published[i].ID] {
			switch do {
			case "start":
				open[published[i].EpisodeID] = true
			case "cancel":
				delete(open, published[i].EpisodeID)
			}
		}
	}
	return open
}

func transitions(published []alert) map[string]int {
	all := map[string]int{}
	for i := range published {
		all[published[i].Transition]++
	}
	return all
}

// checkSchema holds the values of all records of a topic against a schema of docs.
func (g *group) checkSchema(name, topic string) {
	g.t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(top, "docs", name+".schema.json"))
	if err != nil {
		g.t.Fatal(err)
	}
	records := g.read(topic)
	for _, r := range records {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Value))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			g.t.Errorf("%s: %v\n%s", name, err, r.Value)
		}
	}
	if len(records) == 0 {
		g.t.Errorf("no record of %s", name)
	}
}
