package pipeline_test

import (
	"errors"
	"testing"

	"ebb/pipeline"
)

func TestCompareVersions(t *testing.T) {
	rising := []string{
		"",
		"1",
		"1.0",
		"1.2",
		"1.9",
		"1.10",
		"1.10.1",
		"2",
		"2-rc1",
		"2.1",
		"10",
		"2026-01-09",
		"2026-01-10",
		"2026-11-01",
		"v1",
		"v2",
		"v10",
		"v10a",
	}
	for i, a := range rising {
		for j, b := range rising {
			if got := pipeline.CompareVersions(a, b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%q against %q: %d", a, b, got)
			}
		}
	}
	for _, same := range [][2]string{{"1", "01"}, {"v007", "v7"}, {"1.0", "1.00"}} {
		if got := pipeline.CompareVersions(same[0], same[1]); got != 0 {
			t.Errorf("%q against %q: %d", same[0], same[1], got)
		}
	}
}

// TestAccepts: between two packs of one version the right one is undecided, and a pack of another name is no newer
// version.
func TestAccepts(t *testing.T) {
	active := pipeline.PackRef{Hash: "a", Name: "shop", Version: "2"}
	for name, c := range map[string]struct {
		configured pipeline.PackRef
		fine       bool
	}{
		"the same":                {active, true},
		"newer":                   {pipeline.PackRef{Hash: "b", Name: "shop", Version: "3"}, true},
		"older":                   {pipeline.PackRef{Hash: "b", Name: "shop", Version: "1"}, true},
		"same version, otherwise": {pipeline.PackRef{Hash: "b", Name: "shop", Version: "2"}, false},
		"another name":            {pipeline.PackRef{Hash: "b", Name: "store", Version: "3"}, false},
	} {
		err := identity().Accepts(active, c.configured)
		var stop *pipeline.HardStop
		if (err == nil) != c.fine || err != nil && (!errors.As(err, &stop) || stop.Code != "pack_changed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
