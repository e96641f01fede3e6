package profile

import (
	"errors"
	"testing"
)

// TestSectionOfALaterFormat: a build with one more section writes it from a later format on, made up here for the
// features. Until the group has agreed on that format, a build without the section can read the state. From then on
// such a build refuses it.
func TestSectionOfALaterFormat(t *testing.T) {
	since := formats
	since[features], since[withheld] = Format+1, Format+1
	c := Customer{Profile: &Profile{At: 5, Friction: 1}, Features: []byte("features")}
	back := Customer{Profile: &Profile{}}
	before := appendKnown(nil, &c, Format, &since)
	for name, newest := range map[string]section{"the build before": features - 1, "the later build": withheld} {
		if err := readKnown(before, &back, newest); err != nil || *back.Profile != *c.Profile || back.Features != nil {
			t.Errorf("%s reads the format before as %+v: %v", name, back, err)
		}
	}
	later := appendKnown(nil, &c, Format+1, &since)
	if err := readKnown(later, &back, withheld); err != nil || string(back.Features) != "features" {
		t.Errorf("the later build reads its own format as %+v: %v", back, err)
	}
	if err := readKnown(later, &back, features-1); !errors.Is(err, ErrVersion) {
		t.Errorf("the build before reads the later format: %v", err)
	}
}
