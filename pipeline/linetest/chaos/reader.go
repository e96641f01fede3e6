package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
)

// reader reads committed alerts during the run, like a consumer of them. It checks at once that no id comes twice, and
// that each customer's alerts are in order and in one partition.
type reader struct {
	mu      sync.Mutex
	alerts  map[alertKey]*alert
	ids     map[string]bool
	last    map[string]*alert // of a customer
	next    []int64           // by partition: the next offset
	doubled int
	wrong   int // order, key and the like
	said    examples
}

// alert is a published alert.
type alert struct {
	ID         string    `json:"id"`
	Tenant     string    `json:"tenant"`
	Customer   string    `json:"customer"`
	Transition string    `json:"transition"`
	Episode    int       `json:"episode"`
	Sequence   int       `json:"sequence"`
	Time       time.Time `json:"time"`
	Score      struct {
		Terms map[string]float64 `json:"terms"` // log-odds, to six decimals
	} `json:"score"`

	partition int32
	offset    int64
	life      int // of the customer, who is new again after the retention; from 1
}

// alertKey identifies an alert independently of its id.
type alertKey struct {
	tenant, customer        string
	life, episode, sequence int
}

func (a *alert) key() alertKey { return alertKey{a.Tenant, a.Customer, a.life, a.Episode, a.Sequence} }

func (a *alert) odds() (sum float64) {
	for _, t := range a.Score.Terms {
		sum += t
	}
	return sum
}

func (a *alert) String() string {
	return fmt.Sprintf(
		"%s %s/%s %d.%d.%d of %s (partition %d, offset %d, id %s)",
		a.Transition,
		a.Tenant,
		a.Customer,
		a.life,
		a.Episode,
		a.Sequence,
		a.Time.Format(time.RFC3339),
		a.partition,
		a.offset,
		a.ID,
	)
}

func newReader() *reader {
	return &reader{
		alerts: map[alertKey]*alert{},
		ids:    map[string]bool{},
		last:   map[string]*alert{},
		next:   make([]int64, alertPartitions),
	}
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context, broker string) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeTopics(alertTopic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	for {
		fetches := cl.PollFetches(ctx) // errors pass: the broker is killed at times
		if ctx.Err() != nil {
			return nil
		}
		r.mu.Lock()
		fetches.EachRecord(r.take)
		r.mu.Unlock()
	}
}

func (r *reader) take(rec *kgo.Record) {
	if rec.Offset < r.next[rec.Partition] {
		r.wrong++
		r.said.add(
			"the reader was given offset %d of partition %d after %d",
			rec.Offset,
			rec.Partition,
			r.next[rec.Partition]-1,
		)
	}
	r.next[rec.Partition] = rec.Offset + 1
	if rec.Attrs.IsControl() {
		return
	}
	a := &alert{partition: rec.Partition, offset: rec.Offset}
	if err := json.Unmarshal(rec.Value, a); err != nil {
		r.wrong++
		r.said.add("an alert that cannot be read: %v: %s", err, rec.Value)
		return
	}
	if id := header(rec, "ce_id"); string(rec.Key) != a.Customer || id != a.ID || id == "" {
		r.wrong++
		r.said.add("key %q and ce_id %q of %v", rec.Key, id, a)
	}
	r.live(a)
	if r.ids[a.ID] || r.alerts[a.key()] != nil {
		r.doubled++
		r.said.add("published twice: %v and %v", r.alerts[a.key()], a)
		return
	}
	r.order(a)
	r.ids[a.ID], r.alerts[a.key()] = true, a
}

// live says which life of the customer a is of: another one begins with a first alert that has not been seen before,
// and comes later than the last of the life before.
func (r *reader) live(a *alert) {
	a.life = 1
	if l := r.last[a.person()]; l != nil {
		a.life = l.life
		if a.Episode == 1 && a.Sequence == 1 && !r.ids[a.ID] && a.Time.After(l.Time) {
			a.life++
		}
	}
}

func (a *alert) person() string { return a.Tenant + "\x00" + a.Customer }

// order checks that a follows its customer's last alert.
func (r *reader) order(a *alert) {
	l := r.last[a.person()]
	if l != nil && (l.partition != a.partition ||
		cmp.Or(cmp.Compare(a.life, l.life), cmp.Compare(a.Episode, l.Episode), cmp.Compare(a.Sequence, l.Sequence)) <= 0) {
		r.wrong++
		r.said.add("out of order: %v follows %v", a, l)
	}
	r.last[a.person()] = a
}

// seen is how many alerts there are so far, and how many of them are doubled or out of order.
func (r *reader) seen() (alerts, doubled, wrong int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.alerts), r.doubled, r.wrong
}

// reached waits until everything before the ends was read.
func (r *reader) reached(ctx context.Context, ends []int64) error {
	return breakable.Until(ctx, 2*time.Minute, "all alerts are read", func(context.Context) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if slices.Compare(r.next, ends) != 0 {
			return fmt.Errorf("read to %v of %v", r.next, ends)
		}
		return nil
	})
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// examples keeps the first few errors.
type examples []string

const maxExamples = 12

func (e *examples) add(format string, args ...any) {
	if len(*e) < maxExamples {
		*e = append(*e, fmt.Sprintf(format, args...))
	}
}
