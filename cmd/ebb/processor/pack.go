package processor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// packEvery is how often the pack's file is checked, besides on SIGHUP.
const packEvery = 5 * time.Second

// followPack loads the pack's file again whenever it has changed, until ctx ends. A pack that cannot be used changes
// nothing. A pack that comes with ebb has no file.
func (p *Processor) followPack(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	if p.opts.Hangups {
		signal.Notify(asked, syscall.SIGHUP)
	}
	p.following.Go(func() {
		defer signal.Stop(asked)
		tick := time.NewTicker(packEvery)
		defer tick.Stop()
		f := packFile{Processor: p}
		file := pack.IsFile(p.cfg.Pack.Name)
		for {
			select {
			case <-tick.C:
			case <-asked:
				if !file {
					p.log.Info().Str("pack", p.cfg.Pack.Name).Msg("the pack comes with ebb: there is no file to load anew")
				}
			case <-ctx.Done():
				return
			}
			if file {
				f.look()
			}
		}
	})
}

// file is the state of the pack's file at the last check.
type packFile struct {
	*Processor
	text   []byte
	failed string // why it could not be read
	known  bool   // there was a check
}

// look loads the pack if its file has changed since the last check, and logs the outcome once.
func (f *packFile) look() {
	text, err := pack.Source(f.cfg.Pack.Name, os.ReadFile)
	failed := ""
	if err != nil {
		failed = err.Error()
	}
	if f.known && bytes.Equal(text, f.text) && failed == f.failed {
		return
	}
	f.text, f.failed, f.known = text, failed, true
	var k *pack.Pack
	if err == nil {
		k, err = connect.LoadPackFrom(f.cfg, func(string) ([]byte, error) { return text, nil })
	}
	before := f.newest.Load()
	if err == nil {
		err = succeeds(f.met.Load(), k)
	}
	f.metrics.PackReload(err == nil)
	switch {
	case err != nil:
		f.log.Error().Err(err).Str("pack", before.Name).Str("version", before.Version).Str("pack_hash", before.Hash).
			Str("file", f.cfg.Pack.Name).Msg("the pack's file cannot be used, the pack of before stays")
	case k.Hash != before.Hash:
		f.newest.Store(k)
		f.log.Info().
			Str("pack", k.Name).
			Str("version", k.Version).
			Str("pack_hash", k.Hash).
			Str("file", f.cfg.Pack.Name).
			Msg("pack loaded anew; it begins with each partition's next record")
	}
}

// succeeds is why a pack cannot replace the one at work. A pack that no partition has requested since it was loaded is
// not at work: nothing has begun with it, and it may be taken back.
func succeeds(before, k *pack.Pack) error {
	switch {
	case k.Hash == before.Hash:
		return nil
	case k.Name != before.Name:
		return fmt.Errorf("it is pack %s now, and was %s: another pack, not a newer one", k.Name, before.Name)
	case pipeline.CompareVersions(k.Version, before.Version) <= 0:
		return fmt.Errorf(
			"it has changed, and its version %s is not newer than %s: raise it to activate it",
			k.Version,
			before.Version,
		)
	}
	return nil
}

// configured is the newest pack that was loaded, for any record. A partition requests it before a record that the pack
// may begin with.
func (p *Processor) configured(int64) *pack.Pack {
	k := p.newest.Load()
	p.met.Store(k)
	return k
}
