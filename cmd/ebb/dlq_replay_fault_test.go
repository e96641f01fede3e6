package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/deadletter"
)

// TestDLQReplayCutShort breaks the connection at chosen transactions. After repeated runs until nothing is left, each
// record came once.
func TestDLQReplayCutShort(t *testing.T) {
	l := newLetters(t)
	l.quarantine(40)
	r := rand.New(rand.NewPCG(7, 7))
	for _, key := range []kmsg.Key{kmsg.EndTxn, kmsg.Produce, kmsg.InitProducerID} {
		var armed atomic.Bool
		armed.Store(true)
		l.kafka.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			l.kafka.KeepControl()
			if armed.Swap(false) {
				return nil, errors.New("cut"), true
			}
			return nil, nil, false
		})
		got := run(t, l.environ, nil, "dlq", "replay", "--json", "--partition", strconv.Itoa(r.IntN(4)))
		if armed.Load() {
			t.Fatalf("%s: not reached", key.Name())
		}
		if got.code != exitOK && !strings.Contains(got.stderr, "run it again") {
			t.Errorf("%s: exit code %d, %s", key.Name(), got.code, got.stderr)
		}
	}
	l.replay()
	if got := l.replay(); got.Replayed != 0 || got.Before != 40 {
		t.Errorf("%+v", got)
	}
	l.arrived(upTo(40)...)
}

// TestDLQReplayBesideItself runs two at a time, repeatedly, and no record comes twice.
func TestDLQReplayBesideItself(t *testing.T) {
	l := newLetters(t)
	for round := range 5 {
		l.quarantine(20)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				got := run(t, l.environ, nil, "dlq", "replay")
				if got.code != exitOK && !strings.Contains(got.stderr, "has taken over") &&
					!strings.Contains(got.stderr, "run it again") {
					t.Errorf("exit code %d: %s", got.code, got.stderr)
				}
			})
		}
		both.Wait()
		if got := l.replay(); got.Before+got.Replayed != int64(20*(round+1)) {
			t.Errorf("%+v", got)
		}
		l.arrived(upTo(20 * (round + 1))...)
	}
}

// TestDLQReplayStopped: at Ctrl-C the transaction under way is ended, the next is not begun, and nothing is lost or
// doubled.
func TestDLQReplayStopped(t *testing.T) {
	l := newLetters(t)
	const n = 3 * deadletter.ChunkRecords
	l.quarantine(n)
	ctx, cancel := context.WithCancelCause(t.Context())
	l.kafka.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel(advice.Stopped{Signal: syscall.SIGINT})
		return nil, nil, false
	})
	var stdout, stderr output
	p := process{
		args:    []string{"dlq", "replay"},
		environ: l.environ,
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	code := p.run(ctx, func(int) { panic("second signal") })
	sent, _, _ := strings.Cut(stdout.String(), " records replayed to events\n")
	if code != 130 || sent == "0" ||
		stderr.String() != "ebb dlq replay: stopped by Ctrl-C: "+sent+" records replayed\n" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
	got := l.replay()
	if got.Before == 0 || got.Before+got.Replayed != n || advice.Grouped(got.Before) != sent {
		t.Errorf("stopped after %s, then %+v", sent, got)
	}
	l.arrived(upTo(n)...)
}

// TestDLQReplayBehindAnOpenTransaction: a killed replay has left a transaction open, and nothing after it can be read.
// The next replay ends it at once, and sends what comes after it.
func TestDLQReplayBehindAnOpenTransaction(t *testing.T) {
	l := newLetters(t)
	killed := l.client(
		t,
		kgo.TransactionalID(deadletter.TransactionalID("events.dlq")),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err := killed.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for n := range int32(4) {
		err := killed.ProduceSync(
			t.Context(),
			&kgo.Record{Topic: "events.dlq", Partition: n, Value: []byte("never committed")},
		).
			FirstErr()
		if err != nil {
			t.Fatal(err)
		}
	}
	l.quarantine(10)
	got := l.dlq(exitOK, "replay", "--dry-run")
	if !strings.HasPrefix(got.stdout, "0 records") ||
		!strings.Contains(got.stderr, "a transaction is open in events.dlq") {
		t.Errorf("dry run: %q, %q", got.stdout, got.stderr)
	}
	if got := l.replay(); got.Replayed != 10 || got.Foreign != 0 {
		t.Errorf("%+v", got)
	}
	l.arrived(upTo(10)...)
}
