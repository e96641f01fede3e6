package profile_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// drawProfile draws a profile by drawing its history.
func drawProfile(t *rapid.T) profile.Profile {
	pack, pop := scoringtest.DrawPack(t), scoringtest.DrawPopulation(t)
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
	for range rapid.IntRange(0, 40).Draw(t, "ids") {
		p.Remember(rapid.Uint64().Draw(t, "id"))
	}
	return p
}

func TestProfileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawProfile(t)
		b := scoringtest.AppendProfile([]byte("before"), &want)
		if string(b[:6]) != "before" || len(b) > 6+256 {
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

// TestProfileBytes: the layout is stored, so it does not change within a version.
func TestProfileBytes(t *testing.T) {
	p := profile.Profile{
		First: 1, Last: 3, Counted: 2, At: 4, Visits: 5, W: 1, Mu: 2, M2: 3, Level: 4, Friction: 5, M: 6, K: 7,
		Armed: 8, Episodes: 9, Episode: profile.Episode{Tier: profile.AtRisk, Sequence: 10, Since: 11},
	}
	p.Remember(12)
	want := []byte{3, 15, 1, 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0}
	for _, v := range []int64{1, 3, 2} {
		want = append(want, byte(v), 0, 0, 0, 0, 0, 0, 0)
	}
	for _, high := range [][2]byte{{0x10, 0x40}, {0x18, 0x40}, {0x1c, 0x40}} { // 4, 6, 7
		want = append(want, 0, 0, 0, 0, 0, 0, high[0], high[1])
	}
	for _, v := range []byte{5, 9} {
		want = append(want, v, 0, 0, 0)
	}
	for _, high := range [][2]byte{{0xf0, 0x3f}, {0, 0x40}, {0x08, 0x40}, {0x14, 0x40}} { // 1, 2, 3, 5
		want = append(want, 0, 0, 0, 0, 0, 0, high[0], high[1])
	}
	want = append(want, 10, 0, 0, 0, 11, 0, 0, 0, 3, 12, 0, 0, 0, 0, 0, 0, 0)
	if got := scoringtest.AppendProfile(nil, &p); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}

	p.Back, p.Onboarded, p.Probe = 3, true, profile.Probe{Next: 0x01020304, Cell: 64}
	p.Triggered[0] = profile.Triggered{Number: 1, Sequence: 2, Openings: 4, Opener: 0x0809, Since: 4, Newest: 5, LastTransition: 7, Times: [8]int64{3, 0, 5}}
	p.Triggered[2] = profile.Triggered{Number: 6}
	p.Touched = 1<<profile.Explicit | 1<<profile.ServiceFailure
	ids := want[len(want)-8:]
	want = append([]byte{3, 15 + 16 + 32 + 64 + 128, 1}, want[3:len(want)-8]...)
	want = append(append(want, 3, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 64), ids...)
	want = append(want, 7, 1, 0, 0, 0, 2, 0, 0, 0, 4, 9, 8, 4, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 5, 3, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0)
	want = append(want, 0, 1, 6, 0, 0, 0)
	want = append(want, "features"...)
	c := profile.Customer{Profile: &p, Features: []byte("features")}
	if got := profile.Append(nil, &c); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}
	p.At, p.Last = 5, 3
	var back profile.Customer
	back.Profile = &profile.Profile{}
	if err := profile.Read(profile.Append(nil, &c), &back); err != nil || *back.Profile != p || string(back.Features) != "features" {
		t.Errorf("%+v, error %v", back, err)
	}
}

