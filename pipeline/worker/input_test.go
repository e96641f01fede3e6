package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/pipeline/worker"
	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// input is a log, and the result of a sequential fold of it.
type input struct {
	records []pipeline.Record
	end     int64
	pack    *pack.Pack
	metrics *worker.Metrics
	want    fold

	newer  *pack.Pack // configured from the record at turn on; nil: none
	turn   int64
	share  float64 // of the poison breaker
	accept int64   // poison below this offset is accepted
	until  int64   // minute to which time passes at the end of the log; 0: it does not
	first  int64   // what lies below it is there when the group first starts, as history; 0: there is none
	erased int64   // how many erasures are published
}

// fold is its result: alerts and quarantined records, and the state.
type fold struct {
	recording bool
	published map[string][]string // by topic and key, in order
	state     left
}

// left is the final content of the store.
type left struct {
	Next       int64
	Clock      pipeline.Clock
	Population profile.Population
	Poison     pipeline.Poison
	Learnt     model.Calibration
	Outbox     int
	Packs      []pipeline.PackRef
	First      pipeline.FirstStart
	Storms     pipeline.Storms
	Silences   pipeline.Silences
	Lanes      pipeline.Lanes
	Held       map[string]pipeline.Held
	Erased     pipeline.Erasures
	Profiles   map[string]string // "": none
}

const inputCustomers = 40

// retention is so short that in every input some customers are removed, and some of those come back.
const retention = 5 * 24 * time.Hour

// settings are those of the trials, but for the lateness.
func settings(lateness time.Duration) pipeline.Settings {
	return pipeline.Settings{
		Rules: decode.Rules, MaxRecordBytes: 1 << 12, LatenessMillis: lateness.Milliseconds(),
		RetentionMillis: retention.Milliseconds(),
	}
}

// newInput is a seeded log of n records, and what it leads to.
func newInput(t *testing.T, seed uint64, n int) *input {
	t.Helper()
	return inputOf(t, seed, shopRecords(seed, n))
}

func inputOf(t *testing.T, seed uint64, records []pipeline.Record) *input {
	t.Helper()
	n := len(records)
	// with the shorter one, customers have been probed before they are removed
	horizon := []time.Duration{10 * 24 * time.Hour, 2 * 24 * time.Hour}[seed%2]
	pack, err := pack.Load("any", nil, pack.Overrides{Horizon: horizon, Friction: map[string]float64{"failed": 1}})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	in := &input{records: gaps(seed, records), pack: pack, metrics: worker.NewMetrics(registry)}
	in.end = in.records[n-1].Offset + 1
	if seed >= plainInputs {
		in.first = in.records[n/4+int(seed*5)%(n*2/3)].Offset
	}
	if seed%4 != 2 {
		in.newer, in.turn = newerPack(t), in.records[n/2].Offset
	}
	in.fold(t, seed)
	in.erased = int64(counted(t, registry, "ebb_customers_erased_total"))
	if seed%4 != 1 { // after that, and not before, customers fall due
		in.until = in.want.state.Clock.Watermark/pipeline.MinuteMillis + 3*24*60
		in.fold(t, seed)
	}
	times := min(in.until, 1) + min(in.first, 1) + in.want.state.First.Releases + in.erased
	if in.newer != nil && (len(in.want.state.Packs) != 2 || int64(len(in.want.published["control/"])) != 3+times) {
		t.Fatalf("seed %d: the newer pack never began: %v", seed, in.want.state.Packs)
	}
	if removed := counted(t, registry, "ebb_customers_removed_total"); removed == 0 {
		t.Fatalf("seed %d: nobody was removed", seed)
	}
	return in
}

// fold folds the log one record at a time, by one owner whom nothing disturbs.
func (in *input) fold(t *testing.T, seed uint64) {
	t.Helper()
	in.want = fold{recording: true, published: map[string][]string{}}
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(seed, 0)))}
		defer s.finish()
		s.begin(1, in.end)
		s.untilEnded()
		if s.wrong != nil {
			t.Fatalf("%v\n%s", s.wrong, s.trail)
		}
		if err := s.kafka.settle(); err != nil {
			t.Fatal(err)
		}
		var err error
		if in.want.state, err = s.left(); err != nil {
			t.Fatal(err)
		}
	})
	in.want.recording = false
}

