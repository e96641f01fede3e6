package profile_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestSourceBytes: the section of a source holds no more than there is.
func TestSourceBytes(t *testing.T) {
	p := profile.Profile{First: 1, Last: 9e6, Counted: 9e6, At: 9e6, Visits: 1, M: 6, K: 7}
	plain := scoringtest.AppendProfile(nil, &p)
	for _, c := range []struct {
		source profile.Source
		want   string
	}{
		{profile.Source{}, ""},
		{profile.Source{Number: 7}, "\x19\x01\x07"},
		{profile.Source{Number: 7, Frozen: 300}, "\x19\x03\x07\xac\x02"},
		{profile.Source{Frozen: 300, Missed: 5}, "\x19\x04\x00\xac\x02\x05"},
	} {
		p.Source = c.source
		b := scoringtest.AppendProfile(nil, &p)
		if got := b[len(plain):]; string(got) != c.want {
			t.Errorf("%+v: % x, want % x", c.source, got, c.want)
		}
		var back profile.Profile
		if err := scoringtest.ReadProfile(b, &back); err != nil || back != p {
			t.Errorf("%+v: read %+v, %v", c.source, back.Source, err)
		}
	}
	p.Source = profile.Source{Number: 1, Frozen: 3, Missed: 3}
	b := scoringtest.AppendProfile(nil, &p)
	for name, wrong := range map[string][]byte{
		"more missed than frozen": append(bytes.Clone(b[:len(b)-1]), 4),
		"a number of 0 alone":     append(append(bytes.Clone(b[:1]), b[1]), append(bytes.Clone(plain[2:]), 25, 1, 0)...),
		"of another section":      append(bytes.Clone(b[:len(b)-5]), 23, 3, 1, 3, 3),
	} {
		if wrong[1] = b[1]; scoringtest.ReadProfile(wrong, new(profile.Profile)) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := scoringtest.ReadProfile(
		append(bytes.Clone(b[:len(b)-5]), 23, 3, 1, 3, 3),
		new(profile.Profile),
	); !errors.Is(
		err,
		profile.ErrVersion,
	) {
		t.Errorf("a section that nobody writes yet: %v", err)
	}
}

// TestThaw: whatever the looks, a customer's times have moved on by what is frozen, once, and its newest activity stays.
func TestThaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProfile(t)
		before := p
		frozen := int64(0)
		for range rapid.IntRange(0, 5).Draw(t, "looks") {
			more := rapid.Int64Range(-100, 5000).Draw(t, "more")
			if p.Thaw(frozen+more) != (more > 0 && !p.Empty()) {
				t.Fatal("what it reports is not what it did")
			}
			frozen += max(more, 0)
		}
		if p.Empty() {
			return
		}
		moved := frozen * 60_000
		if p.At != before.At+moved || p.Visits > 0 &&
			(p.Last != before.Last+moved || p.Counted != before.Counted+moved || p.Active() != before.Last || p.Missed() != moved) {
			t.Fatalf("%d minutes: %+v, before %+v", frozen, p, before)
		}
		if (p.Armed == 0) != (before.Armed == 0) || p.Armed != 0 && p.Armed != before.Armed+frozen {
			t.Fatalf("armed at %d, before at %d", p.Armed, before.Armed)
		}
		var back profile.Profile
		if err := scoringtest.ReadProfile(scoringtest.AppendProfile(nil, &p), &back); err != nil || back != p {
			t.Fatalf("read %+v, %v, want %+v", back, err, p)
		}
		if p.Visits > 0 && moved > 0 {
			if p.ReturnAt(before.Last + 1); p.Last != before.Last || p.Counted != before.Counted || p.Missed() != 0 {
				t.Fatalf("seen after all: %+v", p)
			}
		}
	})
}
