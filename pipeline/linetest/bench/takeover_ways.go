package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"
)

// way is one way in which a member goes.
type way struct {
	name, title string
	kills       int // by default
	measure     func(ctx context.Context, t *takeover, w way, kills int) error
	after       string // what its time counts from
	steps       []string
	aim         func(session time.Duration) time.Duration
}

// Steps on the way back, in this order.
const (
	stepUp        = "process is up"
	stepDrained   = "it has drained"
	stepNoticed   = "rebalance noticed, own work drained"
	stepJoined    = "joined group"
	stepTaken     = "partition taken over"
	stepPublished = "first publication"
)

func ways() []way {
	return []way{
		{
			name: "abandoned", title: "kill -9, nobody restarts it", kills: 8, measure: measureKills, after: "kill",
			steps: []string{stepNoticed, stepJoined, stepTaken, stepPublished},
			aim:   func(session time.Duration) time.Duration { return session + time.Second },
		},
		{
			name: "restarted", title: "kill -9, started again at once", kills: 20, measure: measureKills, after: "start",
			steps: []string{stepUp, stepJoined, stepTaken, stepPublished},
			aim:   func(time.Duration) time.Duration { return 2 * time.Second },
		},
		{
			name: "left", title: "SIGTERM with --leave", kills: 20, measure: measureKills, after: "SIGTERM",
			steps: []string{stepDrained, stepNoticed, stepJoined, stepTaken, stepPublished},
			aim:   func(time.Duration) time.Duration { return time.Second },
		},
		{
			name: "rolled", title: "rolling restart of three", kills: 2, measure: measureRolls, after: "SIGTERM",
			steps: []string{stepDrained, stepUp, stepJoined, stepTaken, stepPublished},
		},
	}
}

func wayNames() (names []string) {
	for _, w := range ways() {
		names = append(names, w.name)
	}
	return names
}

