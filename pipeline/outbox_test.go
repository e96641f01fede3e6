package pipeline_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

func drawEntry(t *rapid.T) pipeline.Entry {
	e := pipeline.Entry{
		Offset: rapid.Int64Min(-1).Draw(t, "offset"),
		Due:    pipeline.Due{Minute: rapid.Int64().Draw(t, "minute"), Hash: rapid.Uint64().Draw(t, "hash")},
	}
	if e.Offset < 0 {
		e.Next = rapid.Int64Min(0).Draw(t, "next")
	}
	if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
		e.Kind = rapid.SampledFrom([]pipeline.EntryKind{pipeline.EntryPack, pipeline.EntryControl}).Draw(t, "what of a pack")
		ref := pipeline.PackRef{
			Hash:    "h" + rapid.String().Draw(t, "hash of the pack"),
			Name:    rapid.String().Draw(t, "name"),
			Version: rapid.String().Draw(t, "version"),
		}
		if e.Kind == pipeline.EntryPack {
			e.Pack, e.Canonical = ref, rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "canonical")
		} else {
			e.Change = rapid.SampledFrom([]pipeline.Change{
				{Kind: pipeline.ControlPack, Pack: ref, First: rapid.Bool().Draw(t, "first")},
				{Kind: pipeline.ControlTime, Minute: rapid.Int64().Draw(t, "time")},
				{Kind: pipeline.ControlErased, Erased: pipeline.Erased{
					Customer: pipeline.ErasedHash(rapid.Uint64().Draw(t, "who")), Until: time.UnixMilli(7).UTC(), Why: "asked",
				}},
			}).Draw(t, "change")
		}
		return e
	}
	if rapid.IntRange(0, 3).Draw(t, "decision") == 0 {
		return drawDecision(t, e)
	}
	if rapid.Bool().Draw(t, "quarantine") {
		e.Kind, e.Code = pipeline.EntryQuarantine, pipeline.Code(rapid.IntRange(1, 17).Draw(t, "code"))
		return e
	}
	e.Alert.Assigned = drawArm(t)
	if rapid.IntRange(0, 3).Draw(t, "audience") == 0 {
		e.Kind, e.Until = pipeline.EntryAudience, rapid.Int64Min(0).Draw(t, "until")
		e.Key = pipeline.AppendKey(nil, rapid.SliceOfN(rapid.Byte(), 0, pipeline.MaxTenant).Draw(t, "tenant"), []byte("c"))
		e.Alert.Tenant, e.Alert.Customer = pipeline.SplitKey(e.Key)
		return e
	}
	e.Kind = pipeline.EntryAlert
	e.Alert.Decision = scoring.Decision{
		Transition: scoring.Raised,
		Tier:       profile.AtRisk,
		Episode:    3,
		At:         rapid.Int64().Draw(t, "at"),
	}
	e.Alert.Cause = alert.Cause{
		Deadline:  rapid.Bool().Draw(t, "deadline"),
		Time:      rapid.Int64().Draw(t, "time"),
		Partition: 7,
		Offset:    9,
	}
	e.Alert.Cause.EventID = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "event id")
	tenant := rapid.SliceOfN(rapid.Byte(), 0, pipeline.MaxTenant).Draw(t, "tenant")
	customer := rapid.SliceOfN(rapid.Byte(), 1, pipeline.MaxCustomer).Draw(t, "customer")
	if e.PackEpoch = rapid.Uint8().Draw(t, "pack epoch"); e.PackEpoch < 32 {
		e.Kind, e.PackEpoch, e.Alert.Decision = pipeline.EntryErased, 0, scoring.Decision{At: e.Alert.At}
	}
	e.Key = pipeline.AppendKey(nil, tenant, customer)
	e.Alert.Tenant, e.Alert.Customer = pipeline.SplitKey(e.Key)
	gotTenant, gotCustomer := pipeline.SplitKey(e.Key)
	if string(gotTenant) != string(tenant) || string(gotCustomer) != string(customer) {
		t.Fatalf("key of %q, %q splits into %q, %q", tenant, customer, gotTenant, gotCustomer)
	}
	return e
}

// drawDecision makes e a line of the ledger.
func drawDecision(t *rapid.T, e pipeline.Entry) pipeline.Entry {
	e.Kind, e.Key = pipeline.EntryDecision, pipeline.AppendKey(nil, []byte("t"), []byte("c"))
	e.Alert.Tenant, e.Alert.Customer = pipeline.SplitKey(e.Key)
	d := scoring.Decision{
		Kind:       profile.Explicit,
		Transition: scoring.Escalated,
		Tier:       profile.Critical,
		Opener:     rapid.Uint16().Draw(t, "opener"),
		Episode:    rapid.Uint32().Draw(t, "episode"),
		Sequence:   rapid.Uint32().Draw(t, "sequence"),
		At:         rapid.Int64().Draw(t, "at"),
		Since:      rapid.Int64().Draw(t, "since"),
	}
	e.Ruling = pipeline.RulingOf(pipeline.Outcome(rapid.IntRange(1, 4).Draw(t, "outcome")), "storm", &d, 1000)
	e.Ruling.Place, e.Ruling.Expires = rapid.Uint32().Draw(t, "place"), rapid.Int64().Draw(t, "out of date")
	e.Ruling.At, e.Ruling.Review = rapid.Int64().Draw(t, "outcome at"), rapid.Int64().Draw(t, "review")
	e.Ruling.End = rapid.String().Draw(t, "end")
	return e
}

