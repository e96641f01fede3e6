package worker

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"ebb/pipeline"
)

// TestPaceFindsTheQuota: whatever so many bytes per second the brokers let through, publications soon end in time, and
// grow again when the brokers let more through.
func TestPaceFindsTheQuota(t *testing.T) {
	most := pipeline.Volume{Entries: 10_000, Bytes: 16 << 20}
	const alert = 2_100                                                    // bytes
	for _, quota := range []int{20_000, 100_000, 1_000_000, 100_000_000} { // bytes a second
		t.Run(strconv.Itoa(quota), func(t *testing.T) {
			p := newPace(most)
			var waited time.Duration
			for range 40 {
				took := time.Duration(p.now.Entries) * alert * time.Second / time.Duration(quota)
				if took > publishTimeout {
					p.failed(p.now)
					waited += publishTimeout
					continue
				}
				p.succeeded(p.now, took)
				if took > slowly {
					waited += took
				}
			}
			if waited > 2*publishTimeout {
				t.Errorf("%v went by in slow publications", waited)
			}
			if took := time.Duration(p.now.Entries) * alert * time.Second / time.Duration(quota); took > slowly {
				t.Errorf("a publication of %d entries takes %v", p.now.Entries, took)
			}
			for range 40 {
				p.succeeded(p.now, time.Millisecond)
			}
			if p.now != most {
				t.Errorf("%+v in the end, want %+v", p.now, most)
			}
		})
	}
}

// TestPaceOfSlowBrokers: brokers that take seconds for a publication, however small, are sent large ones, also after an
// outage, and while a quota holds them up too, no larger ones than that lets through.
func TestPaceOfSlowBrokers(t *testing.T) {
	most := pipeline.Volume{Entries: 10_000, Bytes: 16 << 20}
	const alert = 2_100
	for _, fixed := range []time.Duration{10 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 4500 * time.Millisecond} {
		for _, quota := range []int{20_000, 1_000_000, 1_000_000_000} {
			p := newPace(most)
			for range 5 {
				p.failed(p.now)
			}
			var took time.Duration
			for range 60 {
				took = fixed + time.Duration(p.now.Entries)*alert*time.Second/time.Duration(quota)
				p.succeeded(p.now, took)
			}
			took = fixed + time.Duration(p.now.Entries)*alert*time.Second/time.Duration(quota)
			if took > fixed+slowly {
				t.Errorf("%v and %d bytes a second: %d entries take %v", fixed, quota, p.now.Entries, took)
			}
			if p.now != most && took < fixed+slowly/4 {
				t.Errorf("%v and %d bytes a second: %d entries take only %v", fixed, quota, p.now.Entries, took)
			}
		}
	}
}

// TestPaceOfOffsets: where the offset alone could not be published, the size of publications was not what was wrong.
func TestPaceOfOffsets(t *testing.T) {
	p := newPace(pipeline.Volume{Entries: 10_000, Bytes: 16 << 20})
	before := p.now
	if p.failed(pipeline.Volume{}); p.now != before {
		t.Errorf("%+v, before %+v", p.now, before)
	}
}

// TestPaceOfExpiredTransactions: brokers end a transaction that takes longer than its timeout, and fence its producer.
// The next publication has to be smaller, or all of them would end like this one.
func TestPaceOfExpiredTransactions(t *testing.T) {
	most := pipeline.Volume{Entries: 10_000, Bytes: 16 << 20}
	o := outbound{pace: pace{most: most, now: most}}
	fenced := fmt.Errorf("produce: %w", pipeline.ErrFenced)
	now := time.Now()
	o.published(now, most, time.Second, fenced)
	if why, _ := o.reason(now); o.pace.now != most || why != "" {
		t.Errorf("%+v after a replaced owner: %q", o.pace.now, why)
	}
	o.published(now, most, 20*time.Second, fenced)
	if why, _ := o.reason(now); o.pace.now.Entries > most.Entries/8 || why == "" {
		t.Errorf("%+v after 20 s: %q", o.pace.now, why)
	}
}

