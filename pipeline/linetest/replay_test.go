//go:build integration

package linetest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
	"ebb/pipeline/linetest/oracle"
)

// TestReplayOfALiveRun: a group first starts on a log with history, is killed on its way and started again, sees one of
// its sources fall silent and come back, holds a storm, is idle, loses its state in Redis to an older copy, is idle
// again under other settings, and releases what is held on request. A replay of its log and its control records, from
// nothing, decides what was published, to the byte. It does not without one of these control records, nor where an alert
// was forged.
func TestReplayOfALiveRun(t *testing.T) {
	t.Parallel()
	log := living(time.Now().Truncate(time.Second))
	w := newWorld(t, livingPartitions)
	g := w.group("run", redisAddress(), map[string]string{
		"start.history": "first_start", "start.initial_per_hour": "1_000_000", "sources.guard": "on",
		"storm.breaker": "on", "time.lateness": "7m", "time.idle": "2s",
	})
	flags := []string{"--horizon", fmt.Sprint(livingHorizon, "d")}
	processed := func() bool { return slices.Equal(g.committed(), w.ends()) }
	kill := func(p *process) { p.signal(syscall.SIGKILL); p.wait() }
	killedAt := func(step string, offset int64) {
		t.Helper()
		p := g.run(nil, []string{fmt.Sprintf("EBB_TEST_KILL=%s %d", step, offset)}, flags...)
		if s := p.wait(); s.Signal() != syscall.SIGKILL {
			t.Fatalf("not killed at %s %d: status %d", step, offset, s.ExitStatus())
		}
	}

	w.produce(log.history)
	end := slices.Min(w.ends())
	killedAt("commit", end/2)
	killedAt("publish", end)
	p := g.run(nil, nil, flags...)
	p.until("the initial alerts are released", func() bool { return g.kinds()[pipeline.ControlRelease] >= w.partitions })
	kill(p)
	older := g.state(t.Context())

	w.produce(log.cut)
	killedAt("commit", end+(slices.Min(w.ends())-end)/2)
	p = g.run(nil, nil, flags...)
	p.until(
		"a source is stalled",
		func() bool { return processed() && g.kinds()[pipeline.ControlStalled] >= w.partitions },
	)
	w.produce(log.back)
	p.until("it is back", func() bool { return processed() && g.kinds()[pipeline.ControlResumed] >= w.partitions })
	p.until("time passes", func() bool { return g.kinds()[pipeline.ControlTime] >= w.partitions })
	kill(p)

	g.restore(older)
	w.produce(log.more)
	before := g.kinds()[pipeline.ControlTime]
	g.keys["time.lateness"] = "4m"
	p = g.run(nil, nil, flags...)
	p.says("partition taken over", `"rewinding":true`)
	p.until("more is processed", processed)
	p.until("more time passes", func() bool { return g.kinds()[pipeline.ControlTime] >= before+w.partitions })
	released := g.kinds()[pipeline.ControlRelease]
	if s := start(t, nil, "release", "storm", "--yes", "-c", g.config(nil)).wait(); s.ExitStatus() != 0 {
		t.Fatalf("ebb release storm: status %d", s.ExitStatus())
	}
	p.until("what the storm held is released", func() bool { return g.kinds()[pipeline.ControlRelease] > released })
	leave(p)
	g.run(nil, nil, append(flags, "--until-end", "--leave", "--advance-to", "now")...).finish()

	alerts := g.published()
	checkOnce(t, alerts)
	count := func(which func(*alert) bool) (n int) {
		for i := range alerts {
			n += bit(which(&alerts[i]))
		}
		return n
	}
	initial := count(func(a *alert) bool { return a.Initial })
	raised := count(func(a *alert) bool { return a.Transition == "raised" && !a.Initial })
	frozen := count(func(a *alert) bool { return a.Unseen > 0 })
	held := count(func(a *alert) bool { return a.HeldFor > 0 })
	kinds := g.kinds()
	t.Logf("%d alerts, %d initial, %d raised later, %d of them held, %d with time that did not count; control records: %v",
		len(alerts), initial, raised, held, frozen, kinds)
	if initial < 20 || raised < 20 || frozen == 0 || held == 0 || kinds[pipeline.ControlStorm] == 0 {
		t.Error("the run shows too little")
	}
	again := g.replay(nil, flags...)
	if again.exit != 0 || again.Published != len(alerts) || again.Same != len(alerts) || again.Replayed != len(alerts) {
		t.Errorf("the replay differs: %v", again)
	}

	less := g.replay(map[string]string{"kafka.control": g.without(pipeline.ControlHistory)}, flags...)
	if less.exit != 1 || less.Extra == 0 {
		t.Errorf("without the control record of history: %v", less)
	}
	less = g.replay(map[string]string{"kafka.control": g.without(pipeline.ControlRelease)}, flags...)
	if less.exit != 2 || !strings.Contains(less.stderr, "control_lost") {
		t.Errorf("without the control record of a release: %v", less)
	}
	forged := g.read(g.alerts)[:1]
	forged[0].Value = bytes.Replace(forged[0].Value, []byte(`"tier":"`), []byte(`"tier":"not `), 1)
	g.append(g.alerts, forged)
	if again = g.replay(nil, flags...); again.exit != 1 || again.Changed != 1 {
		t.Errorf("of a forged alert: %v", again)
	}
}

