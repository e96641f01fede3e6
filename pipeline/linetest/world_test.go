//go:build integration

package linetest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline"
)

// world is what one test has to itself on the shared services: an input topic and a client. Several runs may read it.
type world struct {
	t          *testing.T
	kafka      string // host:port
	input      string
	partitions int
	client     *kgo.Client
	admin      *kadm.Client
}

// newWorld creates the input topic and its DLQ under names of their own, on the Kafka that all tests share.
func newWorld(t *testing.T, partitions int) *world {
	t.Helper()
	return newWorldAt(t, kafkaAddress(), partitions)
}

func newWorldAt(t *testing.T, kafka string, partitions int) *world {
	t.Helper()
	w := &world{t: t, kafka: kafka, input: unique(t), partitions: partitions}
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(w.kafka), kgo.ProducerBatchMaxBytes(4<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	w.admin = kadm.NewClient(w.client)
	w.create(partitions, w.input, w.input+".dlq")
	return w
}

// unique is a name for topics and groups that no other test and no earlier run uses.
func unique(t *testing.T) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	return name + "-" + strings.ToLower(rand.Text()[:10])
}

// create makes topics that keep records of any age, and removes them after the test.
func (w *world) create(partitions int, topics ...string) {
	w.t.Helper()
	forever, size := "-1", "2097152"
	config := map[string]*string{"retention.ms": &forever, "max.message.bytes": &size}
	created, err := w.admin.CreateTopics(w.t.Context(), int32(partitions), 1, config, topics...)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "the topics are there", func() bool { // the broker gets them after its controller has answered
		listed, err := w.admin.ListTopics(w.t.Context(), topics...)
		return err == nil && !slices.ContainsFunc(topics, func(name string) bool { return !listed.Has(name) })
	})
	w.t.Cleanup(func() {
		if _, err := w.admin.DeleteTopics(context.Background(), topics...); err != nil {
			w.t.Error(err)
		}
	})
}

// group is one consumer group of ebb with its state and its alert topic.
type group struct {
	*world
	name   string
	alerts string
	redis  *redis.Client
	keys   map[string]string // configuration besides the addresses
}

// defaults of the tests: every type counts unless a flag changes that, nobody is removed, as in the fold, commits are
// many, and a lost member is detected as soon as a broker with default settings allows.
func defaults() map[string]string {
	return map[string]string{
		"pack":                   "any",
		"time.lateness":          "0s",
		"batch.max_bytes":        "256KiB",
		"input.max_record_bytes": "64KiB",
		"kafka.session_timeout":  "6s",
		"kafka.heartbeat":        "500ms",
		"kafka.instance_id":      "one",
		"http.listen":            `""`,
		"log.format":             "json",
		"state.retention":        "0s",
	}
}

// group names a group that reads the world's input and keeps its state at the Redis address.
func (w *world) group(name, redisAddress string, keys map[string]string) *group {
	w.t.Helper()
	g := &group{world: w, name: w.input + "." + name, alerts: w.input + "." + name + ".alerts", keys: defaults()}
	g.keys["start.history"] = "none" // the logs are replayed on purpose
	g.keys["sources.guard"] = "off"  // of these the specification does not know
	g.keys["storm.breaker"] = "off"
	maps.Copy(g.keys, keys)
	w.create(2, g.alerts)
	w.create(w.partitions, g.own()...)
	g.redis = redis.NewClient(&redis.Options{Addr: redisAddress})
	w.t.Cleanup(func() {
		ctx := context.Background()
		for key := range g.state(ctx) {
			g.redis.Del(ctx, key)
		}
		g.redis.Close() //nolint:errcheck // nothing is lost
	})
	g.keys["redis.addresses"] = "[" + redisAddress + "]"
	g.keys["kafka.brokers"] = "[" + w.kafka + "]"
	g.keys["kafka.group"] = g.name
	g.keys["kafka.input"] = w.input
	g.keys["kafka.alerts"] = g.alerts
	g.keys["kafka.control"], g.keys["kafka.packs"], g.keys["kafka.decisions"] = g.own()[0], g.own()[1], g.own()[2]
	return g
}

// own are the topics that only the group writes to: control records, packs and decisions.
func (g *group) own() []string {
	return []string{g.name + ".control", g.name + ".packs", g.name + ".decisions"}
}

