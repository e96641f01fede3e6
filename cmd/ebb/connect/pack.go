package connect

import (
	"fmt"
	"os"

	"ebb/cmd/ebb/config"
	"ebb/scoring/pack"
)

// LoadPack reads the pack of the configuration with its overrides.
func LoadPack(c *config.Config) (*pack.Pack, error) { return LoadPackFrom(c, os.ReadFile) }

// LoadPackFrom is LoadPack with another way to read the file.
func LoadPackFrom(c *config.Config, read func(string) ([]byte, error)) (*pack.Pack, error) {
	o := pack.Overrides{Horizon: c.Pack.Horizon}
	if len(c.Pack.Activity) > 0 {
		o.Activity = c.Pack.Activity
	}
	if len(c.Pack.Friction) > 0 {
		o.Friction = c.Pack.Friction
	}
	k, err := pack.Load(c.Pack.Name, read, o)
	if err == nil && len(k.Canonical()) > maxPackRecord {
		return nil, fmt.Errorf(
			"load pack %s: %d KiB in its canonical form, at most %d fit into a record",
			c.Pack.Name,
			len(k.Canonical())>>10,
			maxPackRecord>>10,
		)
	}
	return k, err
}

// maxPackRecord bounds a pack's canonical form: it is one record, and brokers accept no larger one by default.
const maxPackRecord = 900 << 10
