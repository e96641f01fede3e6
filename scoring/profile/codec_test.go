package profile_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// drawProfile draws a profile by drawing its history.
func drawProfile(t *rapid.T) profile.Profile {
	pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
	if rapid.Bool().Draw(t, "of a pack with steps") {
		pack = scoringtest.GoingOn()
	}
	var p profile.Profile
	now := int64(1_600_000_000_000)
	for range rapid.IntRange(0, 8).Draw(t, "events") {
		o := scoringtest.DrawEvent(t, now)
		now = max(now, o.Time)
		for p.Armed != 0 && p.Armed <= now/60_000 {
			scoringtest.Wake(pack, &p)
		}
		scoringtest.Observe(pack, &p, pop, o)
	}
	for range rapid.IntRange(0, 5).Draw(t, "prices") {
		p.Money.Takes(scoringtest.DrawCurrency(t))
	}
	for range rapid.IntRange(0, 40).Draw(t, "ids") {
		p.Remember(rapid.Uint64().Draw(t, "id"))
	}
	return p
}

func TestProfileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawProfile(t)
		b := scoringtest.AppendProfile([]byte("before"), &want)
		if string(b[:6]) != "before" || len(b) > 6+299 {
			t.Fatalf("%d bytes, beginning with %q", len(b), b[:6])
		}
		got := profile.Profile{First: 5, IDs: want.IDs}
		if err := scoringtest.ReadProfile(b[6:], &got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// TestProbeBytes: a pending probe has its class behind its cell, which one that began before classes were kept has not.
func TestProbeBytes(t *testing.T) {
	p := profile.Profile{First: 1, Last: 1, Counted: 1, At: 1, Visits: 1, M: 6, K: 7}
	for class, want := range map[uint8]string{
		0: "\x07\x05\x04\x03\x02\x01\x40", 1: "\x07\x06\x04\x03\x02\x01\x40\x01", 3: "\x07\x06\x04\x03\x02\x01\x40\x03",
	} {
		p.Probe = profile.Probe{Next: 0x01020304, Cell: 64, Class: class}
		b := scoringtest.AppendProfile(nil, &p)
		var back profile.Profile
		if err := scoringtest.ReadProfile(b, &back); err != nil || back != p || !bytes.HasSuffix(b, []byte(want)) {
			t.Errorf("class %d: % x, want it to end with % x; read %+v, %v", class, b, want, back.Probe, err)
		}
	}
	p.Probe.Class = 1
	b := scoringtest.AppendProfile(nil, &p)
	b[len(b)-1] = 0
	if err := scoringtest.ReadProfile(b, new(profile.Profile)); !errors.Is(err, profile.ErrDamaged) {
		t.Errorf("a class of 0 that is written: %v", err)
	}
}

// TestProfileBytes: the layout is stored, so it does not change: a new part gets a new tag.
func TestProfileBytes(t *testing.T) {
	p := profile.Profile{
		First:    1,
		Last:     3,
		Counted:  2,
		At:       5,
		Visits:   5,
		W:        1,
		Mu:       2,
		M2:       3,
		Level:    4,
		Friction: 5,
		M:        6,
		K:        7,
		Armed:    8,
		Lapse: profile.LapseEpisode{
			Episode: profile.Episode{Number: 9, Sequence: 10, LastTransition: 11 * 60_000, Opened: 3},
			Tier:    profile.AtRisk,
		},
		Back:      3,
		Onboarded: true,
		Probe:     profile.Probe{Next: 0x01020304, Cell: 64},
		Eligible:  true,
		Money:     profile.Money{Currency: profile.Currency{'E', 'U', 'R'}, Other: 300},
		Awaited:   profile.Awaited{Since: 3, RaisedAt: 11 * 60_000},
		PackEpoch: 7,
		Touched:   1<<profile.Explicit | 1<<profile.ServiceFailure, Withheld: 1 << profile.Explicit,
		Trouble: profile.Trouble{Type: 0x0a0b, At: 5},
		Plays:   [profile.NumKinds]profile.PlayMark{profile.Lapse: 0x01020304, profile.Explicit: 5},
		Steps:   [profile.NumKinds]uint8{profile.Lapse: 2, profile.Explicit: 1},
		Course:  profile.Course{Raised: 0x01020304, Play: 5},
		Holdout: profile.Holdout{Rules: 0x0a0b0c0d, Epoch: 300, Assigned: 3, HeldOut: 2},
	}
	p.Triggered[0] = profile.Triggered{
		Episode:  profile.Episode{Number: 1, Sequence: 2, LastTransition: 7, Opened: 6},
		Openings: 4, Opener: 0x0809, Since: 4, Newest: 5, Times: [8]int64{3, 0, 5},
	}
	p.Triggered[2].Number = 6
	p.Remember(12)
	time := func(v byte) []byte { return []byte{v, 0, 0, 0, 0, 0} }
	float := func(low, high byte) []byte { return []byte{0, 0, 0, 0, 0, 0, low, high} }
	want := []byte{4, 22}
	for _, section := range [][]byte{
		slices.Concat([]byte{1, 10, 8, 0, 0, 0}, time(5)),
		slices.Concat(
			[]byte{2, 46},
			time(1),
			time(3),
			time(2),
			float(0x10, 0x40),
			float(0x18, 0x40),
			float(0x1c, 0x40),
			[]byte{5, 0, 0, 0},
		),
		slices.Concat([]byte{3, 24}, float(0xf0, 0x3f), float(0, 0x40), float(0x08, 0x40)),
		slices.Concat([]byte{4, 8}, float(0x14, 0x40)),
		{5, 13, 9, 0, 0, 0, 10, 0, 0, 0, 11, 0, 0, 0, 3},
		slices.Concat([]byte{6, 7}, time(3), []byte{1}),
		{7, 5, 4, 3, 2, 1, 64},
		{8, 9, 1, 12, 0, 0, 0, 0, 0, 0, 0},
		{9, 1, 7},
		slices.Concat(
			[]byte{10, 43, 7, 1, 0, 0, 0, 2, 0, 0, 0, 4, 9, 8},
			time(4),
			time(5),
			time(7),
			[]byte{5},
			time(3),
			time(5),
		),
		{12, 5, 1, 6, 0, 0, 0},
		[]byte("\x0d\x08features"),
		{14, 1, 2},
		{15, 1, 1},
		{16, 5, 'E', 'U', 'R', 0xac, 2},
		{17, 11, 3, 4, 3, 2, 1, 2, 5, 0, 0, 0, 1},
		slices.Concat([]byte{18, 11, 2, 1}, time(5), []byte{2, 'a', 'b'}),
		slices.Concat([]byte{19, 10}, time(3), []byte{11, 0, 0, 0}),
		slices.Concat([]byte{20, 13, 3}, time(3), time(6)),
		slices.Concat([]byte{21, 8, 0x0b, 0x0a}, time(5)),
		{29, 9, 3, 4, 3, 2, 1, 5, 0, 0, 0},
		{31, 8, 0x0d, 0x0c, 0x0b, 0x0a, 0xac, 2, 3, 2},
	} {
		want = append(want, section...)
	}
	facts := profile.Facts(nil).Put(0x0102, 5, []byte("ab"))
	c := profile.Customer{Profile: &p, Features: []byte("features"), Facts: facts}
	if got := profile.Append(nil, &c, profile.Format); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}
	back := profile.Customer{Profile: &profile.Profile{}}
	if err := profile.Read(want, &back); err != nil || *back.Profile != p || string(back.Features) != "features" ||
		!bytes.Equal(back.Facts, facts) {
		t.Errorf("%+v, error %v", back, err)
	}
}

