package pipeline_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
)

func identity() pipeline.Identity {
	return pipeline.Identity{Group: "g", Input: "events", Partition: 3, Partitions: 4, Cluster: "k", Topic: "t", Pack: "p"}
}

func meta(next int64, fired int64) pipeline.Meta {
	return pipeline.Meta{
		Version: pipeline.MetaVersion, Next: next, Clock: pipeline.Clock{Started: true, Fired: pipeline.Due{Minute: fired}},
		Pack: "p", Partitions: 4, Cluster: "k", Topic: "t",
	}
}

// position is offset 50, swept to minute 5.
func position() pipeline.Position {
	m := pipeline.Mark{Fired: pipeline.Due{Minute: 5}, Topic: "t"}
	return pipeline.Position{Committed: true, Offset: 50, Metadata: m.Metadata(), LogStart: 10, End: 1000}
}

func fresh(offset int64) pipeline.Position {
	m := pipeline.Mark{Fresh: true, Topic: "t"}
	return pipeline.Position{Committed: true, Offset: offset, Metadata: m.Metadata(), LogStart: 10, End: 1000}
}

// quarantined is an outbox entry.
func quarantined(offset, minute int64) []byte {
	e := pipeline.Entry{
		Kind:   pipeline.EntryQuarantine,
		Offset: offset,
		Due:    pipeline.Due{Minute: minute},
		Code:   pipeline.NotJSON,
	}
	return pipeline.AppendEntry(nil, &e)
}

func TestReconcileStops(t *testing.T) {
	with := func(m pipeline.Meta, change func(*pipeline.Meta)) pipeline.State {
		change(&m)
		return pipeline.State{Exists: true, Meta: m}
	}
	none := func(*pipeline.Meta) {}
	foreign := position()
	foreign.Metadata = "somebody"
	newer := position()
	newer.Metadata = `{"ebb":2}`
	recreated := position()
	recreated.Metadata = pipeline.Mark{Topic: "older"}.Metadata()
	for name, c := range map[string]struct {
		pos  pipeline.Position
		st   pipeline.State
		code string
	}{
		"Redis emptied": {position(), pipeline.State{}, "state_lost"},
		"the group's offset deleted": {
			pipeline.Position{LogStart: 10, End: 1000},
			with(meta(50, 5), none),
			"offset_lost",
		},
		"an offset of another program":  {foreign, with(meta(50, 5), none), "offset_foreign"},
		"an offset of a newer ebb":      {newer, with(meta(50, 5), none), "state_unreadable"},
		"the topic deleted, re-created": {recreated, with(meta(50, 5), none), "topic_changed"},
		"state of an older topic": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Topic = "older" }),
			"topic_changed",
		},
		"another cluster": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Cluster = "x" }),
			"cluster_changed",
		},
		"the topic and its offsets deleted": {
			pipeline.Position{LogStart: 0, End: 10},
			with(meta(50, 5), func(m *pipeline.Meta) { m.Topic = "older" }),
			"topic_changed",
		},
		"partitions added": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Partitions = 2 }),
			"partitions_changed",
		},
		"another pack": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Pack = "x" }),
			"pack_changed",
		},
		"a damaged ring of poison": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Poison.At = pipeline.PoisonWindow }),
			"state_unreadable",
		},
		"state of a newer ebb": {
			position(),
			with(meta(50, 5), func(m *pipeline.Meta) { m.Version = pipeline.MetaVersion + 1 }),
			"state_unreadable",
		},
		"retention passed the state":     {position(), with(meta(9, 5), none), "records_lost"},
		"retention passed a fresh start": {fresh(9), pipeline.State{}, "records_lost"},
		"the log is shorter than it was": {position(), with(meta(1001, 5), none), "log_truncated"},
		"an outbox entry that is no such": {
			position(),
			pipeline.State{Exists: true, Meta: meta(50, 5), Outbox: [][]byte{{9}}},
			"state_unreadable",
		},
		"an outbox published from within": {
			position(),
			pipeline.State{Exists: true, Meta: meta(80, 7), Outbox: [][]byte{quarantined(60, 0), quarantined(48, 0)}},
			"state_unreadable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pipeline.Reconcile(identity(), c.pos, c.st)
			var stop *pipeline.HardStop
			if !errors.As(err, &stop) || stop.Code != c.code || stop.Do == "" {
				t.Fatalf("got %v, want a hard stop %s that says what to do", err, c.code)
			}
		})
	}
}

func TestReconcileStarts(t *testing.T) {
	latest := identity()
	latest.Latest = true
	for name, c := range map[string]struct {
		id        pipeline.Identity
		pos       pipeline.Position
		st        pipeline.State
		next      int64
		fresh     bool
		rewinding bool
	}{
		"a new group, from the log's start": {
			identity(),
			pipeline.Position{LogStart: 10, End: 1000},
			pipeline.State{},
			10,
			true,
			false,
		},
		"a new group, from the log's end": {
			latest,
			pipeline.Position{LogStart: 10, End: 1000},
			pipeline.State{},
			1000,
			true,
			false,
		},
		"died before its first commit": {latest, fresh(400), pipeline.State{}, 400, false, false},
		"died before its first publication": {
			identity(),
			fresh(10),
			pipeline.State{Exists: true, Meta: meta(60, 1)},
			60,
			false,
			false,
		},
		"stopped in order": {
			identity(),
			position(),
			pipeline.State{Exists: true, Meta: meta(50, 5)},
			50,
			false,
			false,
		},
		"Redis ahead of Kafka": {
			identity(),
			position(),
			pipeline.State{Exists: true, Meta: meta(80, 7)},
			80,
			false,
			false,
		},
		"Redis behind Kafka": {
			identity(),
			position(),
			pipeline.State{Exists: true, Meta: meta(30, 2)},
			30,
			false,
			true,
		},
		"only its deadlines are behind": {
			identity(),
			position(),
			pipeline.State{Exists: true, Meta: meta(50, 2)},
			50,
			false,
			true,
		},
		"Redis behind, at the log's start": {
			identity(),
			position(),
			pipeline.State{Exists: true, Meta: meta(10, 0)},
			10,
			false,
			true,
		},
		"an empty log, and nothing was done": {identity(), pipeline.Position{}, pipeline.State{}, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := pipeline.Reconcile(c.id, c.pos, c.st)
			if err != nil {
				t.Fatal(err)
			}
			if s.Meta.Next != c.next || s.Fresh != c.fresh || s.Rewinding() != c.rewinding {
				t.Errorf(
					"next %d, fresh %v, rewinding %v; want %d, %v, %v",
					s.Meta.Next,
					s.Fresh,
					s.Rewinding(),
					c.next,
					c.fresh,
					c.rewinding,
				)
			}
		})
	}
}