// livingLog is the log of a shop that lives: its history; then two days in which one of two sources is cut, until that is
// back and the log has come up to its end, some minutes ago; and what comes after a pause.
type livingLog struct {
	end                      time.Time
	history, cut, back, more []record
}

const (
	livingHorizon    = 10 // days
	livingPartitions = 2
	livingCustomers  = 800
	livingLeavers    = 600 // so many that half an hour of them is a storm, wherever the full hour is
)

// living makes such a log. Customers come about every day, each from one source, and leave at any time; leavers leave so
// that they cross in the half hours before and after the end.
func living(now time.Time) livingLog {
	const day = 86_400
	r := rand.New(rand.NewPCG(17, 1))
	l := livingLog{end: now.Add(-4 * time.Minute)}
	end := l.end.Unix()
	from, to := end-60*3_600, end-12*3_600
	var all []visitor
	for c := range livingCustomers {
		v := visitor{name: nth(c)}
		begin := end - 59*day + r.Int64N(4*day)
		leaves := min(end, begin+int64(r.ExpFloat64()*90*day))
		for t := begin; t < leaves; t += day/2 + r.Int64N(day) {
			if sourceOf(v.name) != "web" || t < from || t >= to {
				v.times = append(v.times, t)
			}
		}
		all = append(all, v)
	}
	for i := range livingLeavers {
		v := visitor{name: fmt.Sprintf("leaver%03d", i), raised: end - 1_800 + r.Int64N(3_600)}
		for n := range int64(6) {
			v.times = append(v.times, end-10*day+n*day+r.Int64N(3_600))
		}
		all = append(all, v)
	}
	for i := range 80 { // of the web, not seen since shortly before the cut: that time does not count
		v := visitor{name: fmt.Sprintf("web%02d", i)}
		last := from - 3*day + r.Int64N(3*day)
		for n := range int64(8) {
			v.times = append(v.times, last-(7-n)*day-r.Int64N(3_600))
		}
		all = append(all, v)
	}
	for i := range 20 { // the newest events of each partition
		all = append(all, visitor{name: fmt.Sprintf("till%d", i), times: []int64{end - 3*day, end - 30 + int64(i)}})
	}
	settings := oracle.Settings{Horizon: livingHorizon, Lateness: time.Minute}
	rows := aimed(all, livingPartitions, settings, l.end.Add(4*24*time.Hour))
	until := func(seconds int64) int {
		return slices.IndexFunc(append(rows, row{seconds: end}), func(r row) bool { return r.seconds >= seconds })
	}
	l.history = sourced(1, rows[:until(from)])
	l.cut, l.back = sourced(100_001, rows[until(from):until(to)]), sourced(200_001, rows[until(to):])
	l.more = sourced(300_001, comeBack(r, end))
	return l
}

