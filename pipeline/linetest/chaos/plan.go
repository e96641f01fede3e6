package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

// Kind of a fault. The names are part of the report.
type kind string

// Kinds of faults.
const (
	kill     kind = "kill -9"        // of a member, which is started again
	freeze   kind = "SIGSTOP"        // for longer than the session, then SIGCONT
	drain    kind = "SIGTERM"        // drained; started again
	guest    kind = "guest"          // an additional member, for a while, that leaves or is killed
	kafka9   kind = "Kafka kill -9"  // and restart
	redis9   kind = "Redis kill -9"  // and restart from its append-only file
	older    kind = "Redis older"    // killed and started on an older copy of itself
	failover kind = "Redis failover" // to a replica that lags
	cut      kind = "cut"            // connections closed
	refuse   kind = "refused"        // connections closed, none accepted for a while
	slow     kind = "delayed"        // every piece
	stall    kind = "stalled"        // nothing passes for a while, then everything does, late
	hole     kind = "swallowed"      // nothing passes for a while, then the connections are closed
	loseReq  kind = "requests lost"  // with their connections
	loseAns  kind = "answers lost"   // after the request was applied, with their connections
	remove   kind = "key removed"    // from Redis, reported by a stop; then an older copy is put back
	evict    kind = "Redis evicts"   // is set to, reported by a stop; then no longer
	throttle kind = "quota"          // of bytes per second for what members produce
)

// weighted is a kind, and how often it is drawn.
type weighted struct {
	kind   kind
	weight int
}

func weights() []weighted {
	return []weighted{
		{kill, 8},
		{freeze, 3},
		{drain, 3},
		{guest, 2},
		{kafka9, 1},
		{redis9, 2},
		{older, 2},
		{failover, 2},
		{cut, 3},
		{refuse, 2},
		{slow, 3},
		{stall, 3},
		{hole, 2},
		{loseReq, 2},
		{loseAns, 4},
		{remove, 1},
		{evict, 1},
		{throttle, 1},
	}
}

// service is one of the two that the members depend on.
type service int

const (
	toKafka service = iota
	toRedis
)

// fault is one entry of the plan.
type fault struct {
	At      time.Duration
	Kind    kind
	Member  int           // the first choice of a target; -1: all, for faults of links
	Service service       // of a link
	For     time.Duration // how long it lasts, or how long what was killed stays down
	Before  time.Duration // older, failover: how old the copy is
	Hard    bool          // guest: killed rather than drained
	Delay   time.Duration // slow
	Chance  float64       // of a loss, per piece

	Partition int     // remove: whose key
	Rate      float64 // throttle: bytes per second
}

// trouble is the fault of a link.
func (f *fault) trouble() breakable.Trouble {
	return breakable.Trouble{Kind: breakable.TroubleKind(f.Kind), Delay: f.Delay, Chance: f.Chance, Hard: f.Hard}
}

// newPlan draws faults of a seed over a time, on average one per interval. It draws only the given kinds.
func newPlan(seed uint64, length, every time.Duration, only []kind) []fault {
	r := rand.New(rand.NewPCG(seed, 1))
	var plan []fault
	for at := every; at < length; at += time.Duration(r.ExpFloat64() * float64(every)) {
		plan = append(plan, draw(r, at, only))
	}
	return plan
}

func draw(r *rand.Rand, at time.Duration, only []kind) fault {
	f := fault{At: at, Kind: drawKind(r, only), Member: r.IntN(members), Service: service(r.IntN(2)), Hard: r.IntN(3) == 0}
	between := func(low, high time.Duration) time.Duration { return low + time.Duration(r.Int64N(int64(high-low))) }
	switch f.Kind {
	case kill:
		f.For = between(0, 2*time.Second)
		if r.IntN(3) == 0 {
			f.For = between(session, session+4*time.Second)
		}
	case freeze:
		f.For = between(session+time.Second, session+6*time.Second)
	case drain, kafka9, redis9:
		f.For = between(0, 4*time.Second)
	case guest:
		f.For = between(4*time.Second, 20*time.Second)
	case older, failover:
		f.Before, f.For = between(200*time.Millisecond, 8*time.Second), between(0, time.Second)
	case remove:
		f.Before, f.For = between(200*time.Millisecond, 4*time.Second), between(0, time.Second)
		f.Partition = r.IntN(partitions)
	case evict:
	case throttle:
		f.For, f.Rate = between(5*time.Second, 20*time.Second), float64(between(20_000, 200_000))
	default:
		f.link(r, between)
	}
	return f
}

// link draws the details of a fault of links: one in four concerns the links of all members.
func (f *fault) link(r *rand.Rand, between func(low, high time.Duration) time.Duration) {
	if r.IntN(4) == 0 {
		f.Member = -1
	}
	switch f.Kind {
	case refuse, hole:
		f.For = between(500*time.Millisecond, 9*time.Second)
	case stall:
		f.For = between(time.Second, 14*time.Second)
	case slow:
		f.For, f.Delay = between(2*time.Second, 12*time.Second), between(10*time.Millisecond, 400*time.Millisecond)
	case loseReq, loseAns:
		f.For, f.Chance = between(time.Second, 6*time.Second), 0.02+0.3*r.Float64()
	default: // no fault of a link, or a momentary one
	}
}

func drawKind(r *rand.Rand, only []kind) kind {
	allowed := func(k kind) bool { return len(only) == 0 || slices.Contains(only, k) }
	sum := 0
	for _, k := range weights() {
		if allowed(k.kind) {
			sum += k.weight
		}
	}
	n := r.IntN(sum)
	for _, k := range weights() {
		if !allowed(k.kind) {
			continue
		}
		if n -= k.weight; n < 0 {
			return k.kind
		}
	}
	panic("BUG: the weights do not add up")
}

// kindsOf finds kinds by their names.
func kindsOf(names []string) (found []kind, err error) {
	for _, name := range names {
		if !slices.Contains(allKinds(), kind(name)) {
			return nil, fmt.Errorf("no kind of fault is named %q; there are: %s", name, kindNames())
		}
		found = append(found, kind(name))
	}
	return found, nil
}

func allKinds() (all []kind) {
	for _, k := range weights() {
		all = append(all, k.kind)
	}
	return all
}

func kindNames() string {
	var names []string
	for _, k := range allKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ",")
}
