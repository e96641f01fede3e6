package kafkasource_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"ebb/pipeline/kafkasource"
	"ebb/pipeline/kafkawire"
)

// session is short for a test, and as short as a real broker allows by default.
const session = 6 * time.Second

// world is a cluster with one input topic and a group.
type world struct {
	t      *testing.T
	addrs  []string
	client *kafkawire.Client
	topic  string
	group  string
}

func newWorld(t *testing.T, partitions int32) *world {
	t.Helper()
	return newWorldAt(t, brokers(t), partitions)
}

func newWorldAt(t *testing.T, addrs []string, partitions int32) *world {
	t.Helper()
	w := &world{t: t, addrs: addrs, topic: "in-" + rand.Text(), group: "group-" + rand.Text()}
	w.client = w.open()
	err := w.client.CreateTopic(t.Context(), kafkawire.NewTopic{Name: w.topic, Partitions: partitions, Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open() *kafkawire.Client {
	w.t.Helper()
	c, err := kafkawire.Open(kafkawire.Config{Brokers: w.addrs, ClientID: "ebb-test", Topics: []string{w.topic}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// running is a member with Run under way. It reports each generation and stops as it is told.
type running struct {
	*kafkasource.Member
	latest      atomic.Pointer[kafkasource.Generation]
	generations chan *kafkasource.Generation
	lost        chan *kafkasource.Generation // generations whose context ended
	kill        context.CancelFunc
	ended       chan error
}

// start runs a member on a client of its own. Its owner gives up what is revoked at once.
func (w *world) start(instance string) *running {
	w.t.Helper()
	return w.startWith(kafkasource.MemberConfig{Client: w.open(), Instance: instance})
}

func (w *world) startWith(cfg kafkasource.MemberConfig) *running {
	w.t.Helper()
	cfg.Group, cfg.Topic, cfg.Session, cfg.Heartbeat = w.group, w.topic, session, 100*time.Millisecond
	cfg.Logger = zerolog.New(zerolog.NewTestWriter(w.t)).With().Str("test_member", cfg.Instance).Logger()
	m, err := kafkasource.NewMember(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	r := &running{
		Member: m, kill: cancel, ended: make(chan error, 1),
		generations: make(chan *kafkasource.Generation, 100), lost: make(chan *kafkasource.Generation, 100),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- m.Run(ctx, r.own)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

func (r *running) own(ctx context.Context, g *kafkasource.Generation) error {
	r.latest.Store(g)
	r.generations <- g
	select {
	case <-g.Revoked:
		return nil
	case <-ctx.Done():
		r.lost <- g
		return ctx.Err()
	}
}

// await takes what comes next from c.
func await[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("no %s after 30 s", what)
		panic("unreachable")
	}
}

// eventually waits until condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so after 30 s: %s", what)
		}
	}
}

// settle waits until the members' newest generations are one and the same and own all n partitions once.
func settle(t testing.TB, n int, members ...*running) []*kafkasource.Generation {
	t.Helper()
	latest := make([]*kafkasource.Generation, len(members))
	eventually(t, fmt.Sprintf("%d members share %d partitions", len(members), n), func() bool {
		var all []int32
		for i, m := range members {
			latest[i] = m.latest.Load()
			if latest[i] == nil || latest[i].Generation != latest[0].Generation {
				return false
			}
			all = append(all, latest[i].Partitions...)
		}
		slices.Sort(all)
		return len(all) == n && len(slices.Compact(all)) == n
	})
	return latest
}

func TestMemberOwnsAllPartitionsAlone(t *testing.T) {
	w := newWorld(t, 3)
	m := w.start("one")
	g := await(t, m.generations, "generation")
	if diff := cmp.Diff([]int32{0, 1, 2}, g.Partitions); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	if err := g.Confirm(t.Context()); err != nil {
		t.Errorf("confirm: %v", err)
	}
	m.Drain()
	if err := await(t, m.ended, "end"); err != nil {
		t.Errorf("run after drain: %v", err)
	}
}

func Example() {
	slot, err := kafkasource.TakeSlot(os.TempDir(), "example-host", "example-group-"+rand.Text())
	if err != nil {
		panic(err)
	}
	fmt.Println(slot.Instance())
	_ = slot.Release()
	// Output: example-host-0
}