func waysNamed(list string) (out []way, err error) {
	for name := range strings.SplitSeq(list, ",") {
		all := ways()
		i := slices.IndexFunc(all, func(w way) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-ways: %q is none of %s", name, strings.Join(wayNames(), ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// measureKills lets one of two members go, in turn.
func measureKills(ctx context.Context, t *takeover, w way, kills int) error {
	if err := t.staff(ctx, true, "a", "b"); err != nil { // kill -9 does not leave the group
		return err
	}
	res := t.report.add(w)
	for i := range kills {
		lag, err := t.settle(ctx)
		if err != nil {
			return err
		}
		g := goingOf(t.members[0], lag) // the members take turns: the one that has come back last stays
		if err := t.let(ctx, w, g); err != nil {
			return err
		}
		k, err := t.outcome(ctx, w, g)
		if err != nil {
			return err
		}
		res.Kills = append(res.Kills, *k)
		fmt.Fprintf(t.say, "%s, %d of %d: %s publishes again after %.2f s\n", w.title, i+1, kills, g.member.name, k.Seconds)
		if w.name != "restarted" {
			if _, err := t.hire(ctx, g.member.name, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureRolls restarts each of three members by SIGTERM, one after the other.
func measureRolls(ctx context.Context, t *takeover, w way, rounds int) error {
	if err := t.staff(ctx, false, "a", "b", "c"); err != nil {
		return err
	}
	res := t.report.add(w)
	for i := range 3 * rounds {
		lag, err := t.settle(ctx)
		if err != nil {
			return err
		}
		g := goingOf(t.members[0], lag)
		if err := t.let(ctx, w, g); err != nil {
			return err
		}
		k, err := t.outcome(ctx, w, g)
		if err != nil {
			return err
		}
		if _, err := t.settle(ctx); err != nil { // a rebalance caused by it would have come by now
			return err
		}
		for _, m := range t.members {
			k.Rebalances += len(m.diary.all(saidJoined, g.at))
		}
		k.Rebalances-- // its own
		res.Kills = append(res.Kills, *k)
		fmt.Fprintf(t.say, "%s, %d of %d: %s publishes again after %.2f s, others joined anew %d times\n",
			w.title, i+1, 3*rounds, g.member.name, k.Seconds, k.Rebalances)
	}
	return nil
}

// going is a member about to go, or gone.
type going struct {
	member *member
	owned  []int32
	lag    int64
	at     time.Time // when it went, or was started again where time counts from that
}

func goingOf(m *member, lag int64) *going {
	_, owned := m.place()
	return &going{member: m, owned: owned, lag: lag}
}

// let the member go in this way.
func (t *takeover) let(ctx context.Context, w way, g *going) error {
	t.moves.forget()
	g.at = time.Now()
	gone := func(m *member) bool { return m == g.member }
	switch w.name {
	case "abandoned", "restarted":
		g.member.kill()
		t.members = slices.DeleteFunc(t.members, gone)
	case "left":
		t.members = slices.DeleteFunc(t.members, gone)
		if err := g.member.process.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
	case "rolled":
		if err := t.dismiss(g.member); err != nil {
			return err
		}
	}
	if w.name == "restarted" || w.name == "rolled" {
		m, err := t.hire(ctx, g.member.name, w.name == "restarted")
		if err != nil {
			return err
		}
		if w.name == "restarted" {
			g.at = m.started
		}
	}
	return nil
}

// catchUp is how long a group may take to come within a second of the events before the next kill.
const catchUp = 20 * time.Second

// settle waits until every member has its place in one generation, all partitions publish, and the group is little
// behind. It then waits for up to a second more, so that the next step falls anywhere between two heartbeats. It
// returns how far behind the group is, also for a group that cannot keep up.
func (t *takeover) settle(ctx context.Context) (lag int64, err error) {
	began := time.Now()
	for tick := time.Tick(20 * time.Millisecond); ; {
		select {
		case <-tick:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		for _, m := range t.members {
			if err := m.alive(); err != nil {
				return 0, err
			}
		}
		settled := t.settled()
		if lag, err = t.behind(ctx); err != nil {
			return 0, err
		}
		waited := time.Since(began)
		switch {
		case settled && (waited > catchUp || float64(lag) < t.outage.rate):
			t.report.setTimes(&t.members[0].diary)
			return lag, pause(ctx, time.Duration(rand.Int64N(int64(time.Second))))
		case waited > patience:
			return 0, fmt.Errorf("after %v the group has not settled:\n%s", patience, t.members[0].diary.tail())
		}
	}
}

// settled reports whether all members are in the same generation, and each has taken over its partitions.
func (t *takeover) settled() bool {
	owned := 0
	first, _ := t.members[0].place()
	for _, m := range t.members {
		generation, partitions := m.place()
		if generation == 0 || generation != first {
			return false
		}
		joined, _ := m.diary.latest(saidJoined, m.started, time.Now())
		for _, n := range partitions {
			taken, ok := m.diary.taken(n, joined.at.Add(-1))
			if !ok {
				return false
			}
			if _, moved := t.moves.past(n, taken.Published); !moved {
				return false
			}
		}
		owned += len(partitions)
	}
	return owned == t.Partitions
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outcome waits until each of the member's partitions publishes again and returns the measured times.
func (t *takeover) outcome(ctx context.Context, w way, g *going) (*kill, error) {
	late := time.After(2 * patience)
	backs := make(map[int32]*back, len(g.owned))
	for tick := time.Tick(5 * time.Millisecond); len(backs) < len(g.owned); {
		select {
		case <-tick:
		case <-late:
			return nil, fmt.Errorf(
				"of the partitions %v of %s only %d publish again after %v",
				g.owned,
				g.member.name,
				len(backs),
				2*patience,
			)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		for _, n := range g.owned {
			if b := t.backOf(n, g.at); b != nil && backs[n] == nil {
				backs[n] = b
			}
		}
	}
	if w.name == "left" {
		if err := g.member.stop(); err != nil {
			return nil, err
		}
	}
	k := &kill{Member: g.member.name, Behind: float64(g.lag) / t.outage.rate, Load: loadAverage()}
	var last *back
	for _, n := range g.owned {
		b := backs[n]
		k.Partitions = append(k.Partitions, returned{Partition: n, Seconds: b.at.Sub(g.at).Seconds()})
		if last == nil || b.at.After(last.at) {
			last = b
		}
	}
	if last == nil {
		return nil, errors.New("the member that went owned no partition")
	}
	k.Seconds, k.Took = last.at.Sub(g.at).Seconds(), last.taken.Took/1e3
	k.Steps = stepsOf(w, g, last)
	for n := range t.moves.latest() {
		if !slices.Contains(g.owned, n) {
			k.Others = max(k.Others, t.moves.pause(n).Seconds())
		}
	}
	return k, nil
}

// back is how a partition came back.
type back struct {
	by    *member
	taken said
	at    time.Time // of the first publication
}

// backOf checks whether the partition publishes again: it was taken over, and its offset has moved from where it was at
// that time. A transaction that the old owner had in progress moves it too, but not from there.
func (t *takeover) backOf(partition int32, since time.Time) *back {
	for _, m := range t.members {
		if taken, ok := m.diary.taken(partition, since); ok {
			if at, moved := t.moves.past(partition, taken.Published); moved {
				return &back{by: m, taken: taken, at: at}
			}
		}
	}
	return nil
}

// stepsOf divides the time by the lines of the logs. The time of a step without its line counts for the next step.
func stepsOf(w way, g *going, b *back) []step {
	joined, _ := b.by.diary.latest(saidJoined, g.at, b.taken.at)
	at := map[string]time.Time{stepJoined: joined.at, stepTaken: b.taken.at, stepPublished: b.at}
	note := func(name string, s said, ok bool) {
		if ok {
			at[name] = s.at
		}
	}
	up, ok := b.by.diary.latest(saidStarting, g.at, b.taken.at)
	note(stepUp, up, ok)
	drained, ok := g.member.diary.latest(saidGivenUp, g.at, b.taken.at)
	note(stepDrained, drained, ok)
	noticed, ok := b.by.diary.latest(saidGivenUp, g.at, b.taken.at)
	note(stepNoticed, noticed, ok)
	var out []step
	before := g.at
	for _, name := range w.steps {
		if t, ok := at[name]; ok && !t.IsZero() {
			out = append(out, step{name, max(0, t.Sub(before).Seconds())})
			before = t
		}
	}
	return out
}
