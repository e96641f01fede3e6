package model_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring/encode"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
	"ebb/scoring/scoringtest"
)

// TestClassesTogether: the table of all customers holds every probe, whatever is known of its class, and each class's
// those of its customers.
func TestClassesTogether(t *testing.T) {
	k := scoringtest.Must(pack.Load("retail", nil, pack.Overrides{}))
	rapid.Check(t, func(t *rapid.T) {
		var c, plain model.Calibration
		var each [profile.NumClasses]model.Calibration
		for _, r := range drawResolved(t, 300) {
			k.Model.Advance(&c, r.minute)
			k.Model.Advance(&plain, r.minute)
			for i := range each {
				k.Model.Advance(&each[i], r.minute)
			}
			plain.Add(r.score, r.silent)
			class := rapid.IntRange(0, int(profile.NumClasses)).Draw(t, "class")
			if class == int(profile.NumClasses) {
				c.Add(r.score, r.silent)
				continue
			}
			c.AddOf(profile.Class(class), r.score, r.silent)
			each[class].Add(r.score, r.silent)
		}
		all := c.All()
		for i := range all.Resolved {
			if math.Abs(all.Resolved[i]-plain.Unclassed.Resolved[i]) > 1e-9 ||
				math.Abs(all.Silent[i]-plain.Unclassed.Silent[i]) > 1e-9 || all.Open[i] != plain.Unclassed.Open[i] {
				t.Fatalf("cell %d: %v, %v, %v", i, all.Resolved[i], all.Silent[i], all.Open[i])
			}
		}
		for i := range each {
			if c.Classes[i] != each[i].Unclassed {
				t.Fatalf("class %d: %+v, want %+v", i, c.Classes[i], each[i].Unclassed)
			}
		}
		var read model.Calibration
		b := model.AppendClasses(nil, &c)
		if err := model.ReadCalibration(model.AppendCalibration(nil, &c), &read); err != nil {
			t.Fatal(err)
		}
		if read.Classes != [profile.NumClasses]model.Table{} {
			t.Fatal("state without classes has some")
		}
		if len(b) > 0 {
			if err := model.ReadClasses(b, &read); err != nil {
				t.Fatal(err)
			}
			cut := b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]
			if err := model.ReadClasses(cut, new(model.Calibration)); !errors.Is(err, model.ErrCalibrationDamaged) {
				t.Fatalf("cut short: %v", err)
			}
		}
		if diff := cmp.Diff(c, read); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestCurveOfAClass: a class's own curve is read from 100 probes on, and that of all customers before.
func TestCurveOfAClass(t *testing.T) {
	var c model.Calibration
	for i := range 99 {
		c.AddOf(profile.Regular, 1, i%2 == 0)
	}
	for range 300 {
		c.AddOf(profile.OneTimer, 1, true)
	}
	open := c
	closed(&c)
	curves := c.Curves()
	if r := curves.At(profile.Regular, 1); r.OfClass || r.Probes != 399 || r.Probability(1) != micro(350.5/400) {
		t.Errorf("of 99 regulars: %+v", r)
	}
	if r := curves.At(profile.OneTimer, 1); !r.OfClass || r.Probes != 300 || r.Probability(1) != micro(300.5/301) {
		t.Errorf("of 300 who came once: %+v", r)
	}
	open.AddOf(profile.Regular, 1, true)
	closed(&open)
	curves = open.Curves()
	if r := curves.At(profile.Regular, 1); !r.OfClass || r.Probes != 100 || r.Probability(1) != micro(51.5/101) {
		t.Errorf("of 100 regulars: %+v", r)
	}
}

// TestProbesBehindAPoint: a reading counts the probes of the points that it is read from, and no others.
func TestProbesBehindAPoint(t *testing.T) {
	var c model.Calibration
	for _, cell := range []struct {
		score     float64
		n, silent int
	}{{-2, 400, 40}, {0, 200, 100}, {1, 50, 40}, {6, 3, 3}} { // what is left joins the last point
		for i := range cell.n {
			c.Add(cell.score, i < cell.silent)
		}
	}
	closed(&c)
	curve := c.Curve()
	for score, want := range map[float64]uint32{-3: 400, -1: 600, 0.5: 253, 5: 53} {
		if r := curve.At(score); r.Probes != want {
			t.Errorf("at %v: %d probes behind %+v, want %d", score, r.Probes, r, want)
		}
	}
}

// FuzzReadClasses: accepted bytes are encoded to the same bytes again.
func FuzzReadClasses(f *testing.F) {
	f.Add([]byte{})
	var c model.Calibration
	for i := range 400 {
		c.AddOf(profile.Class(i%3), float64(i%40)/4-4, i%3 > 0)
		if i == 300 {
			closed(&c)
		}
	}
	f.Add(model.AppendClasses(nil, &c))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c model.Calibration
		if err := model.ReadClasses(b, &c); err != nil {
			return
		}
		if again := model.AppendClasses(nil, &c); !bytes.Equal(again, b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
		_ = c.Curves()
	})
}

// FuzzReadReading: accepted bytes are encoded to the same bytes again.
func FuzzReadReading(f *testing.F) {
	for _, r := range []model.Reading{
		{}, {Probes: 99}, {Probes: 300, Number: 1}, {Probes: 300, Number: 2, OfClass: true, Points: [2]model.ReadPoint{{1, 0.2}, {2, 0.4}}},
	} {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r model.Reading
		from := encode.NewReader(b)
		if r.Read(&from); !from.Whole() {
			return
		}
		if again := r.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
	})
}

// micro is v to six decimals.
func micro(v float64) float64 { return math.Round(v*1e6) / 1e6 }
