package line

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// stageRun is one ownership after another of a partition with one customer: what a store would hold, and what was
// decided.
type stageRun struct {
	t       *testing.T
	pack    *pack.Pack
	records []pipeline.Record
	meta    pipeline.Meta
	state   []byte // the customer's
	alerts  []string
	tally   Tally
}

// own folds the records from where the state is up to an offset, as an owner that finds so much published.
func (r *stageRun) own(published pipeline.Mark, to int64) {
	r.t.Helper()
	l := New(
		&Config{Format: profile.Format, CacheCustomers: 16},
		&pipeline.Standing{Meta: r.meta, Mark: published},
		&History{Packs: []*pack.Pack{r.pack}, Refs: r.meta.Packs},
	)
	b := &Batch{decoder: decode.New(0).Reading(r.pack), pack: r.pack}
	b.Fetched.Records, b.Fetched.Next = r.records[r.meta.Next:to], to
	b.Decode()
	err := l.foldAll(b, func(want *pipeline.Load) {
		want.Profiles, want.Due = make([][]byte, len(want.Keys)), make([][]byte, len(want.Buckets))
		for i := range want.Profiles {
			want.Profiles[i] = r.state
		}
	}, func(s *Staged) {
		r.tally.Add(&s.Tally)
		if len(s.Commit.Profiles) > 0 {
			r.state = bytes.Clone(s.Commit.Profiles[0])
		}
		for _, encoded := range s.Commit.Outbox {
			if e := pipeline.MustReadEntry(encoded); e.Kind == pipeline.EntryAlert {
				r.alerts = append(r.alerts, fmt.Sprint(e.Alert.Kind, " ", e.Alert.Transition, " at ", e.Offset))
			}
		}
		r.meta = s.Commit.Meta
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestWithheldAcrossOwners: what a stage withholds, and what follows of it, is withheld whoever owns the partition, and
// again where the state is rolled back, to before the raise or behind it.
func TestWithheldAcrossOwners(t *testing.T) {
	quiet := stages[1]
	defer func() { stages[1] = quiet }()
	stages[1] = func(d *decided) string { // the first raise is quiet
		if d.Alert.Transition == scoring.Raised && d.Alert.Episode == 1 {
			return "quiet"
		}
		return quiet(d)
	}
	k, err := pack.Load("saas", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	var records []pipeline.Record
	for day, name := range []string{
		"Signed In", "Cancellation Started", "Cancellation Requested", "Contract Renewed", // withheld, all of it
		"Cancellation Started", "Contract Renewed",
	} {
		records = append(records, pipeline.Record{Offset: int64(day), Value: fmt.Appendf(
			nil, `{"customer":"c","type":%q,"time":"2026-03-%02dT10:00:00Z"}`, name, day+1,
		)})
	}
	want := []string{"explicit raised at 4", "explicit recovered at 5"}
	reasons := map[string]uint64{"quiet": 1, Unraised: 2}
	fresh := stageRun{t: t, pack: k, records: records}
	whole, left := fresh, []stageRun{fresh} // by the offset that an owner has come to
	for to := range int64(len(records)) {
		whole.own(whole.mark(), to+1)
		left = append(left, whole)
	}
	if diff := cmp.Diff(want, whole.alerts) + cmp.Diff(reasons, whole.tally.Withheld); diff != "" {
		t.Error(diff)
	}
	var unsent [profile.NumKinds][scoring.NumTransitions]uint64
	unsent[profile.Explicit] = [scoring.NumTransitions]uint64{
		scoring.Raised: 1, scoring.Escalated: 1, scoring.Recovered: 1,
	}
	if diff := cmp.Diff(unsent, whole.tally.Unsent); diff != "" {
		t.Error(diff)
	}
	for before := range left {
		for published := before; published < len(left); published++ {
			again := left[before] // which is what a store has lost its commits down to
			again.alerts = slices.Clone(left[published].alerts)
			again.own(left[published].mark(), int64(len(records)))
			if diff := cmp.Diff(want, again.alerts); diff != "" || !bytes.Equal(again.state, whole.state) {
				t.Errorf("from %d, published up to %d: %x, want %x%s", before, published, again.state, whole.state, diff)
			}
		}
	}
}

// mark is what is published where the state is all published.
func (r *stageRun) mark() pipeline.Mark {
	return pipeline.Mark{Offset: r.meta.Next, Watermark: r.meta.Clock.Watermark, Fired: r.meta.Clock.Fired}
}
