package worker

import (
	"context"
	"slices"
	"time"

	"ebb/pipeline"
)

// What a person asks lies beside the partition's state (pipeline.Asked). The owner looks for it now and then, beside its
// loop, and proposes the control records that do it. It is removed in the commit that applies the last of them, so a
// crash before that repeats it, and one after that does not.

// asking is what an owner knows of what is asked of its partition.
type asking struct {
	errand[[]pipeline.Asked]
	all  []pipeline.Asked
	left int             // raises that are still to be released for all[0]; -1: not known yet
	done map[string]bool // ids whose last control record is proposed
}

// look begins to look for what is asked, if it is time.
func (o *owner) look(now time.Time) {
	if o.cfg.Asked == nil || !o.asking.due(now) {
		return
	}
	o.asking.begin(o.ctx, now, func(ctx context.Context) (all []pipeline.Asked) {
		err := o.cfg.Asked(ctx, func(id string, value []byte) {
			asked, err := pipeline.ReadAsked(id, value)
			if err != nil {
				o.cfg.Logger.Warn().Err(err).Msg("what is asked cannot be read")
				return
			}
			all = append(all, asked)
		})
		if err != nil {
			o.cfg.Logger.Debug().Err(err).Msg("look for what is asked")
			return nil
		}
		return all
	})
}

// lookFirst looks for what is asked before anything is decided: a silence that was asked for while nobody ran comes first.
func (o *owner) lookFirst(now time.Time) {
	if o.look(now); !o.asking.underway {
		return
	}
	select {
	case all := <-o.asking.answer:
		o.looked(all)
	case <-o.ctx.Done():
	}
}

// looked takes in what is asked, the oldest first.
func (o *owner) looked(all []pipeline.Asked) {
	a := &o.asking
	a.underway = false
	if a.left >= 0 {
		return // a release is being done
	}
	slices.SortFunc(all, func(x, y pipeline.Asked) int { return x.At.Compare(y.At) })
	a.all, a.left = slices.DeleteFunc(all, func(x pipeline.Asked) bool { return a.done[x.ID] }), -1
}

// doAsked asks the line for the next change that a person wants. False: nobody wants any that is possible now. A silence
// need not wait for the end of history, and goes before releases.
func (o *owner) doAsked(at int64) bool {
	a := &o.asking
	for i := range a.all {
		if s := a.all[i]; s.Kind == pipeline.AskSilence && a.left < 0 {
			o.line.Silence(s.Silenced())
			a.finish(i)
			return true
		}
	}
	if len(a.all) == 0 || !o.line.MayRelease() {
		return false
	}
	o.releaseAsked(&a.all[0], at)
	return true
}

// releaseAsked asks the line for the next release that a person wants.
func (o *owner) releaseAsked(next *pipeline.Asked, at int64) {
	a := &o.asking
	if a.left < 0 {
		a.left = o.line.Size().Held[pipeline.HoldReasonOf(next.Reason)]
		o.cfg.Logger.Info().Str("reason", next.Reason).Int("held", a.left).Str("by", next.By).Str("why", next.Why).
			Msg("what is held is released, as asked")
	}
	n := min(a.left, mostReleased)
	a.left -= n
	o.line.ReleaseAsked(next, n, a.left == 0, at)
	if a.left == 0 {
		a.finish(0)
	}
}

// answered takes in that a control record has done what is asked. One of a replay may have, after it was found here.
func (a *asking) answered(id string) {
	if id == "" || a.done[id] {
		return
	}
	a.done[id] = true
	if i := slices.IndexFunc(a.all, func(x pipeline.Asked) bool { return x.ID == id }); i >= 0 {
		a.finish(i)
	}
}

// finish notes that the last control record of what is asked is proposed.
func (a *asking) finish(i int) {
	a.done[a.all[i].ID] = true
	a.all, a.left = slices.Delete(a.all, i, i+1), -1
}