func TestReadProfileRefuses(t *testing.T) {
	valid := profile.Profile{Visits: 2, First: 1, Last: 3, Counted: 1, At: 4, W: 1, Mu: 1, Level: 1, M: 1, K: 2, Armed: 9, Friction: 1, Episodes: 1}
	valid.Episode = profile.Episode{Tier: profile.Critical, Sequence: 1, Since: 5}
	opened := profile.Triggered{Number: 1, Sequence: 1, Openings: 1, Since: 1, Newest: 2, LastTransition: 1, Times: [8]int64{2}}
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
		{"episode never counted", func(p *profile.Profile) { p.Episodes = 0 }},
		{"episode without transition", func(p *profile.Profile) { p.Episode.Sequence = 0 }},
		{"episode at peace", func(p *profile.Profile) { p.Episode.Tier = profile.Watch }},
		{"episode without activity", func(p *profile.Profile) { p.Visits, p.W = 0, 0 }},
		{"back before the last activity", func(p *profile.Profile) { p.Back = 4 }},
		{"a probe of a cell that there is not", func(p *profile.Profile) { p.Probe = profile.Probe{Next: 1, Cell: 65} }},
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
	b[0] = 4
	if err := scoringtest.ReadProfile(b, &p); !errors.Is(err, profile.ErrVersion) {
		t.Errorf("version 4: error %v", err)
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
	f.Add(scoringtest.AppendProfileAs(2, nil, &s.Profile))
	f.Add(scoringtest.AppendProfileAs(2, nil, &profile.Profile{At: 1, Friction: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p profile.Profile
		err := scoringtest.ReadProfile(b, &p)
		if err != nil {
			if !errors.Is(err, profile.ErrDamaged) && !errors.Is(err, profile.ErrVersion) {
				t.Fatalf("error of no class: %v", err)
			}
			return
		}
		if again := scoringtest.AppendProfileAs(int(b[0]), nil, &p); !bytes.Equal(again, b) {
			t.Fatalf("% x came back as % x", b, again)
		}
		// Whatever is accepted can be worked with, and is stored again.
		var pop profile.Population
		scoringtest.Observe(s.Pack, &p, &pop, scoring.Observation{Time: p.At + 3*scoringtest.Day, Signal: scoringtest.Bought})
		for range 50 {
			if p.Armed != 0 {
				scoringtest.Wake(s.Pack, &p)
			}
		}
		if score := scoringtest.ScoreOf(s.Pack, &p, p.At+90*scoringtest.Day); math.IsNaN(score.Sum()) || math.IsInf(score.Sum(), 0) {
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

// TestOlderProfile: the version before holds the core, and every prefix of it is refused.
func TestOlderProfile(t *testing.T) {
	core := profile.Profile{
		First: 1, Last: 3, Counted: 2, At: 4, Visits: 5, W: 1, Mu: 2, M2: 3, Level: 4, Friction: 5, M: 6, K: 7,
		Armed: 8, Episodes: 9, Episode: profile.Episode{Tier: profile.AtRisk, Sequence: 10, Since: 11},
	}
	core.Remember(12)
	full := core
	full.Back, full.Onboarded, full.Probe = 3, true, profile.Probe{Next: 5, Cell: 6}
	full.Triggered[1], full.Touched = profile.Triggered{Number: 1}, 1<<profile.Involuntary
	for name, c := range map[string]struct{ stored, read profile.Profile }{
		"core": {core, core}, "with what a pack declares": {full, core}, "empty": {profile.Profile{}, profile.Profile{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := profile.AppendAs(2, []byte("before"), &profile.Customer{Profile: &c.stored, Features: []byte{1}})[6:]
			if b[0] != 2 {
				t.Fatalf("version %d", b[0])
			}
			var got profile.Profile
			if err := scoringtest.ReadProfile(b, &got); err != nil || got != c.read {
				t.Errorf("% x read as %+v, error %v", b, got, err)
			}
			for n := range b {
				if err := scoringtest.ReadProfile(b[:n], &got); !errors.Is(err, profile.ErrDamaged) {
					t.Errorf("first %d of %d bytes: error %v", n, len(b), err)
				}
			}
			b[1] |= 16 // a part that this version does not have
			if err := scoringtest.ReadProfile(append(b, make([]byte, 75)...), &got); !errors.Is(err, profile.ErrDamaged) {
				t.Errorf("a part too many: error %v", err)
			}
		})
	}
}

// TestProfileGeneration: the generation of a customer's pack is a byte behind the ids, and only where there is one.
func TestProfileGeneration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawProfile(t)
		plain := scoringtest.AppendProfile(nil, &want)
		want.Generation = rapid.Uint8Min(1).Draw(t, "generation")
		b := profile.Append(nil, &profile.Customer{Profile: &want, Features: []byte("features")})
		if len(b) != len(plain)+1+len("features") {
			t.Fatalf("%d bytes, %d without a generation", len(b), len(plain))
		}
		c := profile.Customer{Profile: &profile.Profile{}}
		if err := profile.Read(b, &c); err != nil || *c.Profile != want || string(c.Features) != "features" {
			t.Fatalf("%+v, error %v, want %+v", c, err, want)
		}
		b[len(plain)] = 0
		if err := profile.Read(b, &c); !errors.Is(err, profile.ErrDamaged) {
			t.Fatalf("generation 0 written out: error %v", err)
		}
	})
}

// TestLargestProfile has every part at once, a full ring of ids, and a pack that was changed.
func TestLargestProfile(t *testing.T) {
	p := profile.Profile{
		First: 1, Last: 3, Counted: 2, At: 4, Visits: 5, W: 1, Mu: 2, M2: 3, Level: 4, Friction: 5, M: 6, K: 7, Armed: 8, Back: 3,
		Episodes: 9, Episode: profile.Episode{Tier: profile.AtRisk, Sequence: 10, Since: 11}, Probe: profile.Probe{Next: 1, Cell: 1},
		Generation: 1,
	}
	for id := range uint64(16) {
		p.Remember(id + 1)
	}
	b := scoringtest.AppendProfile(nil, &p)
	var got profile.Profile
	if err := scoringtest.ReadProfile(b, &got); err != nil || got != p || len(b) != 254 {
		t.Errorf("%d bytes, error %v, read %+v", len(b), err, got)
	}
}
