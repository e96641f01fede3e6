package line

import (
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// foldRecords puts records through a new line in one batch and returns the customer's encoded profile, and the counts.
func foldRecords(t *testing.T, k *pack.Pack, records ...pipeline.Record) (state []byte, tally Tally) {
	t.Helper()
	l := New(&Config{Format: profile.Format, CacheCustomers: 16}, &pipeline.Standing{}, &History{Packs: []*pack.Pack{k}})
	b := &Batch{decoder: decode.New(0)}
	for i := range records {
		records[i].Offset = int64(i)
	}
	b.Fetched.Records, b.Fetched.Next = records, int64(len(records))
	b.Decode()
	err := l.foldAll(b, func(want *pipeline.Load) {
		want.Profiles, want.Due = make([][]byte, len(want.Keys)), make([][]byte, len(want.Buckets))
	}, func(s *Staged) { tally.Add(&s.Tally) })
	if err != nil {
		t.Fatal(err)
	}
	key := pipeline.AppendKey(nil, nil, []byte("c-42"))
	slot := l.cache.find(xxhash.Sum64(key), key)
	if slot < 0 {
		t.Fatal("the customer is not there")
	}
	return profile.Append(nil, l.look(l.cache.at(slot)), profile.Format), tally
}

func anyPack(t *testing.T) *pack.Pack {
	t.Helper()
	pack, err := pack.Load("any", nil, pack.Overrides{Friction: map[string]float64{"identify": 1}})
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// TestControlIsNoActivity: a control event is counted once and changes nothing of the profile but its ids, whatever the
// pack declares for its type.
func TestControlIsNoActivity(t *testing.T) {
	segment := func(kind, id, at string) pipeline.Record {
		return pipeline.Record{
			Value: fmt.Appendf(
				nil,
				`{"type":%q,"event":"Signed In","userId":"c-42","messageId":%q,"timestamp":"2026-03-%sT10:00:00Z"}`,
				kind,
				id,
				at,
			),
		}
	}
	pack := anyPack(t)
	before, _ := foldRecords(t, pack, segment("track", "", "01"), segment("page", "", "03"), segment("track", "", "04"))
	after, tally := foldRecords(
		t,
		pack,
		segment("track", "", "01"),
		segment("identify", "", "02"),
		segment("page", "", "03"),
		segment("group", "", "03"),
		segment("track", "", "04"),
		segment("alias", "", "05"),
	)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("control events changed the profile:\n%s", diff)
	}
	if tally.Unnamed != 0 || tally.Duplicates != 0 || tally.AllQuarantined() != 0 {
		t.Errorf("counted as %+v", tally)
	}
	if _, tally = foldRecords(
		t,
		pack,
		segment("track", "", "01"),
		segment("identify", "m", "01"),
		segment("identify", "m", "01"),
		segment("identify", "n", "01"),
	); tally.Duplicates != 1 {
		t.Errorf("%d duplicates among three control events, two of one id; want 1", tally.Duplicates)
	}
}

// TestDuplicateIsBySource: an id is unique within its source, in either content mode, and by itself without a source.
func TestDuplicateIsBySource(t *testing.T) {
	structured := func(source, id string) pipeline.Record {
		return pipeline.Record{
			Value: fmt.Appendf(
				nil,
				`{"specversion":"1.0","type":"x","subject":"c-42","time":"2026-03-01T10:00:00Z","source":%s,"id":%q}`,
				source,
				id,
			),
		}
	}
	binary := pipeline.Record{
		Headers: []byte(
			"\x0a" + "\x1cce_specversion\x061.0" + "\x0ece_type\x02x" + "\x14ce_subject\x08c-42" + "\x12ce_source\x04/a" + "\x0ace_id\x021",
		),
		Timestamp: 1_772_359_200_000,
	}
	for name, c := range map[string]struct {
		records    []pipeline.Record
		duplicates uint64
	}{
		"same source":           {[]pipeline.Record{structured(`"/a"`, "1"), structured(`"/a"`, "1")}, 1},
		"same source, escaped":  {[]pipeline.Record{structured(`"/a"`, "1"), structured(`"\/a"`, "1")}, 1},
		"same source, binary":   {[]pipeline.Record{structured(`"/a"`, "1"), binary}, 1},
		"two sources":           {[]pipeline.Record{structured(`"/a"`, "1"), structured(`"/b"`, "1")}, 0},
		"two ids":               {[]pipeline.Record{structured(`"/a"`, "1"), structured(`"/a"`, "2")}, 0},
		"no source":             {[]pipeline.Record{structured("null", "1"), structured("null", "1")}, 1},
		"a source and none":     {[]pipeline.Record{structured(`"/a"`, "1"), structured("null", "1")}, 0},
		"no id":                 {[]pipeline.Record{structured(`"/a"`, ""), structured(`"/a"`, "")}, 0},
		"source and id swapped": {[]pipeline.Record{structured(`"1"`, "/a"), structured(`"/a"`, "1")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, tally := foldRecords(t, anyPack(t), c.records...)
			if tally.Duplicates != c.duplicates || tally.AllQuarantined() != 0 {
				t.Errorf("%d duplicates, want %d; %d quarantined", tally.Duplicates, c.duplicates, tally.AllQuarantined())
			}
		})
	}
}
