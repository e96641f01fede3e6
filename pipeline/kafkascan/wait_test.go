package kafkascan_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
)

// TestDeadline: a scan that a deadline ends says what it was waiting for.
func TestDeadline(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "before")
	l.begin("in it")
	end, _ := l.bounds()
	within := func(d time.Duration) (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		_, err = l.scan(ctx, 0, end, func(s *kafkascan.Scan) { s.Patience = 0 })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		return err
	}
	err := within(400 * time.Millisecond)
	if held, ok := errors.AsType[*kafkascan.HeldUpError](err); !ok || !held.Open || held.Next != 1 {
		t.Errorf("behind an open transaction: %v", err)
	}
	l.kafka.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		return nil, errors.New("cut"), true
	})
	if err := within(100 * time.Millisecond); !errors.Is(err, pipeline.ErrUnavailable) {
		t.Errorf("at a broker that is away: %v", err)
	}
}

// TestRetryOfBounds: brokers that do not tell what retention has left are asked again, as those that give no records.
func TestRetryOfBounds(t *testing.T) {
	l := newLog(t)
	l.write(l.writer(), "a", "b", "c")
	if err := l.kafka.DeleteRecords(topic, 0, 2); err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	down.Store(true)
	l.kafka.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		if down.Load() {
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	told := 0
	time.AfterFunc(500*time.Millisecond, func() { down.Store(false) })
	got, err := l.scan(t.Context(), 0, 3, func(s *kafkascan.Scan) {
		s.Lost, s.Retry = func(int64, int64) {}, func(error) { told++ }
	})
	if diff := cmp.Diff([]string{"c"}, got); diff != "" || err != nil || told != 1 {
		t.Errorf("told %d times: %v\n%s", told, err, diff)
	}
}
