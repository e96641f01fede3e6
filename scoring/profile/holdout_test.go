package profile_test

import (
	"errors"
	"testing"

	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestHoldoutBytes: a customer's part in a holdout is stored as short as it is, and what nobody writes is refused.
func TestHoldoutBytes(t *testing.T) {
	p := profile.Profile{First: 1, Last: 1, Counted: 1, At: 1, Visits: 1, M: 6, K: 7}
	without := len(scoringtest.AppendProfile(nil, &p))
	for want, h := range map[int]profile.Holdout{
		0: {},
		7: {Rules: 1, Epoch: 1},
		9: {Epoch: 1, Assigned: 1},
		8: {Rules: 1, Epoch: 200},
	} {
		p.Holdout = h
		b := scoringtest.AppendProfile(nil, &p)
		var back profile.Profile
		if err := scoringtest.ReadProfile(b, &back); err != nil || back != p || len(b)-without != want {
			t.Errorf("%+v: %d bytes, want %d; read %+v, %v", h, len(b)-without, want, back.Holdout, err)
		}
	}
	p.Holdout = profile.Holdout{}
	head := scoringtest.AppendProfile(nil, &p)
	head[1]++
	for name, section := range map[string]string{
		"no epoch":                    "\x05\x01\x00\x00\x00\x00",
		"nobody assigned":             "\x07\x01\x00\x00\x00\x01\x00\x00",
		"held out and not assigned":   "\x07\x01\x00\x00\x00\x01\x01\x02",
		"a kind that there is not":    "\x07\x01\x00\x00\x00\x01\x10\x00",
		"more than that":              "\x08\x01\x00\x00\x00\x01\x01\x01\x01",
		"an epoch in too many bytes":  "\x06\x01\x00\x00\x00\x81\x00",
		"an assigned, no word of out": "\x06\x01\x00\x00\x00\x01\x01",
	} {
		b := append(append([]byte(nil), head...), "\x1f"+section...)
		if err := scoringtest.ReadProfile(b, &p); !errors.Is(err, profile.ErrDamaged) {
			t.Errorf("%s: %v, read %+v", name, err, p.Holdout)
		}
	}
}

// TestNewerArm: an arm is published once in an epoch, and again where arms are drawn by other rules.
func TestNewerArm(t *testing.T) {
	var h profile.Holdout
	for i, c := range []struct {
		rules, epoch uint32
		want         bool
	}{
		{0, 5, true},
		{0, 5, false},
		{0, 4, false},
		{0, 6, true},
		{9, 3, true},
		{9, 3, false},
	} {
		if got := h.Newer(c.rules, c.epoch); got != c.want {
			t.Errorf("%d: epoch %d by rules %d: %v", i, c.epoch, c.rules, got)
		}
	}
}