// drawArm draws the arm of an alert: none, that of a raise, or that of what follows.
func drawArm(t *rapid.T) (a alert.Assignment) {
	if a.Arm = alert.Arm(rapid.IntRange(0, int(alert.NumArms)-1).Draw(t, "arm")); a.Arm != alert.NoArm &&
		rapid.Bool().Draw(t, "raise") {
		a.Epoch = rapid.Uint32Min(1).Draw(t, "epoch")
		a.Share = rapid.Uint32Range(1, alert.Whole).Draw(t, "share")
	}
	return a
}

// TestEntryWithoutArm: an alert that no holdout has to do with is stored as before there were any; an arm that there is
// not is refused.
func TestEntryWithoutArm(t *testing.T) {
	e := pipeline.Entry{Kind: pipeline.EntryAlert, Offset: 1, Key: []byte("\x00c")}
	e.Alert.Transition = scoring.Raised
	plain := pipeline.AppendEntry(nil, &e)
	e.Alert.Assigned = alert.Assignment{Arm: alert.HeldOut, Epoch: 5, Share: 300}
	with := pipeline.AppendEntry(nil, &e)
	if !bytes.Equal(with, append(bytes.Clone(plain), 2, 5, 0xac, 2)) {
		t.Errorf("% x, without % x", with, plain)
	}
	for _, spoilt := range []string{"\x00", "\x02", "\x02\x05", "\x02\x05\x00", "\x02\x00\x05", "\x03\x05\x01", "\x02\x05\x01\x00"} {
		if got, err := pipeline.ReadEntry(append(bytes.Clone(plain), spoilt...)); err == nil {
			t.Errorf("%x is read as %+v", spoilt, got.Alert.Assigned)
		}
	}
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t)
		got, err := pipeline.ReadEntry(pipeline.AppendEntry(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestEntryOfANewerBuild: what this build does not know is not called damaged.
func TestEntryOfANewerBuild(t *testing.T) {
	kind := pipeline.AppendEntry(nil, &pipeline.Entry{Kind: pipeline.EntryQuarantine, Code: pipeline.NotJSON})
	kind[1] = 77
	for want, b := range map[string][]byte{
		"kind 77": kind,
		`kind "hush"`: pipeline.AppendEntry(nil, &pipeline.Entry{
			Kind: pipeline.EntryControl, Change: pipeline.Change{Kind: "hush"},
		}),
	} {
		if _, err := pipeline.ReadEntry(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzReadEntry(f *testing.F) {
	e := pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: 7, Code: pipeline.NotJSON}
	f.Add(pipeline.AppendEntry(nil, &e))
	e = pipeline.Entry{Kind: pipeline.EntryAlert, Offset: -1, Due: pipeline.Due{Minute: 5, Hash: 6}, Key: []byte("\x00c")}
	e.Alert.Transition = scoring.Raised
	f.Add(pipeline.AppendEntry(nil, &e))
	f.Add(pipeline.AppendEntry(nil, &pipeline.Entry{Kind: pipeline.EntryErased, Offset: 7, Key: []byte("\x00c")}))
	f.Add(pipeline.AppendEntry(nil, &pipeline.Entry{
		Kind:   pipeline.EntryControl,
		Offset: 7,
		Change: pipeline.Change{
			Kind:   pipeline.ControlErased,
			Erased: pipeline.Erased{Customer: 1, Until: time.UnixMilli(7).UTC()},
		},
	}))
	e.Alert.Assigned = alert.Assignment{Arm: alert.HeldOut, Epoch: 5, Share: 100}
	f.Add(pipeline.AppendEntry(nil, &e))
	e.Kind, e.Until = pipeline.EntryAudience, 6
	f.Add(pipeline.AppendEntry(nil, &e))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := pipeline.ReadEntry(b)
		if err != nil {
			return
		}
		encoded := pipeline.AppendEntry(nil, &e)
		again, err := pipeline.ReadEntry(encoded)
		if err != nil || !bytes.Equal(pipeline.AppendEntry(nil, &again), encoded) {
			t.Fatalf("%+v reads back as %+v, %v", e, again, err)
		}
	})
}

func TestMark(t *testing.T) {
	m := pipeline.Mark{
		Offset:    100,
		Version:   1,
		Watermark: 5,
		Fired:     pipeline.Due{Minute: 50, Hash: 1 << 63},
		Wall:      9,
		Topic:     "id",
	}
	got, err := pipeline.ParseMark(100, m.Metadata())
	if err != nil || got != m {
		t.Fatalf("%+v reads back as %+v, %v", m, got, err)
	}
	for name, c := range map[string]struct {
		e    pipeline.Entry
		want bool
	}{
		"an event below the offset":             {pipeline.Entry{Offset: 99}, true},
		"the next event":                        {pipeline.Entry{Offset: 100}, false},
		"a deadline that the sweep had reached": {pipeline.Entry{Offset: -1, Due: m.Fired}, true},
		"one in the same minute, later in its order": {
			pipeline.Entry{Offset: -1, Due: pipeline.Due{Minute: 50, Hash: 1<<63 + 1}},
			false,
		},
		"a late deadline fired by an event below it":  {pipeline.Entry{Offset: 3, Due: pipeline.Due{Minute: 99}}, true},
		"an early deadline fired by the event beyond": {pipeline.Entry{Offset: 100, Due: pipeline.Due{Minute: 1}}, false},
	} {
		if got := m.Covers(&c.e); got != c.want {
			t.Errorf("%s: covered %v, want %v", name, got, c.want)
		}
	}
	for _, foreign := range []string{"", "{}", "abc", `{"ebb":2}`} {
		if _, err := pipeline.ParseMark(1, foreign); err == nil {
			t.Errorf("metadata %q is taken for ours", foreign)
		}
	}
}