func TestReadProfileRefuses(t *testing.T) {
	valid := profile.Profile{
		Visits:   2,
		First:    1,
		Last:     3,
		Counted:  1,
		At:       4,
		W:        1,
		Mu:       1,
		Level:    1,
		M:        1,
		K:        2,
		Armed:    9,
		Friction: 1,
	}
	valid.Lapse = profile.LapseEpisode{
		Episode: profile.Episode{Number: 1, Sequence: 1, LastTransition: 300_000},
		Tier:    profile.Critical,
	}
	opened := profile.Triggered{
		Episode:  profile.Episode{Number: 1, Sequence: 1, LastTransition: 1},
		Openings: 1,
		Since:    1,
		Newest:   2,
		Times:    [8]int64{2},
	}
	tests := []struct {
		name  string
		spoil func(p *profile.Profile)
	}{
		{"time below zero", func(p *profile.Profile) { p.First = -1 }},
		{"time beyond all", func(p *profile.Profile) { p.At = 1 << 44 }},
		{"last before first", func(p *profile.Profile) { p.Last = 0 }},
		{"level after last", func(p *profile.Profile) { p.Counted = 4 }},
		{"activity after newest event", func(p *profile.Profile) { p.At = 2 }},
		{"level not a number", func(p *profile.Profile) { p.Level = math.NaN() }},
		{"level infinite", func(p *profile.Profile) { p.Level = math.Inf(1) }},
		{"level below zero", func(p *profile.Profile) { p.Level = -1 }},
		{"level a negative zero", func(p *profile.Profile) { p.Level = math.Copysign(0, -1) }},
		{"regularity zero", func(p *profile.Profile) { p.K = 0 }},
		{"typical gap of ages", func(p *profile.Profile) { p.M = 13 }},
		{"gaps without weight", func(p *profile.Profile) { p.W = 0 }},
		{"gaps before the second visit", func(p *profile.Profile) { p.Visits = 1 }},
		{"spread below zero", func(p *profile.Profile) { p.M2 = -1 }},
		{"friction below zero", func(p *profile.Profile) { p.Friction = -1 }},
		{"episode never counted", func(p *profile.Profile) { p.Lapse.Number = 0 }},
		{"episode without transition", func(p *profile.Profile) { p.Lapse.Sequence = 0 }},
		{"episode at peace", func(p *profile.Profile) { p.Lapse.Tier = profile.Healthy }},
		{"episode without activity", func(p *profile.Profile) { p.Visits, p.W = 0, 0 }},
		{"back before the last activity", func(p *profile.Profile) { p.Back = 4 }},
		{"a probe of a cell that there is not", func(p *profile.Profile) { p.Probe = profile.Probe{Next: 1, Cell: 65} }},
		{"a probe of a class that there is not", func(p *profile.Profile) {
			p.Probe = profile.Probe{Next: 1, Cell: 1, Class: 4}
		}},
		{"a class without a probe", func(p *profile.Profile) { p.Probe = profile.Probe{Next: 1, Class: 1} }},
		{"an episode of another kind never counted", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].Number = 0
		}},
		{"an episode that nothing opened", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].Openings = 0
		}},
		{"an opening without an event", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].Openings = 3
		}},
		{"an episode opened after its newest event", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].Since = 3
		}},
		{"an episode opened after its newest transition", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].LastTransition = 0
		}},
		{"a value action awaited of no episode", func(p *profile.Profile) {
			p.Lapse, p.Awaited = profile.LapseEpisode{}, profile.Awaited{Since: 3, RaisedAt: 300_000, Sequence: 1}
		}},
		{"a value action of an episode that is both open and over", func(p *profile.Profile) {
			p.Awaited = profile.Awaited{Since: 3, RaisedAt: 300_000, Sequence: 1}
		}},
		{"a value action of an episode that is neither", func(p *profile.Profile) {
			p.Lapse, p.Awaited = profile.LapseEpisode{
				Episode: profile.Episode{Number: 1},
			}, profile.Awaited{
				Since:    3,
				RaisedAt: 300_000,
			}
		}},
		{"a silence that begins after its raise", func(p *profile.Profile) {
			p.Awaited = profile.Awaited{Since: 60_001, RaisedAt: 60_000}
		}},
		{"an opening beyond all time", func(p *profile.Profile) {
			p.Triggered[1], p.Touched = opened, 1<<profile.Involuntary
			p.Triggered[1].Times[5] = 1<<43 + 1
		}},
	}
	var p profile.Profile
	if err := scoringtest.ReadProfile(scoringtest.AppendProfile(nil, &valid), &p); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := valid
			tt.spoil(&bad)
			if err := scoringtest.ReadProfile(scoringtest.AppendProfile(nil, &bad), &p); !errors.Is(err, profile.ErrDamaged) {
				t.Errorf("error %v", err)
			}
		})
	}
	b := scoringtest.AppendProfile(nil, &valid)
	for n := range b {
		if err := scoringtest.ReadProfile(b[:n], &p); !errors.Is(err, profile.ErrDamaged) {
			t.Errorf("first %d of %d bytes: error %v", n, len(b), err)
		}
	}
	if err := scoringtest.ReadProfile(append(b, 0), &p); !errors.Is(err, profile.ErrDamaged) {
		t.Errorf("a byte more: error %v", err)
	}
	again := func(at int, v byte) []byte {
		c := bytes.Clone(b)
		c[at] = v
		return c
	}
	newer := append(again(1, b[1]+1), 99, 1, 0)
	for name, b := range map[string][]byte{"another layout": again(0, 5), "a section that is not known": newer} {
		if err := scoringtest.ReadProfile(b, &p); !errors.Is(err, profile.ErrVersion) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"an older layout": again(0, 3),
		"a section twice": append(again(1, b[1]+1), 5, 4, 1, 0, 0, 0),
	} {
		if err := scoringtest.ReadProfile(b, &p); !errors.Is(err, profile.ErrDamaged) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzReadProfile(f *testing.F) {
	s := scoringtest.Weekly()
	f.Add(scoringtest.AppendProfile(nil, &profile.Profile{}))
	f.Add(scoringtest.AppendProfile(nil, &s.Profile))
	s.SilentUntil(300)
	s.Event(310, scoringtest.Failed)
	for id := range uint64(20) {
		s.Profile.Remember(id)
	}
	f.Add(scoringtest.AppendProfile(nil, &s.Profile))
	f.Add(scoringtest.AppendProfile(nil, &profile.Profile{At: 1, Friction: 1}))
	s.Profile.Course = profile.Course{Raised: 26_700_000, Play: 26_700_001}
	f.Add(scoringtest.AppendProfile(nil, &s.Profile))
	for _, n := range []uint32{0, 1, math.MaxUint32} {
		money := profile.Money{Currency: profile.Currency{'E', 'U', 'R'}, Other: n}
		f.Add(scoringtest.AppendProfile(nil, &profile.Profile{At: 1, Money: money}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p profile.Profile
		err := scoringtest.ReadProfile(b, &p)
		if err != nil {
			if !errors.Is(err, profile.ErrDamaged) && !errors.Is(err, profile.ErrVersion) {
				t.Fatalf("error of no class: %v", err)
			}
			return
		}
		if again := scoringtest.AppendProfile(nil, &p); !bytes.Equal(again, b) {
			t.Fatalf("% x came back as % x", b, again)
		}
		// Every accepted profile can be used, and stored again.
		var pop profile.Population
		scoringtest.Observe(s.Pack, &p, &pop, scoring.Observation{Time: p.At + 3*scoringtest.Day, Signal: scoringtest.Bought})
		for range 50 {
			if p.Armed != 0 {
				scoringtest.Wake(s.Pack, &p)
			}
		}
		score := scoringtest.ScoreOf(s.Pack, &p, p.At+90*scoringtest.Day)
		if math.IsNaN(score.Sum()) || math.IsInf(score.Sum(), 0) {
			t.Fatalf("score %v of %+v", score, p)
		}
		if p.At < 1<<43 && !p.Valid() {
			t.Fatalf("not to be stored: %+v", p)
		}
	})
}

func TestIDRing(t *testing.T) {
	var p profile.Profile
	for id := range uint64(100) {
		if p.Seen(id) {
			t.Fatalf("%d seen before it was remembered", id)
		}
		p.Remember(id)
		for old := range id + 1 {
			if want := old+16 > id; p.Seen(old) != want {
				t.Fatalf("%d seen after %d: %v, want %v", old, id, p.Seen(old), want)
			}
		}
	}
}

// TestProfileEmptyParts: bytes that Append would not have written are refused, so that every state has one encoding.
func TestProfileEmptyParts(t *testing.T) {
	for tag, size := range map[byte]int{
		1: 10, 2: 46, 3: 24, 4: 8, 5: 4, 6: 7, 7: 5, 8: 1, 9: 1, 10: 1, 14: 1, 16: 3, 17: 1, 18: 9, 19: 10, 21: 8,
	} {
		b := append([]byte{4, 1, tag, byte(size)}, make([]byte, size)...)
		if err := profile.Read(b, &profile.Customer{Profile: &profile.Profile{}}); !errors.Is(err, profile.ErrDamaged) {
			t.Errorf("section %d of zeroes: error %v", tag, err)
		}
	}
}

// TestLargestProfile has every part at once, a full ring of ids, and a pack that was changed.
func TestLargestProfile(t *testing.T) {
	p := profile.Profile{
		First:    1,
		Last:     3,
		Counted:  2,
		At:       4,
		Visits:   5,
		W:        1,
		Mu:       2,
		M2:       3,
		Level:    4,
		Friction: 5,
		M:        6,
		K:        7,
		Armed:    8,
		Back:     3,
		Lapse: profile.LapseEpisode{
			Episode: profile.Episode{Number: 9, Sequence: 10, LastTransition: 60_000},
			Tier:    profile.AtRisk,
		},
		Probe:     profile.Probe{Next: 1, Cell: 1, Class: 1},
		PackEpoch: 1,
		Trouble:   profile.Trouble{Type: 1, At: 4},
		Plays:     [profile.NumKinds]profile.PlayMark{profile.Lapse: 1},
		Steps:     [profile.NumKinds]uint8{profile.Lapse: 3},
	}
	for id := range uint64(16) {
		p.Remember(id + 1)
	}
	b := scoringtest.AppendProfile(nil, &p)
	var got profile.Profile
	if err := scoringtest.ReadProfile(b, &got); err != nil || got != p || len(b) != 283 {
		t.Errorf("%d bytes, error %v, read %+v", len(b), err, got)
	}
}
