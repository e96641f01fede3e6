package pipeline

import (
	"errors"
	"slices"
	"testing"

	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// TestMetaSectionOfALaterFormat: a build with one more section, made up here, writes it from the format on that all
// members of the group read. Until then a build without it reads the state, from then on it refuses it.
func TestMetaSectionOfALaterFormat(t *testing.T) {
	var kept string
	before := metaSections[:]
	later := append(slices.Clone(before), metaSection{
		250, profile.Format + 1,
		func(dst []byte, _ *Meta) []byte { return append(dst, "made up"...) },
		func(r *encode.Reader, _ *Meta) { kept = string(r.Fixed(len(r.Rest()))) },
	})
	m := Meta{Version: MetaVersion, Next: 7, WallMillis: 9, Format: profile.Format}
	for name, known := range map[string][]metaSection{"the build before": before, "the later build": later} {
		got, err := readMeta(appendMeta(nil, &m, later), known)
		if err != nil || got.Next != 7 || kept != "" {
			t.Errorf("%s reads the format before as %+v with %q: %v", name, got, kept, err)
		}
	}
	m.Format = profile.Format + 1
	if _, err := readMeta(appendMeta(nil, &m, later), later); err != nil || kept != "made up" {
		t.Errorf("the later build reads its own format with %q: %v", kept, err)
	}
	if _, err := readMeta(appendMeta(nil, &m, later), before); !errors.Is(err, ErrMetaVersion) {
		t.Errorf("the build before reads the later format: %v", err)
	}
}