// comeBack are visits after the pause: now, and as late as only time that has passed without records makes them.
func comeBack(r *rand.Rand, end int64) (rows []row) {
	for i := range 60 {
		t := end + 120 + r.Int64N(30)
		if i%4 == 0 {
			t = end - 210 + r.Int64N(30)
		}
		name := nth(r.IntN(livingCustomers))
		if i%3 == 0 {
			name = fmt.Sprintf("leaver%03d", r.IntN(livingLeavers))
		}
		rows = append(rows, row{name, t, "visit"})
	}
	return rows
}

// sourceOf is the source of a customer's events: every other one comes from the web, leavers never.
func sourceOf(customer string) string {
	if customer[0] == 'w' || customer[0] == 'c' && customer[len(customer)-1]%2 == 0 {
		return "web"
	}
	return "till"
}

// sourced are rows as records that name the source.
func sourced(line int, rows []row) []record {
	all := events("shop", line, rows)
	for i := range all {
		value, _ := bytes.CutSuffix(all[i].value, []byte("}"))
		all[i].value = fmt.Appendf(value, `,"source":%q}`, sourceOf(all[i].key))
	}
	return all
}

// controls are the group's control records.
func (g *group) controls() (all []pipeline.Control) {
	g.t.Helper()
	for _, r := range g.read(g.keys["kafka.control"]) {
		c, err := pipeline.ReadControl(r.Value)
		if err != nil {
			g.t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// kinds is how many control records there are, by kind.
func (g *group) kinds() map[string]int {
	g.t.Helper()
	n := map[string]int{}
	for _, c := range g.controls() {
		n[c.Kind]++
	}
	return n
}

// without copies the topic of control records, but for the newest record of a kind.
func (g *group) without(kind string) (topic string) {
	g.t.Helper()
	all := g.read(g.keys["kafka.control"])
	last := -1
	for i, r := range all {
		if c, err := pipeline.ReadControl(r.Value); err == nil && c.Kind == kind {
			last = i
		}
	}
	if last < 0 {
		g.t.Fatalf("no control record of kind %s", kind)
	}
	topic = g.keys["kafka.control"] + ".without." + kind
	g.create(g.partitions, topic)
	g.append(topic, slices.Delete(all, last, last+1))
	return topic
}

// append writes copies of records to the partitions of their numbers in another topic.
func (g *group) append(topic string, records []*kgo.Record) {
	g.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(g.kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		g.t.Fatal(err)
	}
	defer cl.Close()
	for _, r := range records {
		r := &kgo.Record{
			Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp,
		}
		if err := cl.ProduceSync(g.t.Context(), r).FirstErr(); err != nil {
			g.t.Fatal(err)
		}
	}
}

// replayed is the report of ebb replay, and how it ended.
type replayed struct {
	exit   int
	stderr string

	Published, Replayed, Same, Missing, Extra, Changed int
	Differences                                        []struct{ Difference, ID, Published, Replayed string }
}

func (r replayed) String() string {
	text := fmt.Sprintf("exit code %d, %d published, %d replayed, %d same, %d missing, %d extra, %d changed\n%s",
		r.exit, r.Published, r.Replayed, r.Same, r.Missing, r.Extra, r.Changed, r.stderr)
	for _, d := range r.Differences {
		text += fmt.Sprintf("%s %s\n  published %s\n  replayed  %s\n", d.Difference, d.ID, d.Published, d.Replayed)
	}
	return text
}

// replay runs ebb replay on the group.
func (g *group) replay(changes map[string]string, flags ...string) (r replayed) {
	g.t.Helper()
	p := start(g.t, nil, append([]string{"replay", "-c", g.config(changes), "--json", "--most", "3"}, flags...)...)
	r.exit = p.wait().ExitStatus()
	r.stderr = tail(p.stderr.String(), 5)
	if err := json.Unmarshal([]byte(p.stdout.String()), &r); err != nil && r.exit < 2 {
		g.t.Fatalf("%s: %v", p.stdout.String(), err)
	}
	return r
}