// TestPaceLeastOne: a publication carries something, however slow the brokers are.
func TestPaceLeastOne(t *testing.T) {
	p := newPace(pipeline.Volume{Entries: 10_000, Bytes: 16 << 20})
	for range 100 {
		p.failed(p.now)
	}
	if p.now != (pipeline.Volume{Entries: 1, Bytes: 1}) {
		t.Errorf("%+v", p.now)
	}
}

// TestNothingPublished: a worker is not well while nothing can be published, however often it takes over, and its
// outbox grows older over takeovers.
func TestNothingPublished(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	o := outbound{pace: newPace(pipeline.Volume{Entries: 100, Bytes: 100})}
	s := &pipeline.Standing{Outbox: make([]pipeline.Pending, 3), Mark: pipeline.Mark{Wall: now.UnixMilli()}}
	now = now.Add(time.Minute) // another process had it
	fault := fmt.Errorf("%w: no such topic", pipeline.ErrUnavailable)
	for i := range 5 {
		o.found(now, s)
		now = now.Add(20 * time.Second)
		o.published(now, pipeline.Volume{Entries: 3}, 5*time.Second, fault)
		want := time.Minute + time.Duration(i+1)*20*time.Second
		if age := o.age(now, 3); age != want {
			t.Errorf("takeover %d: the outbox is %v old, want %v", i, age, want)
		}
	}
	o.published(now, pipeline.Volume{}, 0, pipeline.ErrFenced)
	why, _ := o.reason(now)
	want := "for 1m25s, nothing could be published"
	if !strings.Contains(why, want) || !strings.Contains(why, "topic") {
		t.Errorf("%q, want %q and the topic", why, want)
	}
	o.published(now, pipeline.Volume{Entries: 3}, time.Second, nil)
	if why, _ := o.reason(now); why != "" || o.age(now, 0) != 0 {
		t.Errorf("after a publication: %q", why)
	}
	o.published(now, pipeline.Volume{}, time.Second, errors.New("once"))
	if why, _ := o.reason(now); why != "" {
		t.Errorf("at once: %q", why)
	}
}

// TestStalledBySmallQuota: where a quota lets so little through that the outbox does not come to its end, the partition
// is stalled, though each publication succeeds in the end; and not where publications are brisk, or it was empty
// lately.
func TestStalledBySmallQuota(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		p       Progress
		stalled bool
	}{
		"slow, for long": {Progress{Unpublished: 9, Waiting: stallAfter, Publishing: tooSlow}, true},
		"not for long":   {Progress{Unpublished: 9, Waiting: stallAfter - 1, Publishing: tooSlow}, false},
		"brisk":          {Progress{Unpublished: 9, Waiting: time.Hour, Publishing: tooSlow - 1}, false},
		"nothing waits":  {Progress{Waiting: stallAfter, Publishing: tooSlow}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(Config{})
			c.p.At, c.p.Proof = now, now
			w.progress.Store(&c.p)
			if found, do := w.stalled(now); (found != "") != c.stalled || (do != "") != c.stalled {
				t.Errorf("%q; %q", found, do)
			}
		})
	}
}

// TestRemedyOfRefusal: a stall says what was found and what to do apart, however often the error was wrapped.
func TestRemedyOfRefusal(t *testing.T) {
	var o outbound
	o.pace = newPace(pipeline.Volume{Entries: 10, Bytes: 10})
	now := time.Now()
	gone := &pipeline.Unready{Detail: "unavailable: topic gone", Do: "create it"}
	o.published(now, pipeline.Volume{}, requestTimeout, fmt.Errorf("transaction: %w", gone))
	found, do := o.reason(now)
	want := "for 10s, nothing could be published: transaction: unavailable: topic gone"
	if found != want || do != gone.Do {
		t.Errorf("%q; %q", found, do)
	}
}