// config writes the configuration, with changes to it, and returns the file's name.
func (g *group) config(changes map[string]string) string {
	g.t.Helper()
	all := maps.Clone(g.keys)
	maps.Copy(all, changes)
	sections := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		section, key, nested := strings.Cut(path, ".")
		if nested {
			sections[section] = append(sections[section], "  "+key+": "+all[path])
		} else {
			sections[path] = []string{all[path]}
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		lines := sections[name]
		if strings.HasPrefix(lines[0], "  ") {
			fmt.Fprintf(&b, "%s:\n%s\n", name, strings.Join(lines, "\n"))
		} else {
			fmt.Fprintf(&b, "%s: %s\n", name, lines[0])
		}
	}
	file := filepath.Join(g.t.TempDir(), "ebb.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return file
}

// run starts ebb run on the group, with flags.
func (g *group) run(changes map[string]string, variables []string, flags ...string) *process {
	g.t.Helper()
	return start(g.t, variables, append([]string{"run", "-c", g.config(changes)}, flags...)...)
}

// state reads the group's keys in Redis, whole.
func (g *group) state(ctx context.Context) map[string]string {
	g.t.Helper()
	dumps := map[string]string{}
	keys := g.redis.Scan(ctx, 0, "ebb:{"+g.name+":p*", 1000).Iterator()
	for keys.Next(ctx) {
		dump, err := g.redis.Dump(ctx, keys.Val()).Result()
		if err != nil {
			g.t.Errorf("dump %s: %v", keys.Val(), err)
		}
		dumps[keys.Val()] = dump
	}
	if err := keys.Err(); err != nil {
		g.t.Error(err)
	}
	return dumps
}

// reset makes the group one that has never run: no offsets, no state, nothing published. Its members must have left.
func (g *group) reset() {
	g.t.Helper()
	ctx := g.t.Context()
	if _, err := g.admin.DeleteGroup(ctx, g.name); err != nil {
		g.t.Fatal(err)
	}
	for key := range g.state(ctx) {
		if err := g.redis.Del(ctx, key).Err(); err != nil {
			g.t.Fatal(err)
		}
	}
	ends, err := g.admin.ListEndOffsets(ctx, g.alerts, g.input+".dlq")
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.admin.DeleteRecords(ctx, ends.Offsets()); err != nil {
		g.t.Fatal(err)
	}
}

// committed is the group's offset of each partition that the input was created with, 0 where it has none. Partitions
// that came later must have none.
func (g *group) committed() []int64 {
	g.t.Helper()
	offsets := make([]int64, g.partitions)
	var responses kadm.OffsetResponses
	g.ask("the group's offsets", func() (err error) {
		responses, err = g.admin.FetchOffsets(g.t.Context(), g.name)
		return err
	})
	responses.Each(func(o kadm.OffsetResponse) {
		switch {
		case o.Topic != g.input || o.Err != nil:
		case int(o.Partition) >= g.partitions:
			g.t.Errorf("offset %d is committed in partition %d, which was added later", o.At, o.Partition)
		default:
			offsets[o.Partition] = max(o.At, 0)
		}
	})
	return offsets
}

// past waits until the group has committed more than so many records, while p runs.
func (g *group) past(p *process, records int64) {
	g.t.Helper()
	p.until("more is processed", func() bool { return sum(g.committed()) > records })
}

// ends is the end offset of each input partition.
func (w *world) ends() []int64 {
	w.t.Helper()
	var listed kadm.ListedOffsets
	w.ask("the ends of the input", func() (err error) {
		listed, err = w.admin.ListEndOffsets(w.t.Context(), w.input)
		return err
	})
	ends := make([]int64, w.partitions)
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends
}

// ask sends a request to the broker, and repeats it once where the connection was older than the broker's restart.
func (w *world) ask(what string, answer func() error) {
	w.t.Helper()
	eventually(w.t, what+" are known", func() bool {
		err := answer()
		if err != nil && !errors.Is(err, io.EOF) {
			w.t.Fatal(err)
		}
		return err == nil
	})
}

func sum(values []int64) (n int64) {
	for _, v := range values {
		n += v
	}
	return n
}

// key is the name in Redis of a part of the partition's state.
func (g *group) key(partition int, part string) string {
	return fmt.Sprintf("ebb:{%s:p%d}:%s", g.name, partition, part)
}

// meta is the partition's position in Redis; zero: there is none.
func (g *group) meta(partition int) (m pipeline.Meta) {
	g.t.Helper()
	meta, err := g.redis.Get(g.t.Context(), g.key(partition, "meta")).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		g.t.Fatal(err)
	}
	const token = 16
	if len(meta) > token {
		if m, err = pipeline.ReadMeta([]byte(meta[token:])); err != nil {
			g.t.Fatal(err)
		}
	}
	return m
}

// stored is how far the partition's state in Redis is: the next offset, and how many entries its outbox holds.
func (g *group) stored(partition int) (next, outbox int64) {
	g.t.Helper()
	outbox, err := g.redis.LLen(g.t.Context(), g.key(partition, "outbox")).Result()
	if err != nil {
		g.t.Fatal(err)
	}
	return g.meta(partition).Next, outbox
}
