package line

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// shelf is a line whose commits are applied to maps at once: the line's own rules without services.
type shelf struct {
	*Line
	cfg      Config
	pack     *pack.Pack
	newer    *pack.Pack // configured from the record at turnAt on; nil: none
	turnAt   int64
	meta     pipeline.Meta
	profiles map[string][]byte
	buckets  map[int64][]byte
	outbox   [][]byte          // all entries ever appended
	raises   map[string][]byte // that are held
	mark     pipeline.Mark     // published when it was taken over
	controls []Change          // published before that
	tally    Tally
	commits  int
	quiet    bool // live adds and ends silences
	budgeted bool // live grants and releases what waits for budgets
}

func newShelf(t testing.TB, pack *pack.Pack, retention, lateness time.Duration) *shelf {
	t.Helper()
	s := &shelf{
		pack:     pack,
		cfg:      Config{Settings: settingsOf(retention, lateness), Format: profile.Format, CacheCustomers: 1000},
		profiles: map[string][]byte{}, buckets: map[int64][]byte{},
		raises: map[string][]byte{},
	}
	s.restart()
	return s
}

func settingsOf(retention, lateness time.Duration) pipeline.Settings {
	return pipeline.Settings{
		Rules: decode.Rules, LatenessMillis: lateness.Milliseconds(), RetentionMillis: retention.Milliseconds(),
	}
}

func anyOf(t testing.TB, horizon time.Duration) *pack.Pack {
	t.Helper()
	pack, err := pack.Load("any", nil, pack.Overrides{Horizon: horizon, Friction: map[string]float64{"failed": 1}})
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// restart goes on with a line that has only the committed state.
func (s *shelf) restart() {
	h := &History{Packs: []*pack.Pack{s.pack}, Refs: s.meta.Packs}
	if len(h.Refs) > 1 {
		h.Packs = append(h.Packs, s.newer)
	}
	var held []pipeline.HeldEntry
	for key, value := range s.raises {
		held = append(held, pipeline.HeldEntry{Key: []byte(key), Value: value})
	}
	for _, c := range s.controls {
		if c.Offset >= s.meta.Next &&
			(c.Number() == 0 || c.Number() > s.meta.First.Releases) &&
			(c.Kind != pipeline.ControlStorm || c.Storm.Number > s.meta.Storms.Number) &&
			(c.Kind != pipeline.ControlTime || c.Minute > s.meta.Passed.Minute) {
			h.Ahead = append(h.Ahead, c)
		}
	}
	var err error
	if h.Held, err = ReadHeld(held); err != nil {
		panic(err)
	}
	s.Line = New(&s.cfg, &pipeline.Standing{Meta: s.meta, Mark: s.mark}, h)
}

// begins makes the newer pack begin at its place. False: a sweep has to come first.
func (s *shelf) begins() bool {
	configured := s.pack
	if s.newer != nil && s.Next() >= s.turnAt {
		configured = s.newer
	}
	_, _, ok := s.ApplyControls(configured)
	return ok
}

// put folds records, at offsets from the line's position, in one batch and the sweeps that its barriers need; in two
// batches where a pack begins among them.
func (s *shelf) put(t testing.TB, records []pipeline.Record) {
	t.Helper()
	s.putThrough(t, records, s.commit)
}

// putThrough is put with other commits.
func (s *shelf) putThrough(t testing.TB, records []pipeline.Record, commit func(*Staged)) {
	t.Helper()
	if n := s.turnAt - s.Next(); n > 0 && n < int64(len(records)) {
		s.putThrough(t, records[:n], commit)
		records = records[n:]
	}
	for len(records) > 0 && !s.begins() {
		s.sweepOnce(t)
	}
	b := &Batch{decoder: decode.New(0).Beating(s.cfg.Settings.Heartbeat)}
	for i := range records {
		records[i].Offset = s.Next() + int64(i)
	}
	b.Fetched.Records, b.Fetched.Next = records, s.Next()+int64(len(records))
	b.Decode()
	if err := s.foldAll(b, s.load, commit); err != nil {
		t.Fatal(err)
	}
}

// sweepOnce folds a batch without records.
func (s *shelf) sweepOnce(t testing.TB) { s.put(t, nil) }

// settle sweeps as far as the watermark.
func (s *shelf) settle(t testing.TB) {
	t.Helper()
	for s.Sweeping() {
		s.sweepOnce(t)
	}
}

func (s *shelf) load(want *pipeline.Load) {
	want.Profiles, want.Due = nil, nil
	for _, k := range want.Keys {
		want.Profiles = append(want.Profiles, s.profiles[string(k)])
	}
	for _, n := range want.Buckets {
		want.Due = append(want.Due, s.buckets[n])
	}
}

func (s *shelf) commit(c *Staged) {
	s.commits++
	s.tally.Add(&c.Tally)
	for i, k := range c.Commit.Keys {
		if s.profiles[string(k)] = bytes.Clone(c.Commit.Profiles[i]); c.Commit.Profiles[i] == nil {
			delete(s.profiles, string(k))
		}
	}
	for _, h := range c.Commit.Held {
		if s.raises[string(h.Key)] = bytes.Clone(h.Value); h.Value == nil {
			delete(s.raises, string(h.Key))
		}
	}
	for _, n := range c.Commit.Swept {
		delete(s.buckets, n)
	}
	for _, d := range c.Commit.Due {
		if d.Whole {
			delete(s.buckets, d.Bucket)
		}
		s.buckets[d.Bucket] = slices.Concat(s.buckets[d.Bucket], d.Entries)
	}
	for _, e := range c.Commit.Outbox {
		s.outbox = append(s.outbox, bytes.Clone(e))
	}
	s.meta = c.Commit.Meta
	s.other.due, s.other.whole = map[int64][]byte{}, map[int64]bool{} // it is in buckets
}

// left reads the profiles.
func (s *shelf) left(t testing.TB) map[string]profile.Profile {
	t.Helper()
	left := map[string]profile.Profile{}
	for k, b := range s.profiles {
		var p profile.Profile
		if err := profile.Read(b, &profile.Customer{Profile: &p}); err != nil {
			t.Fatal(err)
		}
		left[k] = p
	}
	return left
}

// visit is a customer's event on a day.
func visit(id, customer, kind string, day float64) pipeline.Record {
	at := int64(1_700_000_000_000) + int64(day*pipeline.DayMillis)
	return pipeline.Record{
		Timestamp: at,
		Value:     fmt.Appendf(nil, `{"id":%q,"customer":%q,"type":%q,"time":%d}`, id, customer, kind, at),
	}
}
