package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"ebb/scoring/pack"
)

// PackRef names a pack.
type PackRef struct {
	Hash    string `json:"hash"` // of its canonical form
	Name    string `json:"name"`
	Version string `json:"version"`
}

// RefOf names k.
func RefOf(k *pack.Pack) PackRef { return PackRef{Hash: k.Hash, Name: k.Name, Version: k.Version} }

// String is the pack as messages name it.
func (r PackRef) String() string { return fmt.Sprintf("%s %s (%.12s)", r.Name, r.Version, r.Hash) }

// PackBytes is a pack in its canonical form.
type PackBytes struct {
	Hash      string
	Canonical []byte
}

// Ledger is what was published about packs besides the alerts: where they began, and their content. One partition's
// owner reads it at a takeover. Implementations: kafkasource.Ledger, and that of the crash table.
type Ledger interface {
	// Controls reads the control records of the partition, in the order of their publication: all that were committed when
	// it was called, after Log.Init. Errors: ErrUnavailable.
	Controls(ctx context.Context, id Identity) ([]Control, error)

	// Blank reports whether nothing was ever written where the partition's newest control records stand, and none of it
	// where the older ones do. Errors: ErrUnavailable.
	Blank(ctx context.Context, id Identity) (bool, error)

	// Packs reads the canonical forms with these hashes, as far as they were ever published. Errors: ErrUnavailable.
	Packs(ctx context.Context, hashes []string) ([]PackBytes, error)
}

// CompareVersions orders versions of a pack: runs of digits by their number, all else byte by byte. A version that
// continues another one is later. So 2 < 10, 1.9 < 1.10, 2 < 2.1, v1 < v2, and 2 < 2-rc1.
func CompareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		return len(s)
	}
	return n
}

// Accepts refuses a configured pack that leaves undecided what becomes of the state: one of another name, or one of the
// active pack's version with other content. An older one and a newer one are accepted: see package line.
func (id Identity) Accepts(active, configured PackRef) error {
	switch {
	case active.Hash == configured.Hash:
		return nil
	case active.Name != configured.Name:
		return id.Stop(
			"pack_changed",
			fmt.Sprintf(
				"the state is scored with pack %s, the configured one is %s: another pack, not a newer one",
				active,
				configured,
			),
			"put the old pack back; to score with another one from the start, use a new kafka.group",
		)
	case CompareVersions(active.Version, configured.Version) == 0:
		return id.Stop(
			"pack_changed",
			fmt.Sprintf(
				"the state is scored with pack %s, the configured one is %s: the same version, with something else in it or with "+
					"other overrides",
				active,
				configured,
			),
			"raise the version of the changed pack to activate it (of a shipped pack: ebb packs show NAME > FILE, and "+
				"configure the file), or put the old one and its overrides back",
		)
	}
	return nil
}

// CoreChanged is the hard stop of a state that another version of the score's core decided with a pack. A replay has to
// decide as then, and a customer's open episodes are what that core raised; so no version of a pack leads from one to
// the other.
func (id Identity) CoreChanged(scored PackRef, cause error) *HardStop {
	return id.Stop(
		"core_changed",
		fmt.Sprintf("the state is scored with pack %s by another version of ebb: %v", scored, cause),
		"go on with the version of ebb that wrote it, or begin with this one under a new kafka.group and a new kafka.alerts, "+
			"with kafka.start: earliest; ebb rebuild cannot help",
	)
}