func counted(t *testing.T, r *prometheus.Registry, name string) (n float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// shopRecords is a seeded input: regulars, leavers, payment failures, repeated ids, late events, clocks that are years
// ahead (the first record's among them) and poison.
func shopRecords(seed uint64, n int) []pipeline.Record {
	r := rand.New(rand.NewPCG(seed, 7))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []pipeline.Record
	for i := range n {
		now = now.Add(time.Duration(r.ExpFloat64() * float64(16*time.Hour)))
		customer := r.IntN(12) + i/(n/3)*6 // some leave, others come
		at, id, kind := now, i, "visit"
		switch r.IntN(20) {
		case 0:
			id = max(0, i-1-r.IntN(3)) // a repeated id
		case 1:
			at = at.Add(-time.Duration(r.IntN(72)) * time.Hour)
		case 2:
			kind = "failed"
		case 3:
			customer, at = 30+r.IntN(10), at.AddDate(1+r.IntN(100), 0, 0)
		}
		if i == 0 {
			customer, at = 30, at.AddDate(150, 0, 0)
		}
		v := fmt.Sprintf(`{"id":"e%d","customer":"c%d","type":%q,"time":%q}`, id, customer, kind, at.Format(time.RFC3339))
		if r.IntN(40) == 0 {
			v = fmt.Sprintf("poison %d", i)
		}
		if seed%3 == 0 && i%9 == 8 { // of those, some come back
			v = fmt.Sprintf(`{"id":"x%d","customer":"c%d","type":"erase","time":%q}`, i, customer, now.Format(time.RFC3339))
		}
		records = append(records, pipeline.Record{Offset: int64(i), Timestamp: at.UnixMilli(), Value: []byte(v)})
	}
	return records
}

// gaps moves offsets apart, like markers of transactions and aborted records.
func gaps(seed uint64, records []pipeline.Record) []pipeline.Record {
	r := rand.New(rand.NewPCG(seed, 8))
	offset := int64(0)
	for i := range records {
		if r.IntN(6) == 0 {
			offset += 1 + r.Int64N(8)
		}
		records[i].Offset = offset
		offset++
	}
	return records
}

func (in *input) identity() pipeline.Identity {
	return pipeline.Identity{
		Group: "g", Input: "events", Partitions: 1, Cluster: "k", Topic: "t", Pack: in.pack.Hash,
		History: in.first > 0,
	}
}

func (in *input) render(b []byte, e *pipeline.Entry, r *pipeline.Record) (pipeline.Outgoing, []byte) {
	if e.Kind == pipeline.EntryQuarantine {
		return pipeline.Outgoing{Topic: "dlq", Value: []byte(e.Code.String() + " " + string(r.Value))}, b
	}
	switch e.Kind {
	case pipeline.EntryPack:
		return pipeline.Outgoing{Topic: "packs", Key: []byte(e.Pack.Hash), Value: e.Canonical}, b
	case pipeline.EntryControl:
		c := pipeline.Control{Group: "g", Topic: "events", TopicID: "t", Offset: e.Begins(), Change: e.Change}
		c.Release.At = 0 // by the clock
		return pipeline.Outgoing{Topic: "control", Value: c.Encode()}, b
	case pipeline.EntryDecision:
		return pipeline.Outgoing{Topic: "decisions", Key: e.Key, Value: fmt.Appendf(b, "%+v", e.Ruling)}, b
	default:
	}
	if e.Kind == pipeline.EntryErased {
		b = alert.AppendErased(b, &e.Alert, e.ID())
	} else {
		b = e.By.AppendAlert(b, &e.Alert, e.ID())
	}
	return pipeline.Outgoing{Topic: "alerts", Key: e.Key, Value: b, Timestamp: e.Alert.At}, b
}

// newest is the last of the packs that a partition has had.
func (in *input) newest(packs int) *pack.Pack {
	if packs > 1 {
		return in.newer
	}
	return in.pack
}

// left reads the store. Armed deadlines must be in a due bucket, or they would never fire.
func (t *trial) left() (l left, err error) {
	ctx := context.Background()
	h := t.store.Partition(0)
	st, err := h.Claim(ctx, pipeline.Token{1})
	if err != nil {
		return l, err
	}
	l = left{
		Next:       st.Meta.Next,
		Clock:      st.Meta.Clock,
		Population: st.Meta.Population,
		Poison:     st.Meta.Poison,
		Learnt:     st.Meta.Learnt,
		Outbox:     len(st.Outbox),
		Packs:      st.Meta.Packs,
		First:      st.Meta.First,
		Storms:     st.Meta.Storms,
		Erased:     st.Meta.Erased,
		Silences:   st.Meta.Silences,
		Lanes:      st.Meta.Lanes,
		Profiles:   map[string]string{},
	}
	var load pipeline.Load
	for c := range inputCustomers {
		load.Keys = append(load.Keys, pipeline.AppendKey(nil, nil, fmt.Appendf(nil, "c%d", c)))
	}
	if l.First.At = 0; len(st.Held) > 0 {
		if l.Held, err = line.ReadHeld(st.Held); err != nil {
			return l, err
		}
	}
	l.Clock.Fired = pipeline.Due{} // the position up to which nothing was due differs
	if err := h.Load(ctx, &load); err != nil {
		return l, err
	}
	due := pipeline.Load{Buckets: make([]int64, 1)}
	for i, b := range load.Profiles {
		l.Profiles[string(load.Keys[i])] = string(b)
	}
	for key, b := range l.Profiles {
		var p profile.Profile
		if b == "" {
			if err := t.forgotten(h, &st, key); err != nil {
				return l, err
			}
			continue
		}
		if err := profile.Read([]byte(b), &profile.Customer{Profile: &p}); err != nil {
			return l, err
		}
		probing := int64(0) // of customers of an older pack, whose probes are never used
		if int(p.PackEpoch) == max(len(l.Packs), 1)-1 {
			probing = t.input.newest(len(l.Packs)).Model.ProbeMinute(&p)
		}
		for _, minute := range []int64{p.Armed, probing} {
			if minute == 0 {
				continue
			}
			due.Buckets[0] = minute / 360
			if err := h.Load(ctx, &due); err != nil {
				return l, err
			}
			if !bytes.Contains(due.Due[0], pipeline.AppendDue(nil, minute, []byte(key))) {
				return l, fmt.Errorf("the deadline of %q at minute %d is in no bucket", key, minute)
			}
		}
	}
	return l, nil
}

// forgotten sees that no bucket holds a deadline of a customer who was erased and did not come back.
func (t *trial) forgotten(h pipeline.Store, st *pipeline.State, key string) error {
	var last []byte // of its records
	for i := range t.input.records {
		if v := t.input.records[i].Value; bytes.Contains(v, fmt.Appendf(nil, `"customer":%q`, key[1:])) {
			last = v
		}
	}
	if !bytes.Contains(last, []byte(`"type":"erase"`)) {
		return nil
	}
	all := pipeline.Load{Buckets: st.Meta.Buckets.All()}
	if err := h.Load(context.Background(), &all); err != nil {
		return err
	}
	for i, entries := range all.Due {
		is := func(k []byte) bool { return string(k) == key }
		if _, found, _ := pipeline.WithoutDue(nil, entries, all.Buckets[i], is); found > 0 {
			return fmt.Errorf("%q was erased, and is in due bucket %d", key, all.Buckets[i])
		}
	}
	return nil
}

// compare compares the final state with the fold.
func (t *trial) compare() error {
	if err := t.kafka.settle(); err != nil {
		return err
	}
	got, err := t.left()
	if err != nil {
		return err
	}
	if diff := cmp.Diff(t.input.want.state, got); diff != "" {
		return fmt.Errorf("the store differs from the fold (-want +got):\n%s", diff)
	}
	if !t.kafka.committed || t.kafka.offset != t.input.end {
		return fmt.Errorf("the position is %d, not %d", t.kafka.offset, t.input.end)
	}
	for _, key := range slices.Sorted(maps.Keys(t.input.want.published)) {
		if want := t.input.want.published[key]; t.seen[key] != len(want) {
			return fmt.Errorf(
				"%d records were never published to %q, the first: %s",
				len(want)-t.seen[key],
				key,
				want[t.seen[key]],
			)
		}
	}
	return nil
}
