// Command chaos tries the line the hard way: three processors of the real program in one group, between a Kafka and a
// Redis with a replica that it starts, under faults drawn from a seed. "task chaos SEED=n MINUTES=m" runs it.
//
// Processors are killed, stopped for longer than their session, drained and joined by another. The broker and Redis are
// killed and started again. Redis is replaced by an older copy of itself, from its file or by a failover to a replica
// that lags. All connections lead through proxies, where they are cut, refused, delayed, stalled and swallowed, and
// requests and answers are lost. Keys are removed from Redis, it is set to evict, and a quota holds the members up: the
// first two they have to report by a stop within a minute, and so a change of the input at the end. Faults overlap. The
// input is written in transactions, some of which are aborted, with events that come late, twice, or from a clock that
// runs ahead, and with unusable records.
//
// A reader of committed data, which shares no code with ebb, looks during the run for alerts published twice or out of
// order. At the end the processors catch up without faults. Then alerts, profiles, quarantined records, offsets and the
// outbox are compared with the fold of the input in package oracle. A processor that ends by itself, or stops a
// partition, is a finding.
//
// The same seed draws the same input and the same faults. Which work the faults hit depends on the machine.
package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags of the command line.
type options struct {
	seed      uint64
	minutes   float64
	every     time.Duration // between faults, on average
	only      []kind        // none: all
	rate      int           // records per second
	customers int           // in the shop at a time
	patience  time.Duration // for catching up
	aborts    bool          // some transactions of the input
	json      bool
	keep      bool
	target    string // ebb, kafka-go or franz-go
	program   string
	peers     string
	shared    string
}

func readOptions(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Uint64Var(&o.seed, "seed", 1, "seed of input and faults; 0: a fresh one")
	f.Float64Var(&o.minutes, "minutes", 3, "how long there are faults")
	f.DurationVar(&o.every, "every", 2500*time.Millisecond, "time between faults, on average")
	f.IntVar(&o.rate, "rate", 1000, "records per second")
	f.IntVar(&o.customers, "customers", 4000, "customers of the shop at a time")
	f.DurationVar(&o.patience, "patience", 5*time.Minute, "how long processors may take to catch up at the end")
	f.BoolVar(&o.aborts, "aborts", true, "abort some transactions of the input")
	f.StringVar(
		&o.target,
		"target",
		ebb,
		"what is tried: ebb, or a peer that the checker must find faults of: kafka-go, franz-go (SIGKILL only)",
	)
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.BoolVar(&o.keep, "keep", false, "keep the folder of the logs in any case")
	f.StringVar(&o.program, "program", "bin/ebb", "the program")
	f.StringVar(&o.peers, "peers", "bin/chaos-peers", "the program of the peers")
	f.StringVar(&o.shared, "shared", "../shared", "folder with the services (testenv)")
	f.Func("only", "kinds of faults to draw, separated by commas (default all): "+kindNames(), func(s string) error {
		o.only, err = kindsOf(strings.Split(s, ","))
		return err
	})
	err = f.Parse(args)
	if o.seed == 0 {
		o.seed = freshSeed()
	}
	if o.target != ebb {
		o.only = []kind{kill}
	}
	if err == nil && (o.minutes <= 0 || o.every <= 0 || o.rate <= 0 || o.customers <= 0) {
		err = errors.New("minutes, every, rate and customers are above 0")
	}
	return o, err
}

// freshSeed is a seed that is easy to type.
func freshSeed() uint64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return uint64(binary.BigEndian.Uint32(b[:]))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command carries out the command line and returns the exit code: 1 where anything is lost, doubled or miscounted, or
// there is a finding.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "chaos:", err)
		}
		return 2
	}
	fmt.Fprintf(stderr, "seed %d, %g minutes\n", o.seed, o.minutes)
	r, err := carryOut(ctx, &o, newStatus(stderr))
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "\nchaos: interrupted")
		return 130
	case err == nil:
		err = r.write(stdout, o.json)
	}
	if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	if o.target != ebb {
		return unharmed(&o, r, stderr)
	}
	if !r.passed() {
		fmt.Fprintf(stderr, "chaos: FAILED; again: task chaos SEED=%d MINUTES=%g\n", o.seed, o.minutes)
		return 1
	}
	return 0
}

// unharmed returns the exit code of a run with peers: 1 where the checker has found nothing, since the run has to show
// that it can fail.
func unharmed(o *options, r *report, stderr io.Writer) int {
	if r.good() {
		fmt.Fprintf(stderr, "chaos: %s came through %d kills unharmed, as far as the checker sees\n", o.target, r.faults())
		return 1
	}
	return 0
}