func TestReconcileOutbox(t *testing.T) {
	outbox := [][]byte{quarantined(48, 0), quarantined(-1, 5), quarantined(50, 0), quarantined(-1, 6)}
	s, err := pipeline.Reconcile(identity(), position(), pipeline.State{Exists: true, Meta: meta(80, 7), Outbox: outbox})
	if err != nil {
		t.Fatal(err)
	}
	left := []pipeline.Pending{{Encoded: outbox[2]}, {Encoded: outbox[3]}}
	if diff := cmp.Diff(left, s.Outbox); diff != "" || s.Dropped != 2 {
		t.Errorf("%d dropped, left: %s", s.Dropped, diff)
	}
}

// TestReconcileIncomplete: a state of which something is missing stops, whatever it is.
func TestReconcileIncomplete(t *testing.T) {
	id := pipeline.Identity{Partitions: 1, Topic: "t"}
	mark := pipeline.Mark{Offset: 5, Topic: "t"}
	pos := pipeline.Position{Committed: true, Offset: 5, Metadata: mark.Metadata(), End: 9}
	meta := id.NewMeta(5)
	meta.Holds = pipeline.Holdings{Profiles: 7, Outbox: 2}
	meta.Buckets.Add(3)
	for name, c := range map[string]struct {
		holds   pipeline.Holdings
		missing []int64
		whole   bool
	}{
		"whole":           {meta.Holds, nil, true},
		"profiles":        {pipeline.Holdings{Profiles: 6, Outbox: 2}, nil, false},
		"outbox":          {pipeline.Holdings{Profiles: 7}, nil, false},
		"a bucket":        {meta.Holds, []int64{3}, false},
		"foreign entries": {pipeline.Holdings{Profiles: 7, Outbox: 3}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pipeline.Reconcile(id, pos, pipeline.State{Exists: true, Meta: meta, Holds: c.holds, Missing: c.missing})
			stop, stopped := errors.AsType[*pipeline.HardStop](err)
			if stopped == c.whole || stopped && stop.Code != "state_incomplete" {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestFreshHistory: what the log holds when a group first starts is history, and stays it until the first commit,
// whatever the log holds by then.
func TestFreshHistory(t *testing.T) {
	id := pipeline.Identity{Group: "g", Input: "in", Partitions: 1, Topic: "t", History: true}
	first, err := pipeline.Reconcile(id, pipeline.Position{LogStart: 3, End: 100}, pipeline.State{})
	if err != nil || first.Mark.History != 100 || !first.Mark.Fresh {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := pipeline.Reconcile(id, pipeline.Position{
		Committed: true, Offset: 3, Metadata: first.Mark.Metadata(), LogStart: 3, End: 900,
	}, pipeline.State{})
	if err != nil || again.Mark.History != 100 {
		t.Errorf("%+v, %v", again, err)
	}
	for name, c := range map[string]struct {
		change func(*pipeline.Identity)
		end    int64
	}{
		"an empty log":       {func(*pipeline.Identity) {}, 3},
		"no history":         {func(id *pipeline.Identity) { id.History = false }, 100},
		"from the log's end": {func(id *pipeline.Identity) { id.Latest = true }, 100},
	} {
		id := id
		c.change(&id)
		s, err := pipeline.Reconcile(id, pipeline.Position{LogStart: 3, End: c.end}, pipeline.State{})
		if err != nil || s.Mark.History != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestReleasesAreCaughtUp: a state that has lost a release at the end of the log is behind, though no record is missing;
// what the release decides again is covered.
func TestReleasesAreCaughtUp(t *testing.T) {
	mark := pipeline.Mark{Fired: pipeline.Due{Minute: 5}, Topic: "t", Releases: 2}
	pos := pipeline.Position{Committed: true, Offset: 50, Metadata: mark.Metadata(), LogStart: 10, End: 50}
	for _, c := range []struct {
		releases int64
		want     bool
	}{{1, true}, {2, false}, {3, false}} {
		m := meta(50, 5)
		m.First.Releases = c.releases
		s, err := pipeline.Reconcile(identity(), pos, pipeline.State{Exists: true, Meta: m})
		if err != nil || s.Rewinding() != c.want || s.Lagging() != (c.releases > 2) {
			t.Errorf("%d releases: %+v, %v", c.releases, s, err)
		}
		e := pipeline.Entry{
			Kind:    pipeline.EntryAlert,
			Offset:  -1,
			Next:    50,
			Due:     pipeline.Due{Minute: 9},
			Release: c.releases,
		}
		if s.Mark.Covers(&e) != (c.releases <= 2) {
			t.Errorf("release %d: covered %v", c.releases, s.Mark.Covers(&e))
		}
	}
}
