package pipeline

import (
	"errors"
	"slices"
	"testing"

	"ebb/scoring/profile"
)

// TestMetaSectionOfALaterFormat: a build with one more section, made up here of the settings', writes it from the
// format on that all members of the group read. Until then a build without it reads the state, from then on it refuses
// it.
func TestMetaSectionOfALaterFormat(t *testing.T) {
	later := slices.Clone(metaSections[:])
	last := &later[len(later)-1]
	last.since = profile.Format + 1
	before := later[:len(later)-1]
	m := Meta{Version: MetaVersion, Next: 7, WallMillis: 9, Settings: Settings{Rules: 1}, Format: profile.Format}
	for name, known := range map[string][]metaSection{"the build before": before, "the later build": later} {
		got, err := readMeta(appendMeta(nil, &m, later), known)
		if err != nil || got.Next != 7 || got.Settings != (Settings{}) {
			t.Errorf("%s reads the format before as %+v: %v", name, got, err)
		}
	}
	m.Format = profile.Format + 1
	if got, err := readMeta(appendMeta(nil, &m, later), later); err != nil || got.Settings != m.Settings {
		t.Errorf("the later build reads its own format as %+v: %v", got, err)
	}
	if _, err := readMeta(appendMeta(nil, &m, later), before); !errors.Is(err, ErrMetaVersion) {
		t.Errorf("the build before reads the later format: %v", err)
	}
}
